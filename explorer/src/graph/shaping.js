/** Operations that move values, and those that summarize axes. */

import { axisOf, broadcastTo, gatherStrided, sizeOf, stridesOf } from "./tensor.js";

function reshape({ shape }, [input]) {
  return { data: input.data, shape: inferSize(shape, input) };
}

function inferSize(shape, input) {
  const known = shape.filter((size) => size !== -1);
  return shape.map((size) => (size === -1 ? sizeOf(input.shape) / sizeOf(known) : size));
}

function flatten({ start_dim: start = 1, end_dim: end = -1 }, [input]) {
  const last = axisOf(end, input.shape);
  const middle = sizeOf(input.shape.slice(start, last + 1));
  return { data: input.data, shape: [...input.shape.slice(0, start), middle, ...input.shape.slice(last + 1)] };
}

function unsqueeze({ dim }, [input]) {
  const shape = [...input.shape];
  shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
  return { data: input.data, shape };
}

function squeeze({ dim }, [input]) {
  const axes = [dim].flat().map((axis) => axisOf(axis, input.shape));
  return { data: input.data, shape: input.shape.filter((size, axis) => !axes.includes(axis) || size !== 1) };
}

function permute({ dims }, [input]) {
  const axes = dims.map((axis) => axisOf(axis, input.shape));
  const strides = stridesOf(input.shape);
  return gatherStrided(
    input,
    axes.map((axis) => input.shape[axis]),
    axes.map((axis) => strides[axis]),
  );
}

function slice({ dim, start = 0, end = Infinity, step = 1 }, [input]) {
  const axis = axisOf(dim, input.shape);
  const size = input.shape[axis];
  const bound = (place) => Math.min(Math.max(place < 0 ? place + size : place, 0), size);
  const [first, last] = [bound(start ?? 0), bound(end ?? Infinity)];
  const strides = stridesOf(input.shape);
  const shape = input.shape.with(axis, Math.max(0, Math.ceil((last - first) / step)));
  return gatherStrided(input, shape, strides.with(axis, strides[axis] * step), first * strides[axis]);
}

function cat({ dim }, inputs) {
  const axis = axisOf(dim, inputs[0].shape);
  const shape = inputs[0].shape.with(
    axis,
    inputs.reduce((sum, input) => sum + input.shape[axis], 0),
  );
  const data = new Float32Array(sizeOf(shape));
  const blocks = inputs.map((input) => sizeOf(input.shape.slice(axis)));
  const row = blocks.reduce((sum, block) => sum + block, 0);
  let offset = 0;
  inputs.forEach((input, place) => {
    const block = blocks[place];
    for (let outer = 0; outer * block < input.data.length; outer++) {
      data.set(input.data.subarray(outer * block, (outer + 1) * block), outer * row + offset);
    }
    offset += block;
  });
  return { data, shape };
}

function expand({ shape }, [input]) {
  const missing = shape.length - input.shape.length;
  return broadcastTo(
    input,
    shape.map((size, axis) => (size === -1 ? input.shape[axis - missing] : size)),
  );
}

function pad({ pads, value = 0 }, [input]) {
  const before = input.shape.map(() => 0);
  const shape = [...input.shape];
  for (let pair = 0; 2 * pair < pads.length; pair++) {
    const axis = shape.length - 1 - pair;
    before[axis] = pads[2 * pair];
    shape[axis] += pads[2 * pair] + pads[2 * pair + 1];
  }
  const data = new Float32Array(sizeOf(shape)).fill(value);
  const strides = stridesOf(shape);
  const own = stridesOf(input.shape);
  input.data.forEach((number, place) => {
    let target = 0;
    let inside = true;
    own.forEach((stride, axis) => {
      const index = (Math.floor(place / stride) % input.shape[axis]) + before[axis];
      inside &&= index >= 0 && index < shape[axis]; // negative padding crops
      target += index * strides[axis];
    });
    if (inside) data[target] = number;
  });
  return { data, shape };
}

/** Return an operation that reduces the values along some axes. */
function reduction(finish) {
  return ({ dim, keepdim = false }, [input]) => {
    const axes = [dim ?? input.shape.map((_, axis) => axis)].flat().map((axis) => axisOf(axis, input.shape));
    const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const strides = stridesOf(kept);
    const own = stridesOf(input.shape);
    const sums = new Float64Array(sizeOf(kept));
    input.data.forEach((value, place) => {
      let target = 0;
      own.forEach((stride, axis) => {
        if (!axes.includes(axis)) target += (Math.floor(place / stride) % input.shape[axis]) * strides[axis];
      });
      sums[target] += value;
    });
    const count = sizeOf(axes.map((axis) => input.shape[axis]));
    const shape = keepdim ? kept : input.shape.filter((_, axis) => !axes.includes(axis));
    return { data: Float32Array.from(sums, (sum) => finish(sum, count)), shape };
  };
}

/** Return softmax or its logarithm along one axis. */
function softmax(isLog) {
  return ({ dim }, [input]) => {
    const axis = axisOf(dim, input.shape);
    const size = input.shape[axis];
    const stride = stridesOf(input.shape)[axis];
    const data = new Float32Array(input.data.length);
    for (let start = 0; start < data.length; start++) {
      if (Math.floor(start / stride) % size) continue;
      let [largest, sum] = [-Infinity, 0];
      for (let place = 0; place < size; place++) largest = Math.max(largest, input.data[start + place * stride]);
      for (let place = 0; place < size; place++) sum += Math.exp(input.data[start + place * stride] - largest);
      for (let place = 0; place < size; place++) {
        const difference = input.data[start + place * stride] - largest;
        data[start + place * stride] = isLog ? difference - Math.log(sum) : Math.exp(difference) / sum;
      }
    }
    return { data, shape: input.shape };
  };
}

function pixelShuffle({ upscale_factor: factor }, [input]) {
  const [batch, channels, height, width] = input.shape;
  const kept = channels / factor ** 2;
  const split = { data: input.data, shape: [batch, kept, factor, factor, height, width] };
  const moved = permute({ dims: [0, 1, 4, 2, 5, 3] }, [split]);
  return { data: moved.data, shape: [batch, kept, height * factor, width * factor] };
}

export const shaping = {
  reshape,
  flatten,
  unsqueeze,
  squeeze,
  permute,
  slice,
  cat,
  expand,
  pad,
  sum: reduction((sum) => sum),
  mean: reduction((sum, count) => sum / count),
  softmax: softmax(false),
  log_softmax: softmax(true),
  pixel_shuffle: pixelShuffle,
};
