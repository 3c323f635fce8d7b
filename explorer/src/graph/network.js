/** A decoder as a network: its graph, and the vectors of its conditions. */

import { runGraph } from "./run.js";

/**
 * Decode one code.
 * @param {{graph: any, vectors?: import("../arrays.js").NumericArray}} network
 * @param {Float32Array} code
 * @param {number} choice  Index of the condition.
 * @returns {Float32Array}  A flat sample.
 */
export function decodeCode({ graph, vectors }, code, choice) {
  /** @type {Record<string, any>} */
  const inputs = { [graph.inputs[0]]: { data: code, shape: [1, code.length] } };
  if (graph.inputs.length > 1) {
    const [, size] = vectors.shape;
    inputs[graph.inputs[1]] = { data: vectors.data.slice(choice * size, (choice + 1) * size), shape: [1, size] };
  }
  const { data } = runGraph(graph, inputs);
  if (!data.every(Number.isFinite)) throw new Error("It returned values that are not finite for this code.");
  return data;
}
