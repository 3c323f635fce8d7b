/** Operations on each value. */

import { broadcastShape, broadcastTo } from "./tensor.js";

/** @typedef {import("./tensor.js").Tensor} Tensor */

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x, beta = 1, threshold = 20) => (beta * x > threshold ? x : Math.log1p(Math.exp(beta * x)) / beta);
const clamp = (x, low, high) => Math.min(Math.max(x, low ?? -Infinity), high ?? Infinity);

/**
 * Return the error function, exact to 1e-7 (series near 0, continued fraction elsewhere).
 * @param {number} x
 */
export function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 40; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

const gelu = {
  none: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/**
 * Functions of one value, from the attributes of their node.
 * @type {Record<string, (node: any) => (x: number) => number>}
 */
const UNARY = {
  identity: () => (x) => x,
  relu: () => (x) => (x > 0 ? x : 0),
  relu6: () => (x) => clamp(x, 0, 6),
  leaky_relu:
    ({ negative_slope: slope = 0.01 }) =>
    (x) =>
      x > 0 ? x : slope * x,
  elu:
    ({ alpha = 1 }) =>
    (x) =>
      x > 0 ? x : alpha * Math.expm1(x),
  celu:
    ({ alpha = 1 }) =>
    (x) =>
      x > 0 ? x : alpha * Math.expm1(x / alpha),
  selu: () => (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  gelu: ({ approximate = "none" }) => gelu[approximate],
  silu: () => (x) => x * sigmoid(x),
  mish: () => (x) => x * Math.tanh(softplus(x)),
  hardswish: () => (x) => (x * clamp(x + 3, 0, 6)) / 6,
  hardsigmoid: () => (x) => clamp(x + 3, 0, 6) / 6,
  hardtanh:
    ({ min = -1, max = 1 }) =>
    (x) =>
      clamp(x, min, max),
  clamp:
    ({ min, max }) =>
    (x) =>
      clamp(x, min, max),
  sigmoid: () => sigmoid,
  tanh: () => Math.tanh,
  softplus:
    ({ beta = 1, threshold = 20 }) =>
    (x) =>
      softplus(x, beta, threshold),
  exp: () => Math.exp,
  log: () => Math.log,
  neg: () => (x) => -x,
  abs: () => Math.abs,
  sqrt: () => Math.sqrt,
  sin: () => Math.sin,
  cos: () => Math.cos,
};

const BINARY = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: Math.max,
  minimum: Math.min,
  equal: (a, b) => Number(a === b),
};

function applyBinary(combine, node, inputs) {
  const { value, reverse = false } = node;
  if (inputs.length === 1) {
    const data = reverse ? inputs[0].data.map((x) => combine(value, x)) : inputs[0].data.map((x) => combine(x, value));
    return { data, shape: inputs[0].shape };
  }
  const shape = broadcastShape(inputs[0].shape, inputs[1].shape);
  const [first, second] = inputs.map((input) => broadcastTo(input, shape).data);
  return { data: first.map((x, place) => combine(x, second[place])), shape };
}

const unary = Object.entries(UNARY).map(([name, create]) => [
  name,
  (node, [{ data, shape }]) => {
    const apply = create(node);
    const result = new Float32Array(data.length);
    for (let place = 0; place < data.length; place++) result[place] = apply(data[place]);
    return { data: result, shape };
  },
]);
const binary = Object.entries(BINARY).map(([name, combine]) => [
  name,
  (node, inputs) => applyBinary(combine, node, inputs),
]);

/** @type {Record<string, (node: any, inputs: Tensor[]) => Tensor>} */
export const elementwise = Object.fromEntries([...unary, ...binary]);
