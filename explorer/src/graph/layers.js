/** Layers with weights, pooling and up-sampling. Images are (batch, channel, height, width), as in torch. */

import { sizeOf } from "./tensor.js";

/** @typedef {import("./tensor.js").Tensor} Tensor */

const first = (value, fallback) => (value === undefined || value === null ? fallback : value);

/** Return two numbers, for height and width, from one, or from a list of one or two. */
function pairOf(value, fallback, isSignal) {
  const list = [first(value, fallback)].flat();
  if (isSignal) return [fallback, list[0]];
  return list.length === 1 ? [list[0], list[0]] : list;
}

function linear({ weight, bias }, [input], weights) {
  const {
    data: matrix,
    shape: [nOut, nIn],
  } = weights[weight];
  const offset = bias ? weights[bias].data : null;
  const nRows = input.data.length / nIn;
  const data = new Float32Array(nRows * nOut);
  for (let row = 0; row < nRows; row++) {
    for (let out = 0; out < nOut; out++) {
      let sum = offset ? offset[out] : 0;
      for (let place = 0, w = out * nIn, x = row * nIn; place < nIn; place++)
        sum += matrix[w + place] * input.data[x + place];
      data[row * nOut + out] = sum;
    }
  }
  return { data, shape: [...input.shape.slice(0, -1), nOut] };
}

/**
 * Describe which places of two grids a kernel connects: those of the coarse grid (the outputs of a convolution, the
 * inputs of a transposed one) and those of the fine grid.
 */
function connections(node, shape, kernelShape, isTransposed, isSignal) {
  const [height, width] = isSignal ? [1, shape[2]] : shape.slice(2);
  const kernel = isSignal ? [1, kernelShape[2]] : kernelShape.slice(2);
  const stride = pairOf(node.stride, 1, isSignal);
  const padding = pairOf(node.padding, 0, isSignal);
  const dilation = pairOf(node.dilation, 1, isSignal);
  const extra = pairOf(node.output_padding, 0, isSignal);
  const outputs = [height, width].map((size, axis) => {
    const reach = dilation[axis] * (kernel[axis] - 1);
    return isTransposed
      ? (size - 1) * stride[axis] - 2 * padding[axis] + reach + extra[axis] + 1
      : Math.floor((size + 2 * padding[axis] - reach - 1) / stride[axis]) + 1;
  });
  const [coarse, fine] = isTransposed ? [[height, width], outputs] : [outputs, [height, width]];
  return { kernel, stride, padding, dilation, coarse, fine, outputs, nTaps: kernel[0] * kernel[1] };
}

/**
 * Visit the connected places row by row: the kernel's tap, where a row of the coarse and of the fine grid starts, and
 * how many places follow; those of the fine grid are `stride` apart.
 */
function forEachRow({ kernel, stride, padding, dilation, coarse, fine }, visit) {
  const range = (axis, shift) => [
    Math.max(0, Math.ceil(-shift / stride[axis])),
    Math.min(coarse[axis], Math.floor((fine[axis] - 1 - shift) / stride[axis]) + 1),
  ];
  for (let ky = 0; ky < kernel[0]; ky++) {
    const shiftY = ky * dilation[0] - padding[0];
    const [firstY, endY] = range(0, shiftY);
    for (let kx = 0; kx < kernel[1]; kx++) {
      const shiftX = kx * dilation[1] - padding[1];
      const [firstX, endX] = range(1, shiftX);
      for (let y = firstY; y < endY; y++) {
        const fineStart = (y * stride[0] + shiftY) * fine[1] + firstX * stride[1] + shiftX;
        visit(ky * kernel[1] + kx, y * coarse[1] + firstX, fineStart, endX - firstX);
      }
    }
  }
}

const outputOf = (data, batch, nOut, outputs, isSignal) => ({
  data,
  shape: isSignal ? [batch, nOut, outputs[1]] : [batch, nOut, ...outputs],
});

