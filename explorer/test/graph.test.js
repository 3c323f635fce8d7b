import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runGraph } from "../src/graph/run.js";

const cases = JSON.parse(readFileSync(new URL("fixtures/operations.json", import.meta.url), "utf8"));
const tensors = (entries) =>
  Object.fromEntries(
    Object.entries(entries).map(([name, { data, shape }]) => [name, { data: Float32Array.from(data), shape }]),
  );

for (const [place, { graph, inputs, output }] of cases.entries()) {
  test(`${graph.nodes[0].op} computes what torch does (case ${place})`, () => {
    const { data, shape } = runGraph({ ...graph, weights: tensors(graph.weights) }, tensors(inputs));
    assert.deepEqual(shape, output.shape);
    data.forEach((value, index) =>
      assert.ok(
        Math.abs(value - output.data[index]) <= 2e-5 * (1 + Math.abs(value)),
        `${index}: ${value} is not ${output.data[index]}`,
      ),
    );
  });
}

test("An unknown operation is named in the error", () => {
  const graph = { inputs: ["z"], output: "y", nodes: [{ op: "fft", inputs: ["z"], output: "y" }], weights: {} };
  assert.throws(() => runGraph(graph, { z: { data: new Float32Array(1), shape: [1, 1] } }), /fft/);
});
