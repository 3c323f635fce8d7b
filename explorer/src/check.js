/** Compares the decoder of this page with samples that Python decoded. */

const LARGEST_SHARE = 1e-3; // of the range of a value; more would be a visible difference

/**
 * Run the decoder on the codes that Python put into the scene and say what differs, or that it fails.
 * @param {import("./model.js").Model} model
 * @returns {Promise<{isExact: boolean, sentence: string} | null>}
 */
export async function checkDecoder(model) {
  const { check, method } = model.scene.decoder ?? {};
  if (!check || method !== "network" || !model.decoder) return null;
  const size = check.samples.data.length / check.samples.shape[0];
  const { low, high } = model.scene.samples?.feature_ranges ?? {};
  const [bottom, top] = model.scene.value_range;
  const spanOf = (index) => (low ? high.data[index] - low.data[index] : top - bottom);
  let [largest, largestShare] = [0, 0];
  for (let place = 0; place < check.codes.shape[0]; place++) {
    const code = check.codes.data.slice(place * model.nDims, (place + 1) * model.nDims);
    let sample;
    try {
      [sample] = await model.decoder.decode([code], check.conditions?.data[place] ?? 0);
    } catch (error) {
      return { isExact: false, sentence: `The decoder fails in this browser. ${error.message}` };
    }
    for (let index = 0; index < size; index++) {
      const difference = Math.abs(sample[index] - check.samples.data[place * size + index]);
      largest = Math.max(largest, difference);
      largestShare = Math.max(largestShare, difference / spanOf(index));
    }
  }
  const isExact = largestShare <= LARGEST_SHARE;
  const difference = `The largest difference between this browser and Python is ${largest.toPrecision(2)}, on ${check.codes.shape[0]} codes.`;
  return {
    isExact,
    sentence: isExact ? difference : `${difference} Decoded samples on this page are not those of the model.`,
  };
}
