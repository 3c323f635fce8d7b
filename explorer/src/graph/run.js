/** Runs the graph of a decoder network. */

import { elementwise } from "./elementwise.js";
import { layers } from "./layers.js";
import { shaping } from "./shaping.js";

/** @typedef {import("./tensor.js").Tensor} Tensor */

const OPERATIONS = { ...elementwise, ...shaping, ...layers };

/**
 * Run a graph and return its output.
 * @param {{inputs: string[], output: string, nodes: any[], weights: Record<string, Tensor>}} graph
 * @param {Record<string, Tensor>} inputs
 * @returns {Tensor}
 */
export function runGraph(graph, inputs) {
  const values = new Map(Object.entries(inputs));
  for (const node of graph.nodes) {
    const operation = OPERATIONS[node.op];
    if (!operation) throw new Error(`The network has an operation that this page does not know: ${node.op}.`);
    const operands = node.inputs.map((name) => values.get(name) ?? graph.weights[name]);
    values.set(node.output, operation(node, operands, graph.weights));
  }
  return values.get(graph.output);
}
