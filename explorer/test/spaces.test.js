import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestCodes } from "../src/neighbors.js";
import { dimensionPlane, mapSpace, middleOf, nearestPoints, pointIndex, pointLimits } from "../src/spaces.js";
import { isInside, rowsInside } from "../src/scatter/lasso.js";
import { smallModel, smallScene } from "./scene.js";

test("A point of a plane of dimensions replaces two of the other values", () => {
  const space = dimensionPlane(smallScene(), 1, 0);
  assert.deepEqual([...space.points.slice(0, 6)], [0, 0, 0, 1, 1, 0]);
  assert.deepEqual([...space.codeAt(4, 5, Float32Array.of(9, 9))], [5, 4]);
});

test("A single dimension is spread over the height, which changes no code", () => {
  const space = dimensionPlane(smallScene(), 0, 0);
  assert.deepEqual([...space.codeAt(4, 0.3, Float32Array.of(9, 8))], [4, 8]);
});

test("A map with a basis is decoded exactly", () => {
  const map = {
    id: "pca",
    label: "PCA",
    points: { data: new Float32Array(12) },
    center: { data: Float32Array.of(1, 2) },
    basis: { data: Float32Array.of(0, 1, 1, 0) },
  };
  assert.deepEqual([...mapSpace(smallScene(), map).codeAt(3, 4)], [5, 5]);
});

test("A map without a basis is decoded as the nearest codes, and exactly so at a sample", () => {
  const points = { data: Float32Array.of(0, 0, 10, 0, 0, 10, 10, 10, NaN, NaN, 50, 50) };
  const space = mapSpace(smallScene(), { id: "tsne", label: "t-SNE", points, basis: null });
  space.codeAt(10, 10).forEach((value) => assert.ok(Math.abs(value - 1) < 1e-4));
  assert.ok(space.isMap && space.frame() === null);
});

test("Points that are not finite are never found", () => {
  const points = Float32Array.of(NaN, NaN, 1, 1);
  assert.deepEqual(nearestPoints(pointIndex(points), points, 0, 0, 1), [1]);
  assert.deepEqual(pointLimits(points), [1, 1, 1, 1]);
  assert.deepEqual(middleOf(Float32Array.of(NaN, NaN, 3, 4, NaN, NaN)), [3, 4]);
});

test("Nearest codes are sorted by distance", () => {
  const { codes } = smallModel();
  const { rows, distances } = nearestCodes(codes, Float32Array.of(0.1, 0), 3);
  assert.deepEqual(rows, [0, 1, 2]);
  assert.ok(Math.abs(distances[1] - 0.9) < 1e-6);
  assert.equal(nearestCodes(codes, Float32Array.of(0, 0), 99).rows.length, 6);
});

test("A lasso takes the points inside a concave outline", () => {
  const outline = [
    [0, 0],
    [4, 0],
    [4, 4],
    [2, 1],
    [0, 4],
  ];
  assert.ok(isInside(1, 1, outline) && !isInside(2, 3, outline));
  const points = Float32Array.of(2, 3, 1, 1, 3, 1, 9, 9);
  assert.deepEqual(rowsInside(pointIndex(points), points, outline), [1, 2]);
});

test("A model measures holes, empty places and densities", () => {
  const model = smallModel();
  const space = model.space("z:0,1");
  const measure = (x, y) => model.measure(Float32Array.of(x, y), space, [x, y]);
  assert.deepEqual([measure(0.5, 0.5).isHole, measure(0.5, 0.5).isFar], [false, false]);
  assert.deepEqual([measure(0, -2.5).isHole, measure(0, -2.5).isFar], [true, true]);
  assert.equal(measure(20, 20).isHole, false); // the prior has no mass there
});
