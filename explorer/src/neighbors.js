/** Nearest codes in the whole latent space. */

/**
 * Return the rows of the codes nearest to a code, nearest first, and their Euclidean distances.
 * @param {Float32Array} codes  Shape (N, D).
 * @param {Float32Array} code
 * @param {number} count
 */
export function nearestCodes(codes, code, count) {
  const nDims = code.length;
  const rows = [];
  const distances = [];
  for (let row = 0, place = 0; place < codes.length; row++, place += nDims) {
    const bound = rows.length < count ? Infinity : distances[count - 1];
    let distance = 0;
    for (let dim = 0; dim < nDims && distance < bound; dim++) {
      const difference = codes[place + dim] - code[dim];
      distance += difference * difference;
    }
    if (!(distance < bound)) continue;
    let rank = rows.length;
    while (rank > 0 && distances[rank - 1] > distance) rank--;
    rows.splice(rank, 0, row);
    distances.splice(rank, 0, distance);
    rows.length = distances.length = Math.min(rows.length, count);
  }
  return { rows, distances: distances.map(Math.sqrt) };
}
