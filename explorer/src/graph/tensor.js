/** Small helpers for dense arrays in row-major order. */

/** @typedef {{data: Float32Array, shape: number[]}} Tensor */

/**
 * Return the product of sizes.
 * @param {number[]} shape
 */
export function sizeOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Return how many values one step along each axis skips.
 * @param {number[]} shape
 */
export function stridesOf(shape) {
  const strides = new Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/**
 * Return an axis counted from the front.
 * @param {number} axis
 * @param {number[]} shape
 */
export function axisOf(axis, shape) {
  return axis < 0 ? axis + shape.length : axis;
}

/**
 * Return the shape that NumPy's broadcasting gives to two arrays.
 * @param {number[]} first
 * @param {number[]} second
 */
export function broadcastShape(first, second) {
  const shape = [];
  for (let axis = 1; axis <= Math.max(first.length, second.length); axis++) {
    const [a, b] = [first.at(-axis) ?? 1, second.at(-axis) ?? 1];
    if (a !== b && a !== 1 && b !== 1) throw new Error(`Shapes (${first}) and (${second}) do not broadcast.`);
    shape.unshift(a === 1 ? b : a);
  }
  return shape;
}

/**
 * Gather values with one stride per axis of the result; a stride of 0 repeats.
 * @param {Tensor} tensor
 * @param {number[]} shape  Shape of the result.
 * @param {number[]} strides
 * @param {number} [offset]
 * @returns {Tensor}
 */
export function gatherStrided(tensor, shape, strides, offset = 0) {
  const data = new Float32Array(sizeOf(shape));
  const index = new Array(shape.length).fill(0);
  let source = offset;
  for (let place = 0; place < data.length; place++) {
    data[place] = tensor.data[source];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return { data, shape };
}

/**
 * Repeat an array along axes of size 1, as NumPy's broadcast_to does.
 * @param {Tensor} tensor
 * @param {number[]} shape
 * @returns {Tensor}
 */
export function broadcastTo(tensor, shape) {
  if (sizeOf(tensor.shape) === sizeOf(shape)) return { data: tensor.data, shape };
  const own = stridesOf(tensor.shape);
  const missing = shape.length - tensor.shape.length;
  const strides = shape.map((_, axis) =>
    axis < missing || tensor.shape[axis - missing] === 1 ? 0 : own[axis - missing],
  );
  return gatherStrided(tensor, shape, strides);
}
