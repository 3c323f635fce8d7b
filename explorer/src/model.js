/** One model and its data: codes, spaces, decoder, densities. */

import { AggregatePosterior, logPrior, squaredNorm } from "./density.js";
import { createDecoder } from "./decoders.js";
import { nearestCodes } from "./neighbors.js";
import { loadSamples } from "./samples.js";
import { dimensionPlane, mapSpace, mapSpacing, nearestPoints, pointIndex } from "./spaces.js";

export const N_HIGHEST = 18; // samples that "Select highest" takes, as many as the panel pictures
const N_NEAREST = 9; // samples in the strip of neighbors

/**
 * Load a model from a scene whose arrays are resolved.
 * @param {any} scene
 * @param {any} [live]  Decoder in Python.
 */
export async function loadModel(scene, live) {
  return new Model(scene, await loadSamples(scene), createDecoder(scene, live));
}

export class Model {
  constructor(scene, painter, decoder) {
    this.scene = scene;
    this.painter = painter;
    this.decoder = decoder;
    this.nSamples = scene.codes.shape[0];
    this.nDims = scene.codes.shape[1];
    this.codes = scene.codes.data;
    this.medians = Float32Array.from(scene.dimensions, (dimension) => dimension.median);
    this.mixture = this.createMixture();
    this.spaces = new Map();
  }

  createMixture() {
    const { density, log_var: logVar } = this.scene;
    if (!density || !logVar) return null;
    return new AggregatePosterior(this.codes, logVar.data, this.nDims, density.rows?.data ?? null);
  }

  get hasStandardPrior() {
    return this.scene.density?.prior === "standard normal";
  }

  /** Dimensions from the most to the least informative one; the active ones first. */
  get orderedDims() {
    const { dimensions } = this.scene;
    return dimensions.map((_, dim) => dim).sort((a, b) => (dimensions[b].kl ?? 0) - (dimensions[a].kl ?? 0) || a - b);
  }

  /** The plane shown at first: that of a precomputed grid, the first two active dimensions, or the only one. */
  get firstSpace() {
    const { decoder, dimensions } = this.scene;
    if (decoder?.plane) return `z:${decoder.plane.dims}`;
    const active = dimensions.filter((dimension) => dimension.active !== false).map(({ index }) => index);
    const shown = this.orderedDims
      .filter((dim) => active.includes(dim))
      .slice(0, 2)
      .sort((a, b) => a - b);
    if (this.nDims === 1) return "z:0,0";
    const [first = 0, second = first === 0 ? 1 : 0] = shown;
    return `z:${Math.min(first, second)},${Math.max(first, second)}`;
  }

  /**
   * Return a space by its name, "z:0,1" or the id of a map; null for an unknown one.
   * @param {string} id
   */
  space(id) {
    if (!this.spaces.has(id)) {
      const space = this.createSpace(id);
      if (!space) return null;
      this.spaces.set(id, { ...space, index: pointIndex(space.points) });
      if (this.spaces.size > 4) this.spaces.delete(this.spaces.keys().next().value);
    }
    return this.spaces.get(id);
  }

  createSpace(id) {
    const map = this.scene.maps?.find((candidate) => candidate.id === id);
    if (map) return mapSpace(this.scene, map);
    const dims = /^z:(\d+),(\d+)$/.exec(id)?.slice(1).map(Number);
    return dims?.every((dim) => dim < this.nDims) ? dimensionPlane(this.scene, dims[0], dims[1]) : null;
  }

  /** Return True if points of a space are decoded: any by a network, those of one plane by a grid. */
  canDecode(space) {
    const { decoder } = this.scene;
    if (!this.decoder || this.decoder.isFree) return Boolean(this.decoder);
    return space.dims.length > 0 && space.dims.every((dim) => decoder.plane.dims.includes(dim));
  }

  /** Return the code of a sample. */
  codeOf(row) {
    return this.codes.slice(row * this.nDims, (row + 1) * this.nDims);
  }

  /** Return the id of a row as text. */
  nameOf(row) {
    return this.scene.row_ids?.[row] ?? String(row);
  }

  /** Return the rows with the highest finite numbers of a column, and all that equal the last of them. */
  highestRows({ values: { data } }) {
    const known = Float64Array.from(data).filter(Number.isFinite).sort();
    const least = known.at(-Math.min(N_HIGHEST, known.length));
    return Array.from(data.keys()).filter((row) => data[row] >= least);
  }

  /** Return the condition under which a row is reconstructed. */
  conditionOf(row, fallback) {
    return this.scene.condition?.of_rows?.data[row] ?? fallback;
  }

  /**
   * Measure what a code means: densities, the nearest codes, and whether any sample is there.
   * @param {Float32Array} code
   * @param {any} space
   * @param {any} point  Its coordinates in the space.
   */
  measure(code, space, point) {
    const { neighbor_distance: limits, holes } = this.scene;
    const nearest = nearestCodes(this.codes, code, N_NEAREST);
    const aggregate = this.mixture ? this.mixture.logDensity(code) : null;
    const [limitName, limit] = Object.entries(limits ?? {})[0] ?? [];
    const isFar = space.isMap ? this.isFarInMap(space, point) : limit !== undefined && nearest.distances[0] > limit;
    const isTypical = holes && Math.sqrt(squaredNorm(code)) < (holes.prior_radius ?? Infinity);
    return {
      nearest,
      aggregate,
      prior: this.hasStandardPrior ? logPrior(code) : null,
      isFar,
      limit,
      limitName,
      isHole: Boolean(isTypical && aggregate !== null && aggregate < holes.threshold),
    };
  }

  isFarInMap(space, point) {
    const [x, y] = point;
    space.spacing ??= mapSpacing(space.points);
    const [row] = nearestPoints(space.index, space.points, x, y, 1);
    return row === undefined || Math.hypot(space.points[2 * row] - x, space.points[2 * row + 1] - y) > space.spacing;
  }
}
