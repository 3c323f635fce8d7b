/** Numbers and counts as text. */

import { extent } from "d3-array";

export const DATE_UNIT = "days since 1970"; // of columns that hold dates
export const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/**
 * Format a number with three significant digits, a whole number with all, and a minus sign.
 * @param {number} value
 */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return "none";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return String(value).replace("-", "−");
  const text = size < 0.001 || size >= 1e5 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replaceAll("-", "−");
}

/**
 * Format a value of a column with its unit, a date as year, month and day.
 * @param {any} column
 * @param {number} value
 */
export function formatValue({ unit }, value) {
  if (!Number.isFinite(value)) return "no value";
  if (unit === DATE_UNIT) return formatDate(value);
  return unit ? `${formatNumber(value)} ${unit}` : formatNumber(value);
}

/**
 * Format days since 1970 as year, month and day, and the time of day if it is not midnight.
 * @param {number} days
 */
export function formatDate(days) {
  const date = new Date(Math.round(days * DAY_MILLISECONDS));
  if (Number.isNaN(date.getTime())) return `${days} ${DATE_UNIT}`; // beyond the years that a date can hold
  const [day, time] = date.toISOString().split("T");
  return time === "00:00:00.000Z" ? day : `${day} ${time.replace(/(:00)?(\.000)?Z$/, "")}`;
}

/**
 * Return the texts at both ends of the scale of a column, which say if values lie beyond.
 * @param {any} column
 */
export function formatScale(column) {
  const [low, high] = column.limits;
  const [least, largest] = extent(/** @type {Iterable<number>} */ (column.values.data));
  return [
    `${least < Math.fround(low) ? "≤ " : ""}${formatValue({ unit: column.unit === DATE_UNIT ? DATE_UNIT : "" }, low)}`,
    `${largest > Math.fround(high) ? "≥ " : ""}${formatValue(column, high)}`,
  ];
}

/**
 * Format the ticks of an axis with as many decimals as tell them apart.
 * @param {number[]} values
 */
export function formatTicks(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 0;
  const largest = Math.max(...values.map(Math.abs));
  if (!step || largest >= 1e5 || step < 1e-6) return values.map(formatNumber);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-6));
  return values.map((value) => value.toFixed(decimals).replace("-", "−"));
}

/**
 * Return a float32 with as few digits as tell it from all others; a whole number as it is.
 * @param {number} value
 */
export function shortestFloat(value) {
  if (Number.isInteger(value)) return value;
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
