/** Draws samples as what they are: pictures, signals or table rows. */

import { sequentialColor } from "./colors.js";

const SIGNAL_SIZE = [240, 120]; // pixels of a signal's canvas
const MAX_AVERAGED = 2000; // pictures in the mean of a selection
const CHANNEL_COLORS = ["#3f76b5", "#c85200", "#5fa2ce", "#898989"]; // told apart by color-blind readers

/**
 * Load the pictures of a scene and return what draws its samples, or null without samples.
 * @param {any} scene
 */
export async function loadSamples(scene) {
  if (!scene.samples) return null;
  const { sheets = [] } = scene.samples;
  const images = await Promise.all(
    sheets.map((sheet) => createImageBitmap(new Blob([sheet.array.data], { type: sheet.mime }))),
  );
  return new SamplePainter(scene, images);
}

class SamplePainter {
  constructor(scene, images) {
    this.samples = scene.samples;
    this.images = images;
    const { shape, tile } = scene.samples;
    this.shape = shape.length === 1 && tile ? tile : shape; // flat pictures
    const [valueLow, valueHigh] = scene.value_range ?? [0, 1];
    this.low = valueLow;
    this.high = valueHigh;
    const { pictured_rows: rows, n_pictured: count } = scene.samples;
    this.places = rows ? new Map(Array.from(rows.data, (row, place) => [row, place])) : null;
    this.nPictured = count ?? scene.n_samples;
    this.isTable = ["table", "point"].includes(scene.samples.kind);
    this.isPicture = !this.isTable && scene.samples.kind !== "signal";
    if (!this.isPicture) this.limits = robustLimits(scene.samples.values?.data ?? [this.low, this.high]);
    const { low, high } = scene.samples.feature_ranges ?? {};
    this.rangeOf = (feature) => (low ? [low.data[feature], high.data[feature]] : this.limits);
  }

  /** Return where a row is among the pictured ones, or -1. */
  placeOf(row) {
    if (this.places) return this.places.get(row) ?? -1;
    return row < this.nPictured ? row : -1;
  }

  /** Return the sheet, left and top of a pictured row. */
  tileOf(place) {
    const {
      tile: [height, width],
      tiles_per_row: perRow,
      tiles_per_sheet: perSheet,
    } = this.samples;
    const within = place % perSheet;
    return {
      image: this.images[Math.floor(place / perSheet)],
      left: (within % perRow) * width,
      top: Math.floor(within / perRow) * height,
      width,
      height,
    };
  }

  /**
   * Draw a sample of the data; return false if the page has no picture of it.
   * @param {HTMLCanvasElement} canvas
   * @param {number} row
   * @param {number} [scale]  Resolution of a signal.
   */
  drawRow(canvas, row, scale) {
    const place = this.placeOf(row);
    if (place < 0) return false;
    if (!this.images.length) {
      if (!this.samples.values) return false;
      this.drawValues(canvas, this.valuesOf(place), scale);
      return true;
    }
    const { image, left, top, width, height } = this.tileOf(place);
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
    return true;
  }

  /** Return the values of a signal or table row. */
  valuesOf(place) {
    const { data, shape } = this.samples.values;
    const size = data.length / shape[0];
    return data.subarray(place * size, (place + 1) * size);
  }

  /**
   * Draw a decoded sample.
   * @param {HTMLCanvasElement} canvas
   * @param {Float32Array} values
   * @param {number} [scale]  Resolution of a signal.
   */
  drawValues(canvas, values, scale = 2) {
    if (this.isTable) drawCells(canvas, values, (value, feature) => this.shareOf(value, feature));
    else if (this.isPicture) this.drawPicture(canvas, values);
    else drawSignal(canvas, values, this.shape, this.limits, scale);
  }

  /** Return the place of a value in the range of its feature, from 0 to 1. */
  shareOf(value, feature) {
    const [low, high] = this.rangeOf(feature);
    return high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0.5;
  }

  /** Return the names and colors of the channels of a signal; of one channel none. */
  channels() {
    const [, count = 1] = this.shape;
    if (count === 1) return [];
    return Array.from({ length: count }, (_, channel) => ({
      name: this.samples.names?.[channel] ?? `channel ${channel}`,
      color: CHANNEL_COLORS[channel % CHANNEL_COLORS.length],
    }));
  }

  /** Name of a feature of a table. */
  featureName(feature) {
    return this.samples.names?.[feature] ?? `column ${feature}`;
  }

