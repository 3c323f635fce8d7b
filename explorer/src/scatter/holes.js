/** Outlines of holes: where the prior has mass and the aggregate posterior has almost none. */

import { contours } from "d3-contour";
import { squaredNorm } from "../density.js";

const N_COLUMNS = 72; // of the grid on which holes are computed
const SLICE_MILLISECONDS = 12; // of computation between frames
const MAX_DEPTH = 4; // nats; deeper values only blur the outline between cells

/**
 * Compute the outlines of holes in a plane, between frames.
 * @param {import("../model.js").Model} model
 * @param {{center: Float32Array, u: Float32Array, v: Float32Array}} frame
 * @param {number[]} limits  Left, right, bottom and top.
 * @param {() => boolean} isOutdated  Stops the computation.
 * @returns {Promise<number[][][][] | null>}  Polygons in the coordinates of the plane; null if outdated.
 */
export async function findHoles(model, frame, [left, right, bottom, top], isOutdated) {
  const { threshold, prior_radius: radius = Infinity } = model.scene.holes;
  const nRows = Math.max(8, Math.min(200, Math.round((N_COLUMNS * (top - bottom)) / (right - left))));
  const pointOf = (column, row) => [
    left + ((right - left) * column) / N_COLUMNS,
    bottom + ((top - bottom) * row) / nRows,
  ];
  const logDensity = model.mixture.onPlane(frame);
  const depths = new Float64Array((N_COLUMNS + 1) * (nRows + 1));
  let started = performance.now();
  for (let row = 0; row <= nRows; row++) {
    for (let column = 0; column <= N_COLUMNS; column++) {
      const [x, y] = pointOf(column, row);
      const norm = Math.sqrt(
        squaredNorm(frame.center.map((value, dim) => value + x * frame.u[dim] + y * frame.v[dim])),
      );
      const outside = radius - norm;
      const empty = outside > -1 ? threshold - logDensity(x, y) : -1;
      depths[row * (N_COLUMNS + 1) + column] = Math.max(-MAX_DEPTH, Math.min(empty, outside * MAX_DEPTH, MAX_DEPTH));
    }
    if (performance.now() - started > SLICE_MILLISECONDS) {
      await new Promise((resolve) => setTimeout(resolve));
      if (isOutdated()) return null;
      started = performance.now();
    }
  }
  const [{ coordinates }] = contours()
    .size([N_COLUMNS + 1, nRows + 1])
    .thresholds([0])(/** @type {any} */ (depths));
  return coordinates.map((polygon) => polygon.map((ring) => ring.map(([x, y]) => pointOf(x - 0.5, y - 0.5))));
}
