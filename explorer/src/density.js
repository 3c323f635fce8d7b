/** Densities in latent space: the aggregate posterior q(z), a mixture of the posteriors, and the standard normal prior. */

const LOG_2PI = Math.log(2 * Math.PI);
const NEGLIGIBLE = 30; // nats below the largest term of a sum; such terms do not change float32

/**
 * Return ln p(z) of a standard normal prior, in nats.
 * @param {Float32Array} code
 */
export function logPrior(code) {
  return -0.5 * (squaredNorm(code) + code.length * LOG_2PI);
}

/** @param {ArrayLike<number>} code */
export function squaredNorm(code) {
  let sum = 0;
  for (let dim = 0; dim < code.length; dim++) sum += code[dim] * code[dim];
  return sum;
}

/** Mean of the Gaussian posteriors of some rows. */
export class AggregatePosterior {
  /**
   * @param {Float32Array} codes  Means (N, D).
   * @param {Float32Array} logVar  Log-variances (N, D).
   * @param {number} nDims
   * @param {Int32Array|null} rows  Rows of the mixture; null for all.
   */
  constructor(codes, logVar, nDims, rows) {
    this.nDims = nDims;
    this.rows = rows ?? Int32Array.from({ length: codes.length / nDims }, (_, row) => row);
    this.codes = codes;
    this.precision = Float64Array.from({ length: this.rows.length * nDims }, (_, place) => {
      const row = this.rows[Math.floor(place / nDims)];
      return Math.exp(-logVar[row * nDims + (place % nDims)]);
    });
    this.logScale = Float64Array.from(this.rows, (row) => {
      let sum = -nDims * LOG_2PI;
      for (let dim = 0; dim < nDims; dim++) sum -= logVar[row * nDims + dim];
      return 0.5 * sum - Math.log(this.rows.length);
    });
  }

  /**
   * Return ln q(z) of a code, in nats.
   * @param {Float32Array} code
   */
  logDensity(code) {
    return this.onPlane({ center: code, u: new Float32Array(this.nDims), v: new Float32Array(this.nDims) })(0, 0);
  }

  /**
   * Return ln q as a function of the coordinates of a plane. The exponent of each posterior is a quadratic form of the
   * two coordinates, whose six coefficients are computed once.
   * @param {{center: Float32Array, u: Float32Array, v: Float32Array}} frame
   * @returns {(x: number, y: number) => number}
   */
  onPlane({ center, u, v }) {
    const { nDims, rows, codes, precision, logScale } = this;
    const forms = new Float64Array(6 * rows.length);
    for (let place = 0; place < rows.length; place++) {
      let [constant, x, y, xx, xy, yy] = [0, 0, 0, 0, 0, 0];
      for (let dim = 0; dim < nDims; dim++) {
        const weight = precision[place * nDims + dim];
        const difference = center[dim] - codes[rows[place] * nDims + dim];
        constant += weight * difference * difference;
        x += weight * difference * u[dim];
        y += weight * difference * v[dim];
        xx += weight * u[dim] * u[dim];
        xy += weight * u[dim] * v[dim];
        yy += weight * v[dim] * v[dim];
      }
      forms.set([logScale[place] - 0.5 * constant, -x, -y, -0.5 * xx, -xy, -0.5 * yy], 6 * place);
    }
    const terms = new Float64Array(rows.length);
    return (x, y) => {
      let largest = -Infinity;
      for (let place = 0, at = 0; place < terms.length; place++, at += 6) {
        const term =
          forms[at] +
          x * (forms[at + 1] + forms[at + 3] * x + forms[at + 4] * y) +
          y * (forms[at + 2] + forms[at + 5] * y);
        terms[place] = term;
        if (term > largest) largest = term;
      }
      let sum = 0;
      for (const term of terms) if (term > largest - NEGLIGIBLE) sum += Math.exp(term - largest);
      return largest + Math.log(sum);
    };
  }
}
