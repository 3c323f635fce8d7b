/** Decoders of a scene: a network that runs here, a precomputed grid, the live model in Python, or none. */

import { decodeInBackground } from "./graph/background.js";
import { sizeOf } from "./graph/tensor.js";

const MAX_CACHED = 64; // decoded samples kept, enough for the strips around one cursor

/**
 * @typedef {object} Decoder
 * @property {string} method
 * @property {string} note
 * @property {boolean} isFree  Decodes any code; otherwise only the plane of the grid.
 * @property {(codes: Float32Array[], condition: number) => Promise<Float32Array[]>} decode  One flat sample per code.
 * @property {(code: Float32Array) => Float32Array} nearestDecodable  The code that is decoded in place of another.
 * @property {() => void} [close]  Ends its worker.
 */

/**
 * Return the decoder of a scene, or null without one.
 * @param {any} scene
 * @param {((codes: Float32Array, n: number, condition: number) => Promise<Float32Array>) | undefined} live
 * @returns {Decoder | null}
 */
export function createDecoder(scene, live) {
  const { decoder, condition } = scene;
  if (!decoder || decoder.method === "none") return null;
  const shared = { method: decoder.method, note: decoder.note ?? "", isFree: true, nearestDecodable: (code) => code };
  if (decoder.method === "live") {
    if (!live) return null;
    return { ...shared, decode: cached((codes, choice) => decodeBatch(live, codes, choice)) };
  }
  if (decoder.method === "network") {
    const network = decodeInBackground({ graph: decoder.graph, vectors: condition?.vectors });
    const decode = cached(async (codes, choice) => {
      const samples = [];
      for (const code of codes) samples.push(await network.decode(code, choice)); // so that callers take turns
      return samples;
    });
    return { ...shared, decode, close: network.close };
  }
  const grid = createGrid(scene);
  return { ...shared, ...grid, isFree: false };
}

/** Decode a list of codes as one batch and split the result. */
async function decodeBatch(run, codes, condition) {
  if (!codes.length) return [];
  const nDims = codes[0].length;
  const batch = new Float32Array(codes.length * nDims);
  codes.forEach((code, row) => batch.set(code, row * nDims));
  const samples = await run(batch, codes.length, condition);
  const size = samples.length / codes.length;
  return codes.map((_, row) => samples.slice(row * size, (row + 1) * size));
}

/** Remember the latest results, since strips ask for the same codes again when a slider moves. */
function cached(decode) {
  const known = new Map();
  return async (codes, condition) => {
    const keys = codes.map((code) => `${condition}:${code.join()}`);
    const missing = keys.flatMap((key, place) => (known.has(key) ? [] : [place]));
    const fresh = await decode(
      missing.map((place) => codes[place]),
      condition,
    );
    const found = keys.map((key) => known.get(key));
    missing.forEach((place, order) => {
      found[place] = fresh[order];
      known.set(keys[place], fresh[order]);
    });
    for (const key of known.keys()) {
      if (known.size <= MAX_CACHED) break;
      known.delete(key);
    }
    return found;
  };
}

/** Return a decoder that blends the samples of a precomputed grid bilinearly. */
function createGrid(scene) {
  const {
    plane,
    x: [left, right, nX],
    y: [bottom, top, nY],
    samples,
    scale,
    others,
  } = scene.decoder;
  const size = sizeOf(samples.shape.slice(1));
  const [zero, unit] = scale ? [scale[0], (scale[1] - scale[0]) / 255] : [0, 1]; // of bytes; other values are as they are
  const nearestDecodable = (code) => {
    const inPlane = Float32Array.from(others);
    plane.dims.forEach((dim) => (inPlane[dim] = code[dim]));
    return inPlane;
  };
  const blend = (code, condition) => {
    const [x, y] = plane.dims.map((dim) => code[dim]);
    const column = nX > 1 ? ((x - left) / (right - left)) * (nX - 1) : 0;
    const row = nY > 1 ? ((y - bottom) / (top - bottom)) * (nY - 1) : 0;
    if (column < -1e-6 || column > nX - 1 + 1e-6 || row < -1e-6 || row > nY - 1 + 1e-6) {
      throw new Error("This point is outside the precomputed grid.");
    }
    const [x0, y0] = [
      Math.max(0, Math.min(Math.floor(column), nX - 2)),
      Math.max(0, Math.min(Math.floor(row), nY - 2)),
    ];
    const [shareX, shareY] = [column - x0, row - y0];
    const corners = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ].map(([dx, dy]) => ({
      start: ((condition * nY + Math.min(y0 + dy, nY - 1)) * nX + Math.min(x0 + dx, nX - 1)) * size,
      weight: (dx ? shareX : 1 - shareX) * (dy ? shareY : 1 - shareY),
    }));
    const sample = new Float32Array(size).fill(zero);
    for (const { start, weight } of corners) {
      for (let place = 0; place < size; place++) sample[place] += weight * unit * samples.data[start + place];
    }
    return sample;
  };
  return { nearestDecodable, decode: async (codes, condition) => codes.map((code) => blend(code, condition)) };
}
