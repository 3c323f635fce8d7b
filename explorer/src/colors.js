/** Colors of points, from a column of the scene. */

export const MISSING_COLOR = "#c7c7c7"; // the gray of matplotlib figures
export const PLAIN_COLOR = "#3f76b5"; // of samples without labels

// viridis at 16 equal steps
const VIRIDIS = [
  "#440154",
  "#481a6c",
  "#472f7d",
  "#414487",
  "#39568c",
  "#31688e",
  "#2a788e",
  "#23888e",
  "#1f988b",
  "#22a884",
  "#35b779",
  "#54c568",
  "#7ad151",
  "#a5db36",
  "#d2e21b",
  "#fde725",
];

/**
 * Return red, green and blue (0 to 255) of "#rrggbb".
 * @param {string} color
 */
export function parseColor(color) {
  const number = parseInt(color.slice(1, 7), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

const N_STEPS = 256; // of the sequential scale

const LEAST_CONTRAST = 2; // of a point against a dark page

const luminance = (color) => {
  const [red, green, blue] = color.map((channel) => (channel / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

/**
 * Lighten a color until it can be seen on a dark page; unchanged on a light one.
 * @param {number[]} color
 * @param {boolean} isDark
 */
export function visibleColor(color, isDark) {
  if (!isDark) return color;
  const least = LEAST_CONTRAST * 1.25 * (luminance([22, 25, 29]) + 0.05) - 0.05;
  let lighter = color;
  for (let share = 0; luminance(lighter) < least && share < 1; share += 0.05) {
    lighter = color.map((channel) => Math.round(channel + share * (255 - channel)));
  }
  return lighter;
}

/** Return the color of a class on the page, as CSS. */
export function classColor(column, code, isDark) {
  return `rgb(${visibleColor(parseColor(column.colors[code] ?? MISSING_COLOR), isDark)})`;
}

/**
 * Return the color of a share of the sequential scale.
 * @param {number} share  From 0 to 1; clipped.
 */
export function sequentialColor(share) {
  const position = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const start = Math.min(Math.floor(position), VIRIDIS.length - 2);
  const [low, high] = [parseColor(VIRIDIS[start]), parseColor(VIRIDIS[start + 1])];
  return low.map((channel, index) => Math.round(channel + (position - start) * (high[index] - channel)));
}

/** Return the sequential scale as a CSS gradient. */
export function sequentialGradient(isDark) {
  const colors = VIRIDIS.map((color) => `rgb(${visibleColor(parseColor(color), isDark)})`);
  return `linear-gradient(to right, ${colors.join(", ")})`;
}

/**
 * Return the color of every sample, three bytes each.
 * @param {any} column  A column of the scene, or null for one color.
 * @param {number} nSamples
 * @param {boolean} isDark
 */
export function sampleColors(column, nSamples, isDark) {
  const colors = new Uint8Array(3 * nSamples);
  const colorOf = sampleColorFunction(column, (color) => visibleColor(color, isDark));
  for (let row = 0; row < nSamples; row++) colors.set(colorOf(row), 3 * row);
  return colors;
}

/** Return the function that gives each row its color. */
function sampleColorFunction(column, adapt) {
  const missing = parseColor(MISSING_COLOR);
  if (!column) {
    const plain = adapt(parseColor(PLAIN_COLOR));
    return () => plain;
  }
  const values = column.values.data;
  if (column.kind === "classes") {
    const palette = column.colors.map((color) => adapt(parseColor(color)));
    return (row) => palette[values[row]] ?? missing;
  }
  const steps = Array.from({ length: N_STEPS }, (_, step) => adapt(sequentialColor(step / (N_STEPS - 1))));
  const stepOf = stepFunction(column);
  return (row) => steps[stepOf(row)] ?? missing;
}

/** Return the function that gives each row of a column of numbers its step on the color scale; NaN where missing. */
function stepFunction({ values, limits: [low, high] }) {
  const scale = high > low ? (N_STEPS - 1) / (high - low) : 0;
  return (row) => Math.round(Math.min(Math.max((values.data[row] - low) * scale, 0), N_STEPS - 1));
}

/**
 * Return the order in which samples are drawn, the same at every opening: those without a value first, so underneath,
 * then classes shuffled, or numbers from low to high and shuffled within a step of the color scale.
 * @param {any} column
 * @param {number} nSamples
 */
export function drawingOrder(column, nSamples) {
  const shuffled = Uint32Array.from({ length: nSamples }, (_, row) => row);
  let state = 12345;
  for (let place = nSamples - 1; place > 0; place--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (place + 1));
    [shuffled[place], shuffled[other]] = [shuffled[other], shuffled[place]];
  }
  if (!column) return shuffled;
  const stepOf = column.kind === "classes" ? (row) => (column.values.data[row] < 0 ? NaN : 0) : stepFunction(column);
  const layers = Array.from({ length: N_STEPS + 1 }, () => []);
  for (const row of shuffled) {
    const step = stepOf(row);
    layers[Number.isNaN(step) ? 0 : step + 1].push(row);
  }
  return Uint32Array.from(layers.flat());
}