/** Convolve: gather the patches of the input, then multiply the kernels with them as matrices. */
function convolution(isSignal) {
  return (node, [input], weights) => {
    const { data: kernels, shape: kernelShape } = weights[node.weight];
    const geometry = connections(node, input.shape, kernelShape, false, isSignal);
    const { nTaps, outputs, stride } = geometry;
    const [batch, nIn] = input.shape;
    const [nOut, inGroup] = kernelShape;
    const [area, inArea] = [sizeOf(outputs), sizeOf(geometry.fine)];
    const outGroup = nOut / (node.groups ?? 1);
    const data = new Float32Array(batch * nOut * area);
    if (node.bias) fillChannels(data, weights[node.bias].data, area);
    const patches = new Float32Array(nIn * nTaps * area);
    for (let item = 0; item < batch; item++) {
      forEachRow(geometry, (tap, coarse, fine, count) => {
        for (let channel = 0; channel < nIn; channel++) {
          const [target, source] = [(channel * nTaps + tap) * area + coarse, (item * nIn + channel) * inArea + fine];
          for (let x = 0; x < count; x++) patches[target + x] = input.data[source + x * stride[1]];
        }
      });
      for (let out = 0; out < nOut; out++) {
        const target = (item * nOut + out) * area;
        const firstPatch = Math.floor(out / outGroup) * inGroup * nTaps * area;
        const kernel = out * inGroup * nTaps;
        addWeighted(data, target, area, patches, firstPatch, inGroup * nTaps, (place) => kernels[kernel + place]);
      }
    }
    return outputOf(data, batch, nOut, outputs, isSignal);
  };
}

/** Convolve transposed: multiply the input with the kernels as matrices, then add up the overlapping patches. */
function transposedConvolution(isSignal) {
  return (node, [input], weights) => {
    const { data: kernels, shape: kernelShape } = weights[node.weight];
    const geometry = connections(node, input.shape, kernelShape, true, isSignal);
    const { nTaps, outputs, stride } = geometry;
    const [batch, nIn] = input.shape;
    const groups = node.groups ?? 1;
    const [inGroup, outGroup] = [nIn / groups, kernelShape[1]];
    const [area, inArea, patch] = [sizeOf(outputs), sizeOf(geometry.coarse), outGroup * nTaps];
    const data = new Float32Array(batch * groups * outGroup * area);
    if (node.bias) fillChannels(data, weights[node.bias].data, area);
    const patches = new Float32Array(inArea * patch);
    for (let item = 0; item < batch; item++) {
      for (let group = 0; group < groups; group++) {
        patches.fill(0);
        const source = (item * nIn + group * inGroup) * inArea;
        for (let place = 0; place < inArea; place++) {
          const valueOf = (channel) => input.data[source + channel * inArea + place];
          addWeighted(patches, place * patch, patch, kernels, group * inGroup * patch, inGroup, valueOf);
        }
        const target = (item * groups + group) * outGroup * area;
        forEachRow(geometry, (tap, coarse, fine, count) => {
          for (let out = 0; out < outGroup; out++) {
            const start = target + out * area + fine;
            for (let x = 0; x < count; x++)
              data[start + x * stride[1]] += patches[(coarse + x) * patch + out * nTaps + tap];
          }
        });
      }
    }
    return outputOf(data, batch, groups * outGroup, outputs, isSignal);
  };
}

/**
 * Add to consecutive values the weighted sum of `nTerms` blocks that follow one another; four at a time, since each
 * value is then read and written once for four terms.
 */
function addWeighted(target, start, count, blocks, firstBlock, nTerms, scaleOf) {
  let term = 0;
  for (; term + 4 <= nTerms; term += 4) {
    const [a, b, c, d] = [scaleOf(term), scaleOf(term + 1), scaleOf(term + 2), scaleOf(term + 3)];
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    const [from1, from2, from3, from4] = [0, 1, 2, 3].map((step) => firstBlock + (term + step) * count);
    for (let place = 0; place < count; place++) {
      target[start + place] +=
        a * blocks[from1 + place] + b * blocks[from2 + place] + c * blocks[from3 + place] + d * blocks[from4 + place];
    }
  }
  for (; term < nTerms; term++) {
    const [scale, from] = [scaleOf(term), firstBlock + term * count];
    for (let place = 0; place < count; place++) target[start + place] += scale * blocks[from + place];
  }
}

function fillChannels(data, values, area) {
  for (let plane = 0; plane * area < data.length; plane++) {
    data.fill(values[plane % values.length], plane * area, (plane + 1) * area);
  }
}

