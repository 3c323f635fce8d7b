import assert from "node:assert/strict";
import { test } from "node:test";
import { AggregatePosterior, logPrior } from "../src/density.js";

const close = (value, expected, tolerance = 1e-5) =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`);

test("The prior of the origin is -D/2 ln 2π", () => close(logPrior(new Float32Array(4)), -2 * Math.log(2 * Math.PI)));

test("One posterior at the origin with variance 1 is the prior", () => {
  const mixture = new AggregatePosterior(new Float32Array(3), new Float32Array(3), 3, null);
  const code = Float32Array.of(0.5, -1, 2);
  close(mixture.logDensity(code), logPrior(code));
});

test("A mixture of two posteriors has the mean of their densities, in a plane as at a code", () => {
  const [codes, logVar] = [Float32Array.of(0, 0, 2, 1), Float32Array.of(0, 0, -1, 0.5)];
  const mixture = new AggregatePosterior(codes, logVar, 2, null);
  const normal = (x, mean, logVariance) =>
    -0.5 * (Math.log(2 * Math.PI) + logVariance + (x - mean) ** 2 / Math.exp(logVariance));
  const [x, y] = [0.7, -0.4];
  const terms = [normal(x, 0, 0) + normal(y, 0, 0), normal(x, 2, -1) + normal(y, 1, 0.5)];
  const expected = Math.log((Math.exp(terms[0]) + Math.exp(terms[1])) / 2);
  close(mixture.logDensity(Float32Array.of(x, y)), expected);
  const plane = mixture.onPlane({
    center: Float32Array.of(1, 1),
    u: Float32Array.of(0.6, 0.8),
    v: Float32Array.of(-0.8, 0.6),
  });
  const [a, b] = [0.6 * (x - 1) + 0.8 * (y - 1), -0.8 * (x - 1) + 0.6 * (y - 1)];
  close(plane(a, b), expected);
});

test("Rows choose the posteriors of the mixture", () => {
  const [codes, logVar] = [Float32Array.of(0, 100), new Float32Array(2)];
  const mixture = new AggregatePosterior(codes, logVar, 1, Int32Array.of(1));
  close(mixture.logDensity(Float32Array.of(100)), -0.5 * Math.log(2 * Math.PI));
});
