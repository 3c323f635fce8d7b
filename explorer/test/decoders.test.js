import assert from "node:assert/strict";
import { test } from "node:test";
import { fromFloat16, resolveArrays, toTypedArray } from "../src/arrays.js";
import { checkDecoder } from "../src/check.js";
import { createDecoder } from "../src/decoders.js";
import { latestOnly } from "../src/dom.js";
import { Model } from "../src/model.js";
import { pathFrames } from "../src/panel/strips.js";
import { smallScene } from "./scene.js";

const grid = { method: "grid", plane: { dims: [0, 1] }, x: [0, 2, 3], y: [0, 1, 2], scale: [0, 255], others: [0, 0] };
const gridScene = (decoder) =>
  smallScene({
    decoder: { ...grid, samples: { data: Uint8Array.of(0, 10, 20, 100, 110, 120), shape: [6, 1] }, ...decoder },
  });

test("A grid is blended bilinearly and says where it ends", async () => {
  const decoder = createDecoder(gridScene());
  const decode = async (x, y) => (await decoder.decode([Float32Array.of(x, y)], 0))[0][0];
  assert.equal(await decode(0, 0), 0);
  assert.equal(await decode(2, 1), 120);
  assert.ok(Math.abs((await decode(0.5, 0.5)) - 55) < 1e-4);
  await assert.rejects(() => decoder.decode([Float32Array.of(3, 0)], 0), /outside/);
});

test("A grid decodes its own plane only", () => {
  const scene = gridScene();
  const model = new Model(scene, null, createDecoder(scene));
  assert.ok(model.canDecode(model.space("z:0,1")) && model.canDecode(model.space("z:1,0")));
  assert.ok(!model.canDecode({ ...model.space("z:0,1"), id: "pca", dims: [] }));
});

test("A grid in one dimension ignores the second", async () => {
  const scene = gridScene({
    plane: { dims: [0, 0] },
    y: [0, 0, 1],
    samples: { data: Uint8Array.of(0, 10, 20), shape: [3, 1] },
  });
  const [sample] = await createDecoder(scene).decode([Float32Array.of(1.5, 7)], 0);
  assert.ok(Math.abs(sample[0] - 15) < 1e-4);
});

test("A grid of values in floating point is blended as it is", async () => {
  const samples = { data: Float32Array.of(0, -1e4, 20, 1e4, 110, 120), shape: [6, 1] };
  const [[value]] = await createDecoder(gridScene({ scale: null, samples })).decode([Float32Array.of(0.5, 0)], 0);
  assert.equal(value, -5e3);
});

test("A difference from Python is judged by the range of its feature", async () => {
  const check = {
    codes: { data: Float32Array.of(1, 2), shape: [1, 2] },
    samples: { data: Float32Array.of(1.0001, 5), shape: [1, 2] },
  };
  const decoder = { decode: async () => [Float32Array.of(1, 2)] };
  const checkWith = (high) => {
    const ranges = { low: { data: Float32Array.of(0, 0) }, high: { data: Float32Array.from(high) } };
    const changes = { value_range: [0, 1], samples: { feature_ranges: ranges }, decoder: { method: "network", check } };
    return checkDecoder(new Model(smallScene(changes), null, decoder));
  };
  assert.ok((await checkWith([1, 1e4])).isExact);
  assert.ok(!(await checkWith([1, 10])).isExact);
  decoder.decode = () => Promise.reject(new Error("Out of memory."));
  const { isExact, sentence } = await checkWith([1, 1e4]);
  assert.ok(!isExact && sentence.includes("Out of memory."));
});

test("A conditional network gets the vector of the chosen condition", async () => {
  const graph = {
    inputs: ["z", "condition"],
    output: "y",
    nodes: [{ op: "cat", inputs: ["z", "condition"], output: "y", dim: 1 }],
    weights: {},
  };
  const condition = { vectors: { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] } };
  const decoder = createDecoder(smallScene({ decoder: { method: "network", graph }, condition }));
  const [sample] = await decoder.decode([Float32Array.of(5, 6)], 1);
  assert.deepEqual([...sample], [5, 6, 0, 1]);
});

test("A network that returns values that are not finite is an error", async () => {
  const graph = { inputs: ["z"], output: "y", nodes: [{ op: "log", inputs: ["z"], output: "y" }], weights: {} };
  const decoder = createDecoder(smallScene({ decoder: { method: "network", graph } }));
  await assert.rejects(() => decoder.decode([Float32Array.of(-1, 1)], 0), /finite/);
});

test("The live decoder gets one batch, without the codes that it decoded before", async () => {
  const batches = [];
  const live = async (codes, n) => {
    batches.push(n);
    return codes.map((value) => 2 * value);
  };
  const decoder = createDecoder(smallScene({ decoder: { method: "live" } }), live);
  const codes = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
  await decoder.decode(codes, 0);
  const samples = await decoder.decode([...codes, Float32Array.of(5, 6)], 0);
  assert.deepEqual(
    samples.map((sample) => [...sample]),
    [
      [2, 4],
      [6, 8],
      [10, 12],
    ],
  );
  assert.deepEqual(batches, [2, 1]);
});

test("Without a decoder there is none", () => assert.equal(createDecoder(smallScene()), null));

test("A path starts and ends at its stops", () => {
  const stops = [
    [0, 0],
    [4, 0],
    [4, 4],
  ].map((code) => Float32Array.from(code));
  const frames = pathFrames(stops);
  assert.deepEqual(
    frames.filter(({ stop }) => stop !== null).map(({ code }) => [...code]),
    [
      [0, 0],
      [4, 0],
      [4, 4],
    ],
  );
  assert.equal(frames.length, 9);
});

test("Half-precision numbers are read", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555);
  const numbers = fromFloat16(halves);
  assert.deepEqual([...numbers.slice(0, 2)], [1, -2]);
  assert.ok(
    Math.abs(numbers[2] - 2 ** -24) < 1e-12 && numbers[3] === Infinity && Math.abs(numbers[4] - 0.33325) < 1e-5,
  );
});

test("Arrays of a scene are read, compressed or not, at any offset", async () => {
  const compressed = new Uint8Array(
    await new Response(
      new Blob([Int32Array.of(7, -1)]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  const bytes = { a: new Uint8Array(Float32Array.of(1.5).buffer), b: compressed };
  const scene = {
    deep: [{ values: { name: "a", dtype: "float32", shape: [1] } }],
    b: { name: "b", dtype: "int32", shape: [2], gzip: true },
    text: "a",
  };
  const resolved = await resolveArrays(scene, (name) => bytes[name]);
  assert.deepEqual([...resolved.deep[0].values.data], [1.5]);
  assert.deepEqual([...resolved.b.data], [7, -1]);
  assert.throws(() => toTypedArray(bytes.a, "complex64"), /complex64/);
});

test("Of many requests the first and the last run, one at a time, and both are shown", async () => {
  const [asked, seen, finish] = [[], [], []];
  const request = latestOnly(
    (value) => {
      asked.push(value);
      return new Promise((resolve) => finish.push(() => resolve(value)));
    },
    (value) => seen.push(value),
    () => seen.push("failed"),
  );
  for (const value of [1, 2, 3]) request(value);
  for (const place of [0, 1]) {
    finish[place]();
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.deepEqual(asked, [1, 3]);
  assert.deepEqual(seen, [1, 3]);
});