/** Return a copy in which channel c is scale(c) x + shift(c). */
function scaleChannels(input, affine) {
  const channels = input.shape[1];
  const area = sizeOf(input.shape.slice(2));
  const data = new Float32Array(input.data.length);
  for (let channel = 0; channel < channels; channel++) {
    const [scale, shift] = affine(channel);
    for (let item = 0; item < input.shape[0]; item++) {
      const start = (item * channels + channel) * area;
      for (let place = start; place < start + area; place++) data[place] = scale * input.data[place] + shift;
    }
  }
  return { data, shape: input.shape };
}

function batchNorm({ weight, bias, running_mean: mean, running_var: variance, eps = 1e-5 }, [input], weights) {
  return scaleChannels(input, (channel) => {
    const scale = (weight ? weights[weight].data[channel] : 1) / Math.sqrt(weights[variance].data[channel] + eps);
    return [scale, (bias ? weights[bias].data[channel] : 0) - scale * weights[mean].data[channel]];
  });
}

/** Standardize blocks of consecutive values to mean 0 and variance 1. */
function standardizeBlocks(data, size, eps) {
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += size) {
    let [sum, squares] = [0, 0];
    for (let place = start; place < start + size; place++) sum += data[place];
    const mean = sum / size;
    for (let place = start; place < start + size; place++) squares += (data[place] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / size + eps);
    for (let place = start; place < start + size; place++) result[place] = scale * (data[place] - mean);
  }
  return result;
}

function groupNorm({ num_groups: groups, weight, bias, eps = 1e-5 }, [input], weights) {
  const data = standardizeBlocks(input.data, sizeOf(input.shape.slice(1)) / groups, eps);
  return scaleChannels({ data, shape: input.shape }, (channel) => [
    weight ? weights[weight].data[channel] : 1,
    bias ? weights[bias].data[channel] : 0,
  ]);
}

function layerNorm({ normalized_shape: shape, weight, bias, eps = 1e-5 }, [input], weights) {
  const size = sizeOf(shape);
  const data = standardizeBlocks(input.data, size, eps);
  const [scale, shift] = [weight && weights[weight].data, bias && weights[bias].data];
  for (let place = 0; place < data.length; place++) {
    data[place] = data[place] * (scale ? scale[place % size] : 1) + (shift ? shift[place % size] : 0);
  }
  return { data, shape: input.shape };
}

/** Apply a function to each plane of an image, or to each signal as a plane of height 1. */
function mapPlanes(input, [outHeight, outWidth], fill) {
  const [height, width] = input.shape.length === 3 ? [1, input.shape[2]] : input.shape.slice(2);
  const planes = input.data.length / (height * width);
  const data = new Float32Array(planes * outHeight * outWidth);
  for (let plane = 0; plane < planes; plane++) {
    const source = input.data.subarray(plane * height * width, (plane + 1) * height * width);
    fill(source, height, width, data.subarray(plane * outHeight * outWidth, (plane + 1) * outHeight * outWidth));
  }
  const spatial = input.shape.length === 3 ? [outWidth] : [outHeight, outWidth];
  return { data, shape: [...input.shape.slice(0, 2), ...spatial] };
}

const outputSize = (size, input) => (input.shape.length === 3 ? [1, [size].flat()[0]] : size);

function upsampleNearest({ size }, [input]) {
  const [outHeight, outWidth] = outputSize(size, input);
  return mapPlanes(input, [outHeight, outWidth], (source, height, width, target) => {
    for (let y = 0; y < outHeight; y++) {
      const row = Math.floor((y * height) / outHeight) * width;
      for (let x = 0; x < outWidth; x++) target[y * outWidth + x] = source[row + Math.floor((x * width) / outWidth)];
    }
  });
}

/** Return for each output the two inputs between which it is, and its share of the second. */
function blends(nOut, nIn, alignCorners) {
  return Array.from({ length: nOut }, (_, place) => {
    const position = alignCorners
      ? (place * (nIn - 1)) / Math.max(nOut - 1, 1)
      : Math.max(((place + 0.5) * nIn) / nOut - 0.5, 0);
    const start = Math.min(Math.floor(position), nIn - 1);
    return [start, Math.min(start + 1, nIn - 1), position - start];
  });
}

