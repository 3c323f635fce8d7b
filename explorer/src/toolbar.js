/** The controls above the plots. */

import { html } from "./dom.js";
import { download } from "./exporting.js";
import { viewAsPng, viewAsSvg } from "./pictures.js";
import { createSearch } from "./search.js";

const MAX_PAIRED_DIMS = 128; // dimensions offered as axes

const option = (value, text) => html("option", { value }, text);
const labeled = (text, control) => html("label.control", {}, html("span", {}, text), control);

/**
 * Create the bar of what all views share.
 * @param {any} app
 */
export function createToolbar(app) {
  const { shared, models } = app;
  const { scene } = models[0];
  const isShared = (column) => models.every((model) => model.scene.columns.includes(column));
  const nameOf = (column) => `${column.name}${isShared(column) ? "" : app.placeName(models[0])}`;
  const color = html(
    "select",
    { onchange: (event) => shared.set({ colorBy: event.target.value || null, hidden: new Set() }) },
    option("", "one color"),
    ...scene.columns.map((column) => option(column.name, nameOf(column))),
    html(
      "optgroup",
      { label: `Dimensions${app.placeName(models[0])}` },
      ...scene.dimensions.slice(0, MAX_PAIRED_DIMS).map(({ name }) => option(name, name)),
    ),
  );
  shared.on(["colorBy"], ({ colorBy }) => (color.value = colorBy ?? ""));
  color.value = shared.state.colorBy ?? "";

  const tools = html("div.tools", { role: "radiogroup", "aria-label": "What dragging does" });
  for (const [tool, text, title] of [
    ["pan", "Pan", "Drag to move"],
    ["lasso", "Lasso", "Drag an outline to select (or Shift and drag)"],
    ["box", "Box", "Drag a box to select"],
  ]) {
    const radio = html("input", {
      type: "radio",
      name: `${app.id}-tool`,
      value: tool,
      onchange: () => shared.set({ tool }),
    });
    radio.checked = tool === shared.state.tool;
    tools.append(html("label", { title }, radio, text));
  }
  const bar = html("div.toolbar", { role: "toolbar", "aria-label": "View" }, labeled("Color", color), tools);
  if (models.some((model) => model.scene.holes && model.mixture)) {
    const holes = html("input", {
      type: "checkbox",
      onchange: (event) => shared.set({ showHoles: event.target.checked }),
    });
    shared.on(["showHoles"], ({ showHoles }) => (holes.checked = showHoles));
    holes.checked = shared.state.showHoles;
    bar.append(html("label.check", { title: scene.holes?.meaning ?? "" }, holes, "Holes"));
  }
  bar.append(
    createSearch(app),
    html(
      "div.tools",
      {},
      html("button", { type: "button", onclick: () => app.activeView.resetView() }, "Reset view"),
      html(
        "button",
        { type: "button", onclick: async () => download("view.png", await viewAsPng(app, app.activeView)) },
        "PNG",
      ),
      html(
        "button",
        {
          type: "button",
          onclick: () => download("view.svg", new Blob([viewAsSvg(app, app.activeView)], { type: "image/svg+xml" })),
        },
        "SVG",
      ),
    ),
  );
  return bar;
}

/**
 * Create the choice of axes of one view: two dimensions, or a map.
 * @param {any} view
 */
export function createAxesControl(view) {
  const { model, own } = view;
  const dims = model.orderedDims.slice(0, MAX_PAIRED_DIMS).sort((a, b) => a - b);
  const nameOf = (dim) => model.scene.dimensions[dim].name;
  const maps = model.scene.maps ?? [];
  const kind = html(
    "select",
    { "aria-label": "Axes", onchange: chooseKind },
    option("z", model.nDims > 1 ? "two dimensions" : "one dimension"),
    ...maps.map(({ id, label }) => option(id, label)),
  );
  const [x, y] = ["Horizontal axis", "Vertical axis"].map((label) =>
    html(
      "select",
      { "aria-label": label, onchange: chooseDims },
      ...dims.map((dim) => option(String(dim), nameOf(dim))),
    ),
  );
  const pair = html("span.pair", {}, x, html("span", {}, "×"), y);
  let last = model.firstSpace.startsWith("z:") ? model.firstSpace : `z:${dims[0]},${dims[1] ?? dims[0]}`;

  function chooseKind() {
    own.set({ spaceId: kind.value === "z" ? last : kind.value, cursor: null });
  }
  function chooseDims() {
    if (x.value === y.value && model.nDims > 1) y.value = String(dims.find((dim) => String(dim) !== x.value));
    own.set({ spaceId: `z:${x.value},${y.value}`, cursor: null });
  }
  function refresh() {
    const { spaceId } = own.state;
    const chosen = /^z:(\d+),(\d+)$/.exec(spaceId);
    kind.value = chosen ? "z" : spaceId;
    pair.hidden = !chosen || model.nDims === 1;
    if (!chosen) return;
    last = spaceId;
    [x.value, y.value] = chosen.slice(1);
  }
  own.on(["spaceId"], refresh);
  refresh();
  return html("div.axes-control", {}, labeled("Axes", kind), pair);
}
