/** Planes and maps in which samples are shown, and the codes of their points. */

import KDBush from "kdbush";

const N_MAP_NEIGHBORS = 3; // codes averaged to decode a point of a map that has no inverse
const N_SPACING_SAMPLES = 500; // points that measure the spacing of a map

/**
 * @typedef {object} Space
 * @property {string} id  "z:0,1" or the id of a map.
 * @property {string} label
 * @property {Float32Array} points  Positions of the samples, x and y in turn.
 * @property {string[]} axes  Names of the two axes.
 * @property {number[]} dims  Latent dimensions on the axes; empty for a map.
 * @property {boolean} isMap  Axes without units, such as those of t-SNE.
 * @property {(base: Float32Array) => {center: Float32Array, u: Float32Array, v: Float32Array} | null} frame
 *   The plane center + x u + y v in latent space, or null for a map without inverse.
 * @property {(x: number, y: number, base: Float32Array) => Float32Array} codeAt
 */

/**
 * Return the plane of two latent dimensions.
 * @param {any} scene
 * @param {number} first
 * @param {number} second  Equal to `first` for the only dimension.
 * @returns {Space}
 */
export function dimensionPlane(scene, first, second) {
  const [nSamples, nDims] = scene.codes.shape;
  const codes = scene.codes.data;
  const points = new Float32Array(2 * nSamples);
  const isLine = first === second;
  for (let row = 0; row < nSamples; row++) {
    points[2 * row] = codes[row * nDims + first];
    points[2 * row + 1] = isLine ? scatterHeight(row) : codes[row * nDims + second];
  }
  const names = scene.dimensions.map((dimension) => dimension.name);
  const frame = (base) => {
    const center = Float32Array.from(base);
    const [u, v] = [new Float32Array(nDims), new Float32Array(nDims)];
    center[first] = 0;
    u[first] = 1;
    if (!isLine) {
      center[second] = 0;
      v[second] = 1;
    }
    return { center, u, v };
  };
  return {
    id: `z:${first},${second}`,
    label: isLine ? names[first] : `${names[first]} and ${names[second]}`,
    points,
    axes: [names[first], isLine ? "(spread for legibility)" : names[second]],
    dims: isLine ? [first] : [first, second],
    isMap: false,
    frame,
    codeAt: (x, y, base) => pointOfFrame(frame(base), x, y),
  };
}

/**
 * Return a map that Python computed, such as PCA or t-SNE.
 * @param {any} scene
 * @param {any} map
 * @returns {Space}
 */
export function mapSpace(scene, map) {
  const nDims = scene.codes.shape[1];
  const points = map.points.data;
  const shared = { id: map.id, label: map.label, points, axes: map.axes ?? ["", ""], dims: [] };
  if (!map.basis) {
    const index = pointIndex(points);
    const codeAt = (x, y) =>
      meanOfNearest(scene.codes.data, nDims, points, nearestPoints(index, points, x, y, N_MAP_NEIGHBORS), x, y);
    return { ...shared, isMap: true, frame: () => null, codeAt };
  }
  const center = map.center.data;
  const [u, v] = [map.basis.data.subarray(0, nDims), map.basis.data.subarray(nDims, 2 * nDims)];
  const frame = { center, u, v };
  return { ...shared, isMap: false, frame: () => frame, codeAt: (x, y) => pointOfFrame(frame, x, y) };
}

/** Return the height of a sample of a one-dimensional space: evenly spread, the same at every opening. */
function scatterHeight(row) {
  return ((row * 0.618033988749895) % 1) - 0.5;
}

function pointOfFrame({ center, u, v }, x, y) {
  return center.map((value, dim) => value + x * u[dim] + y * v[dim]);
}

/**
 * Return a spatial index of points; points that are not finite are never found.
 * @param {Float32Array} points
 */