function upsampleBilinear({ size, align_corners: alignCorners = false }, [input]) {
  const [outHeight, outWidth] = outputSize(size, input);
  return mapPlanes(input, [outHeight, outWidth], (source, height, width, target) => {
    const columns = blends(outWidth, width, alignCorners);
    blends(outHeight, height, alignCorners).forEach(([top, bottom, below], y) => {
      columns.forEach(([left, right, share], x) => {
        const above = (1 - share) * source[top * width + left] + share * source[top * width + right];
        const under = (1 - share) * source[bottom * width + left] + share * source[bottom * width + right];
        target[y * outWidth + x] = (1 - below) * above + below * under;
      });
    });
  });
}

/** Pool windows by their largest value or their mean; the padding counts as zeros in means, as in torch. */
function pooling(isMax) {
  return (node, [input]) => {
    const isSignal = input.shape.length === 3;
    const window = pairOf(node.kernel_size, 1, isSignal);
    const stride =
      node.stride?.length === 0 ? window : pairOf(node.stride ?? window.slice(isSignal ? 1 : 0), 1, isSignal);
    const padding = pairOf(node.padding, 0, isSignal);
    const sizes = isSignal ? [1, input.shape[2]] : input.shape.slice(2);
    const out = sizes.map((size, axis) => Math.floor((size + 2 * padding[axis] - window[axis]) / stride[axis]) + 1);
    return mapPlanes(input, out, (source, height, width, target) => {
      for (let y = 0; y < out[0]; y++) {
        for (let x = 0; x < out[1]; x++) {
          let [largest, sum] = [-Infinity, 0];
          for (let ky = 0; ky < window[0]; ky++) {
            for (let kx = 0; kx < window[1]; kx++) {
              const [row, column] = [y * stride[0] - padding[0] + ky, x * stride[1] - padding[1] + kx];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const value = source[row * width + column];
              largest = Math.max(largest, value);
              sum += value;
            }
          }
          target[y * out[1] + x] = isMax ? largest : sum / (window[0] * window[1]);
        }
      }
    });
  };
}

function matmul({ weight }, inputs, weights) {
  const [left, right] = weight ? [inputs[0], weights[weight]] : inputs;
  const [nInner, nOut] = right.shape.slice(-2);
  const nRows = left.shape.at(-2) ?? 1;
  const matrices = left.data.length / (nRows * nInner);
  const isShared = right.data.length === nInner * nOut;
  const data = new Float32Array(matrices * nRows * nOut);
  for (let row = 0; row < matrices * nRows; row++) {
    const from = isShared ? 0 : Math.floor(row / nRows) * nInner * nOut;
    for (let inner = 0; inner < nInner; inner++) {
      const value = left.data[row * nInner + inner];
      for (let out = 0; out < nOut; out++) data[row * nOut + out] += value * right.data[from + inner * nOut + out];
    }
  }
  return { data, shape: [...left.shape.slice(0, -1), nOut] };
}

/** Return the rows of a matrix that whole numbers choose, as an embedding does. */
function gatherRows({ weight }, [input], weights) {
  const {
    data: matrix,
    shape: [, size],
  } = weights[weight];
  const data = new Float32Array(input.data.length * size);
  input.data.forEach((row, place) => data.set(matrix.subarray(row * size, (row + 1) * size), place * size));
  return { data, shape: [...input.shape, size] };
}

/** @type {Record<string, (node: any, inputs: Tensor[], weights: Record<string, Tensor>) => Tensor>} */
export const layers = {
  linear,
  matmul,
  gather: gatherRows,
  constant: ({ value }, _inputs, weights) => weights[value],
  conv1d: convolution(true),
  conv2d: convolution(false),
  conv_transpose1d: transposedConvolution(true),
  conv_transpose2d: transposedConvolution(false),
  batch_norm: batchNorm,
  group_norm: groupNorm,
  layer_norm: layerNorm,
  upsample_nearest: upsampleNearest,
  upsample_bilinear: upsampleBilinear,
  max_pool2d: pooling(true),
  avg_pool2d: pooling(false),
};
