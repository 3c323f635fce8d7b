/** Numbers and counts as text. */

/**
 * Format a number with three significant digits and a minus sign.
 * @param {number} value
 */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return "none";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return text.replaceAll("-", "−");
}

/**
 * Return a float32 with as few digits as tell it from all others.
 * @param {number} value
 */
export function shortestFloat(value) {
  for (const digits of [6, 7, 8])
    if (Math.fround(Number(value.toPrecision(digits))) === value) return Number(value.toPrecision(digits));
  return Number(value.toPrecision(9));
}

/**
 * Format a count with separators of thousands.
 * @param {number} count
 */
export function formatCount(count) {
  return count.toLocaleString("en-US");
}

/**
 * Return a count and its noun, "1 sample" or "12 samples".
 * @param {number} count
 * @param {string} noun
 * @param {string} [plural]
 */
export function countOf(count, noun, plural = `${noun}s`) {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}
