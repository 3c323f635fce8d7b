/** Strips of pictures: the samples nearest to the cursor, and the path through picked samples. */

import { html, latestOnly } from "../dom.js";
import { createStrip, STRIP_SCALE } from "./tiles.js";

const N_PATH_FRAMES = 9; // of an interpolation between two samples
const N_LEG_FRAMES = 4; // of each leg of a longer path

/**
 * Create the strip of the nearest samples.
 * @param {any} app
 */
export function createNeighborPanel(app) {
  const { shared } = app;
  const strip = createStrip(app.models[0].painter);
  const element = html(
    "section",
    { "aria-label": "Nearest samples" },
    html("h2", {}, "Nearest samples to the cursor"),
    strip.element,
  );
  let shown = "";
  shared.on(["probe", "colorBy"], () => {
    if (!shared.state.probe) return;
    const { model, nearest } = shared.state.probe;
    const key = [shared.state.colorBy, ...nearest.rows].join();
    element.hidden = !model.painter;
    if (element.hidden || key === shown) return;
    shown = key;
    strip.show(
      nearest.rows.map((row) => ({
        draw: (canvas) => model.painter.drawRow(canvas, row, STRIP_SCALE),
        caption: app.shortLabel(row),
        onclick: () => app.pick(app.activeView, row),
      })),
    );
  });
  return element;
}

/**
 * Create the strip of decoded codes between the picked samples.
 * @param {any} app
 */
export function createPathPanel(app) {
  const { shared } = app;
  const strip = createStrip(app.models[0].painter);
  const note = html("p.note");
  const clear = html("button", { type: "button", onclick: () => shared.set({ path: [] }) }, "Clear");
  const title = html("h2", {}, "Path");
  const element = html(
    "section",
    { "aria-label": "Path", hidden: true },
    html("div.sample-head", {}, title, html("span.buttons", {}, clear)),
    note,
    strip.element,
  );

  const draw = latestOnly(
    async (model, rows, condition) => {
      const frames = pathFrames(rows.map((row) => model.codeOf(row)));
      const codes = frames.map(({ code }) => model.decoder.nearestDecodable(code));
      return { model, rows, frames, samples: await model.decoder.decode(codes, condition) };
    },
    ({ model, rows, frames, samples }) => {
      strip.show(
        samples.map((sample, place) => ({
          draw: (canvas) => model.painter.drawValues(canvas, sample, STRIP_SCALE),
          caption: frames[place].stop === null ? " " : app.shortLabel(rows[frames[place].stop]),
          isMarked: frames[place].stop !== null,
        })),
      );
    },
    (error) => {
      strip.show([]);
      note.textContent = `Not decoded: ${error.message}`;
    },
  );

  function refresh() {
    const { path } = shared.state;
    const { model, own } = app.activeView;
    element.hidden = path.length === 0;
    if (element.hidden) return;
    const names = path.map((row) => model.nameOf(row)).join(" → ");
    title.textContent =
      path.length > 2 ? `Path through ${path.length} samples` : path.length === 2 ? "Interpolation" : "Path";
    note.textContent = pathNote(path, names, model);
    strip.element.hidden = path.length < 2 || !model.decoder || !model.painter;
    if (!strip.element.hidden) draw(model, path, own.state.condition);
  }
  shared.on(["path", "activeView"], refresh);
  app.onCondition(refresh);
  return element;
}

function pathNote(path, names, model) {
  if (path.length === 1) return `Sample ${names} is picked. Click a second one to interpolate, more for a path.`;
  if (!model.decoder) return `Samples ${names}. Without a decoder nothing is decoded in between.`;
  const isProjected = !model.decoder.isFree && model.nDims > model.scene.decoder.plane.dims.length;
  if (isProjected) return `Samples ${names}. Codes are projected to the precomputed plane.`;
  return `Samples ${names}, decoded along straight lines in latent space.`;
}

/**
 * Return the codes along straight lines between stops; `stop` is the place of a stop, or null in between.
 * @param {Float32Array[]} stops
 * @returns {{code: Float32Array, stop: number | null}[]}
 */
export function pathFrames(stops) {
  const steps = stops.length === 2 ? N_PATH_FRAMES - 1 : N_LEG_FRAMES;
  return stops.flatMap((start, place) => {
    const end = stops[place + 1];
    if (!end) return [{ code: start, stop: place }];
    return Array.from({ length: steps }, (_, step) => ({
      code: start.map((value, dim) => value + (step / steps) * (end[dim] - value)),
      stop: step === 0 ? place : null,
    }));
  });
}