  drawPicture(canvas, values) {
    const [height, width, channels = 1] = this.shape;
    [canvas.width, canvas.height] = [width, height];
    const image = new ImageData(width, height);
    const lut = this.samples.lut?.data;
    const isFlipped = this.samples.kind === "spectrogram"; // frequency grows upwards, as in the sheets
    const scale = 255 / (this.high - this.low);
    for (let place = 0; place < width * height; place++) {
      const row = Math.floor(place / width);
      const target = isFlipped ? (height - 1 - row) * width + (place % width) : place;
      const byte = (channel) =>
        Math.min(Math.max(Math.round((values[place * channels + channel] - this.low) * scale), 0), 255);
      const gray = byte(0);
      const color =
        channels >= 3 ? [gray, byte(1), byte(2)] : lut ? lut.subarray(3 * gray, 3 * gray + 3) : [gray, gray, gray];
      image.data.set(color, 4 * target);
      image.data[4 * target + 3] = channels === 4 ? byte(3) : 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /**
   * Draw the mean of rows and return how many are in it.
   * @param {HTMLCanvasElement} canvas
   * @param {number[]} rows
   */
  drawMean(canvas, rows) {
    const places = this.placesOf(rows);
    if (!places.length) return 0;
    if (this.images.length) this.drawMeanPicture(canvas, places);
    else this.drawValues(canvas, this.meanOf(rows));
    return places.length;
  }

  /** Return where rows are among the pictured ones; an evenly spaced part of many. */
  placesOf(rows) {
    const pictured = rows.map((row) => this.placeOf(row)).filter((place) => place >= 0);
    const step = Math.max(1, Math.ceil(pictured.length / MAX_AVERAGED));
    return pictured.filter((_, order) => order % step === 0);
  }

  /** Return the mean of the signals or table rows of some rows. */
  meanOf(rows) {
    const places = this.placesOf(rows);
    const mean = new Float32Array(this.valuesOf(0).length);
    for (const place of places) this.valuesOf(place).forEach((value, index) => (mean[index] += value / places.length));
    return mean;
  }

  drawMeanPicture(canvas, places) {
    const {
      tile: [height, width],
    } = this.samples;
    [canvas.width, canvas.height] = [width, height];
    const source = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    const sums = new Float64Array(width * height * 4);
    for (const place of places) {
      const { image, left, top } = this.tileOf(place);
      source.clearRect(0, 0, width, height);
      source.drawImage(image, left, top, width, height, 0, 0, width, height);
      source.getImageData(0, 0, width, height).data.forEach((value, index) => (sums[index] += value));
    }
    const mean = new ImageData(
      Uint8ClampedArray.from(sums, (sum) => sum / places.length),
      width,
      height,
    );
    canvas.getContext("2d").putImageData(mean, 0, 0);
  }
}

/** Return the 0.5 % and 99.5 % quantiles of values, from at most 20,000 of them. */
function robustLimits(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const some = Float32Array.from({ length: Math.ceil(values.length / step) }, (_, place) => values[place * step])
    .filter(Number.isFinite)
    .sort();
  const [low, high] = [0.005, 0.995].map((share) => some[Math.round(share * (some.length - 1))] ?? 0);
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/** Draw a signal (L,) or (L, channels), one line per channel. */
function drawSignal(canvas, values, shape, limits, scale) {
  const [low, high] = limits;
  const [width, height] = SIGNAL_SIZE;
  [canvas.width, canvas.height] = [scale * width, scale * height];
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const channels = shape.length > 1 ? shape[1] : 1;
  const length = values.length / channels;
  const heightOf = (value) => height - 4 - ((value - low) / (high - low)) * (height - 8);
  context.strokeStyle = "rgb(128 128 128 / 0.4)";
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  for (let channel = 0; channel < channels; channel++) {
    context.strokeStyle = CHANNEL_COLORS[channel % CHANNEL_COLORS.length];
    context.lineWidth = 2.5 / scale;
    context.beginPath();
    for (let place = 0; place < length; place++) {
      context.lineTo((place / Math.max(length - 1, 1)) * width, heightOf(values[place * channels + channel]));
    }
    context.stroke();
  }
}

/** Draw a table row as a column of cells, each colored by its place in the range of its feature. */
function drawCells(canvas, values, shareOf) {
  [canvas.width, canvas.height] = [1, values.length];
  const context = canvas.getContext("2d");
  values.forEach((value, feature) => {
    context.fillStyle = `rgb(${sequentialColor(shareOf(value, feature))})`;
    context.fillRect(0, feature, 1, 1);
  });
}
