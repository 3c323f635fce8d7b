/** Sliders of the latent dimensions that are not on the axes, and the traversal along the one that moved last. */

import { html, latestOnly } from "../dom.js";
import { formatNumber } from "../format.js";
import { createStrip, STRIP_SCALE } from "./tiles.js";

const N_FRAMES = 9; // of a traversal

/**
 * Create the part for the sliders of the active view.
 * @param {any} app
 */
export function createSliderPanel(app) {
  const { shared } = app;
  const list = html("div.sliders");
  const note = html("p.note");
  const choice = html("div.condition");
  const traversalTitle = html("h3");
  const traversal = html("div.traversal", { hidden: true }, traversalTitle);
  const reset = html(
    "button",
    { type: "button", onclick: () => app.activeView.own.set({ base: app.activeView.model.medians, moved: null }) },
    "Reset sliders",
  );
  const element = html(
    "section",
    { "aria-label": "Decoder" },
    html("div.sample-head", {}, html("h2", {}, "Decoder"), html("span.buttons", {}, reset)),
    note,
    choice,
    list,
    traversal,
  );
  let strip = null;
  let shownFor = null;
  let outputs = new Map();

  /** Return True if the traversal along a dimension of a view is to be shown. */
  const isTraversed = (view, dim) => view === app.activeView && view.own.state.moved === dim && outputs.has(dim);

  const drawTraversal = latestOnly(
    async (probe, dim) => {
      const {
        range: [low, high],
        name,
      } = probe.model.scene.dimensions[dim];
      const values = Array.from({ length: N_FRAMES }, (_, step) => low + ((high - low) * step) / (N_FRAMES - 1));
      const codes = values.map((value) => probe.code.with(dim, value));
      return { probe, name, dim, values, samples: await probe.model.decoder.decode(codes, probe.condition) };
    },
    ({ probe, name, dim, values, samples }) => {
      if (!isTraversed(probe.view, dim)) return;
      const gaps = values.map((value) => Math.abs(value - probe.code[dim]));
      const current = gaps.indexOf(Math.min(...gaps));
      traversalTitle.textContent = `Traversal of ${name}`;
      strip.show(
        samples.map((sample, step) => ({
          draw: (canvas) => probe.model.painter.drawValues(canvas, sample, STRIP_SCALE),
          caption: formatNumber(Number(values[step].toPrecision(2))), // narrow pictures
          isMarked: step === current,
        })),
      );
      traversal.hidden = false;
    },
    () => (traversal.hidden = true),
  );

  function rebuild() {
    const view = app.activeView;
    const { model, space } = view;
    outputs = new Map();
    note.textContent = decoderNote(model);
    traversal.hidden = true;
    strip = createStrip(model.painter);
    traversal.replaceChildren(traversalTitle, strip.element);
    choice.replaceChildren(...conditionChoice(view));
    const isShown = Boolean(model.decoder?.isFree) && space.dims.length > 0;
    list.replaceChildren(...(isShown ? sliderRows(view, outputs) : []));
    reset.hidden = !outputs.size;
    if (!space.dims.length && model.canDecode(space)) list.append(html("p.note", {}, mapNote(space)));
  }

  function refresh() {
    const view = app.activeView;
    const key = `${app.views.indexOf(view)} ${view.own.state.spaceId} ${view.own.state.condition}`;
    if (key !== shownFor) rebuild();
    shownFor = key;
    const { base, moved } = view.own.state;
    for (const [dim, { input, output }] of outputs) {
      input.value = base[dim];
      output.textContent = formatNumber(base[dim]);
    }
    const { probe } = shared.state;
    if (view.model.painter && probe && isTraversed(probe.view, moved)) drawTraversal(probe, moved);
    else traversal.hidden = true;
  }

  shared.on(["probe", "activeView"], refresh);
  return element;
}

function decoderNote(model) {
  const { decoder } = model.scene;
  if (model.decoder) return model.decoder.note;
  return decoder?.note || "There is no decoder, so nothing is decoded.";
}

function mapNote(space) {
  return space.isMap
    ? "Points of this map are decoded through the weighted mean of the 3 nearest codes. Choose two dimensions as axes to move the others."
    : "Points of this plane are decoded exactly. Choose two dimensions as axes to move the others.";
}

function conditionChoice(view) {
  const { condition } = view.model.scene;
  if (!condition) return [];
  const options = condition.choices.map((name, index) => html("option", { value: String(index) }, String(name)));
  const select = html(
    "select",
    { onchange: (event) => view.own.set({ condition: Number(event.target.value) }) },
    ...options,
  );
  select.value = String(view.own.state.condition);
  return [html("label", {}, condition.name === "condition" ? "Condition " : `Condition: ${condition.name} `, select)];
}

/** Return a row per free dimension; the collapsed ones are folded away. */
function sliderRows(view, outputs) {
  const { model, space } = view;
  const { dimensions } = model.scene;
  const free = model.orderedDims.filter((dim) => !space.dims.includes(dim));
  const largest = Math.max(...dimensions.map(({ kl }) => kl ?? 0)) || 1;
  const isActive = (dim) => dimensions[dim].active !== false;
  const rowOf = (dim) => sliderRow(view, dim, largest, outputs);
  const collapsed = free.filter((dim) => !isActive(dim));
  const hasKl = dimensions.some(({ kl }) => kl !== null && kl !== undefined);
  const heads = ["", "", "value", hasKl ? "KL, nats" : ""].map((text) => html("span", {}, text));
  const head = html("div.slider.slider-head", { "aria-hidden": "true" }, ...heads);
  const rows = free.length ? [head, ...free.filter(isActive).map(rowOf)] : [];
  if (collapsed.length)
    rows.push(
      html(
        "details",
        {},
        html("summary", {}, `${collapsed.length} collapsed dimension${collapsed.length > 1 ? "s" : ""}`),
        ...collapsed.map(rowOf),
      ),
    );
  return rows;
}

function sliderRow(view, dim, largest, outputs) {
  const {
    name,
    kl,
    range: [low, high],
  } = view.model.scene.dimensions[dim];
  const output = html("output");
  const input = html("input", {
    type: "range",
    min: low,
    max: high,
    step: (high - low) / 200 || "any",
    "aria-label": `${name}${kl === null || kl === undefined ? "" : `, KL ${formatNumber(kl)} nats`}`,
    oninput: (event) => view.own.set({ base: view.own.state.base.with(dim, Number(event.target.value)), moved: dim }),
  });
  outputs.set(dim, { input, output });
  const bar = html(
    "span.kl",
    { title: "KL divergence from the prior, mean over the data" },
    html("span.kl-bar", { style: `width: ${(24 * (kl ?? 0)) / largest}px` }),
    kl === null || kl === undefined ? "" : formatNumber(kl),
  );
  return html("label.slider", {}, html("span.name", {}, name), input, output, bar);
}