export function pointIndex(points) {
  const index = new KDBush(Math.max(points.length / 2, 1), 64, Float32Array);
  for (let row = 0; row < points.length / 2; row++) {
    const isFinite = Number.isFinite(points[2 * row]) && Number.isFinite(points[2 * row + 1]);
    index.add(isFinite ? points[2 * row] : Infinity, isFinite ? points[2 * row + 1] : Infinity);
  }
  return index.finish();
}

/**
 * Return the rows of the points nearest to a place, nearest first.
 * @param {KDBush} index
 * @param {Float32Array} points
 * @param {number} x
 * @param {number} y
 * @param {number} count
 */
export function nearestPoints(index, points, x, y, count) {
  const distance = (row) => (points[2 * row] - x) ** 2 + (points[2 * row + 1] - y) ** 2;
  const wanted = Math.min(count, points.length / 2);
  let radius = (pointExtent(points) || 1) / Math.sqrt(points.length / 2 + 1);
  for (let attempt = 0; attempt < 40; attempt++, radius *= 2) {
    const rows = index.within(x, y, radius);
    if (rows.length >= wanted) return rows.sort((a, b) => distance(a) - distance(b)).slice(0, wanted);
  }
  return [];
}

const extents = new WeakMap();

/** Return the larger side of the box that holds all points. */
function pointExtent(points) {
  if (!extents.has(points)) {
    const [left, right, bottom, top] = pointLimits(points);
    extents.set(points, Math.max(right - left, top - bottom));
  }
  return extents.get(points);
}

/**
 * Return left, right, bottom and top of the box that holds all finite points.
 * @param {Float32Array} points
 */
export function pointLimits(points) {
  const limits = [Infinity, -Infinity, Infinity, -Infinity];
  for (let place = 0; place < points.length; place += 2) {
    if (!Number.isFinite(points[place]) || !Number.isFinite(points[place + 1])) continue;
    limits[0] = Math.min(limits[0], points[place]);
    limits[1] = Math.max(limits[1], points[place]);
    limits[2] = Math.min(limits[2], points[place + 1]);
    limits[3] = Math.max(limits[3], points[place + 1]);
  }
  return limits[0] <= limits[1] ? limits : [-1, 1, -1, 1];
}

/**
 * Return the medians of the coordinates of all finite points.
 * @param {Float32Array} points
 */
export function middleOf(points) {
  return [0, 1].map((axis) => {
    const values = points.filter((value, place) => place % 2 === axis && Number.isFinite(value)).sort();
    return values[Math.floor(values.length / 2)];
  });
}

/** Return the mean of the codes of some rows, weighted by the inverse distance of their points. */
function meanOfNearest(codes, nDims, points, rows, x, y) {
  const mean = new Float32Array(nDims);
  const distances = rows.map((row) => Math.hypot(points[2 * row] - x, points[2 * row + 1] - y));
  const floor = 1e-6 * (Math.max(...distances) || 1);
  const weights = distances.map((distance) => 1 / Math.max(distance, floor));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  rows.forEach((row, place) => {
    for (let dim = 0; dim < nDims; dim++) mean[dim] += (weights[place] / total) * codes[row * nDims + dim];
  });
  return mean;
}

/**
 * Return the distance in a map within which 99 % of its points have another one.
 * @param {Float32Array} points
 */
export function mapSpacing(points) {
  const nSamples = points.length / 2;
  const index = pointIndex(points);
  const step = Math.max(1, Math.floor(nSamples / N_SPACING_SAMPLES));
  const distances = [];
  for (let row = 0; row < nSamples; row += step) {
    const [x, y] = [points[2 * row], points[2 * row + 1]];
    const other = nearestPoints(index, points, x, y, 2).find((near) => near !== row);
    if (other !== undefined) distances.push(Math.hypot(points[2 * other] - x, points[2 * other + 1] - y));
  }
  distances.sort((a, b) => a - b);
  return distances[Math.floor(0.99 * (distances.length - 1))] ?? 0;
}
