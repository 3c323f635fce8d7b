/** The explorer: models, views and panels, and the actions that connect them. */

import { resolveArrays } from "./arrays.js";
import { drawingOrder, sampleColors } from "./colors.js";
import { html, oncePerFrame } from "./dom.js";
import { countOf, formatCount } from "./format.js";
import { readFragment, writeFragment } from "./fragment.js";
import { createLegend } from "./legend.js";
import { loadModel } from "./model.js";
import { createNotes } from "./panel/notes.js";
import { createProbePanel } from "./panel/probe.js";
import { createSamplePanel, valueText } from "./panel/sample.js";
import { createSelectionPanel } from "./panel/selection.js";
import { createSliderPanel } from "./panel/sliders.js";
import { createNeighborPanel, createPathPanel } from "./panel/strips.js";
import { HIDDEN, SELECTED, SHOWN } from "./scatter/renderer.js";
import { ScatterView } from "./scatter/view.js";
import { createStore } from "./store.js";
import { middleOf } from "./spaces.js";
import { createAxesControl, createToolbar } from "./toolbar.js";

const ANNOUNCE_MILLISECONDS = 500; // without a change before a screen reader is told
const KEYS_HELP =
  "Arrow keys move the cursor, Shift and arrow keys the view. Plus and minus zoom, 0 shows all. Enter adds the nearest sample to the path, Escape clears it.";
let explorerCount = 0;

/**
 * Show an explorer in an element.
 * @param {HTMLElement} element
 * @param {any} scene  As Python writes it.
 * @param {(name: string) => Uint8Array} bytesOf  Bytes of an array by name.
 * @param {{decode?: Function, onSelect?: (rows: number[]) => void, onCursor?: (code: number[]) => void, keepsFragment?: boolean}} [hooks]
 * @returns {Promise<Explorer>}
 */
export async function createExplorer(element, scene, bytesOf, hooks = {}) {
  const { other, ...first } = await resolveArrays(scene, bytesOf);
  const models = [await loadModel(first, hooks.decode)];
  if (other) {
    const own = new Set(other.columns?.map(({ name }) => name));
    const columns = [...(other.columns ?? []), ...first.columns.filter(({ name }) => !own.has(name))];
    const { samples, row_ids: rowIds, value_range: valueRange } = first;
    const decode = hooks.decode && ((codes, n, condition) => hooks.decode(codes, n, condition, true));
    models.push(await loadModel({ samples, row_ids: rowIds, value_range: valueRange, ...other, columns }, decode));
  }
  return new Explorer(element, models, hooks);
}

class Explorer {
  constructor(element, models, hooks) {
    this.element = element;
    this.models = models;
    this.hooks = hooks;
    this.id = `vaeviz-${explorerCount++}`;
    const [{ scene }] = models;
    this.closing = new AbortController();
    this.shared = createStore({
      colorBy: scene.color_by ?? null,
      hidden: new Set(),
      selection: null,
      hoverRow: null,
      path: [],
      tool: "pan",
      showHoles: true,
      probe: null,
      activeView: 0,
      isDark: false,
    });
    this.views = models.map((model) => this.createView(model));
    this.live = html("p.hidden-text", { "aria-live": "polite" });
    this.refreshProbe = oncePerFrame(() => this.probe());
    this.connect(); // before the panels, which read what the listeners of this explorer compute
    this.build();
    this.watchTheme();
    this.refreshColors();
    this.refreshStates();
    if (hooks.keepsFragment) this.keepFragment();
    this.probe();
    this.isReady = true;
  }

  get activeView() {
    return this.views[this.shared.state.activeView];
  }

  createView(model) {
    const own = createStore({
      spaceId: model.firstSpace,
      base: model.medians,
      moved: null,
      cursor: null,
      pointer: null,
      condition: 0,
    });
    own.set({ pointer: pointOfCode(model, model.space(model.firstSpace), model.medians) });
    const handlers = {
      describedBy: `${this.id}-keys`,
      onHover: (view, row, point) => {
        this.activate(view);
        this.shared.set({ hoverRow: row });
        view.own.set({ pointer: point });
      },
      onPick: (view, row) => this.pick(view, row),
      onSelect: (rows, isAdded) =>
        this.shared.set({ selection: isAdded ? union(this.shared.state.selection ?? [], rows) : rows }),
      onFocus: (view) => this.activate(view),
      onView: () => this.saveFragment?.(),
      onEscape: (view) => {
        if (view.own.state.cursor) view.own.set({ cursor: null });
        else this.shared.set({ path: [] });
      },
    };
    return new ScatterView(model, this.shared, own, handlers);
  }

  build() {
    const { models, views, element } = this;
    const [{ scene }] = models;
    const parts = views.map((view, place) =>
      html(
        "div.view",
        {},
        html(
          "div.view-head",
          {},
          models.length > 1 ? html("h2", {}, `${"AB"[place]} · ${view.model.scene.title}`) : null,
          createAxesControl(view),
        ),
        view.element,
      ),
    );
    const about = `${countOf(scene.n_samples, "sample")} · ${countOf(scene.latent_dim, "latent dimension")}`;
    this.panel = html(
      "aside.panel",
      { "aria-label": "Details" },
      createProbePanel(this),
      createSelectionPanel(this),
      createSliderPanel(this),
      createNeighborPanel(this),
      createPathPanel(this),
      createSamplePanel(this),
      createNotes(this),
    );
    element.classList.add("vaeviz-explorer");
    element.replaceChildren(
      html("header.head", {}, html("h1", {}, scene.title), html("p.about", {}, about), createToolbar(this)),
      html("div.body", {}, html("main.stage", {}, createLegend(this), html("div.views", {}, ...parts)), this.panel),
      html("p.hidden-text", { id: `${this.id}-keys` }, KEYS_HELP),
      this.live,
    );
    views.forEach((view) => view.resize());
  }

  connect() {
    const { shared, views } = this;
    shared.on(["colorBy", "isDark"], () => this.refreshColors());
    shared.on(["colorBy", "hidden", "selection"], () => this.refreshStates());
    shared.on(["selection"], ({ selection }) => {
      this.hooks.onSelect?.(selection ?? []);
      this.announce(selection ? `${countOf(selection.length, "sample")} selected.` : "Selection cleared.");
    });
    shared.on(["activeView"], this.refreshProbe);
    for (const view of views) {
      view.own.on(["pointer"], () => view.own.state.cursor || this.refreshProbe());
      view.own.on(["cursor", "base", "condition"], this.refreshProbe);
      view.own.on(["spaceId"], () => {
        view.own.set({ cursor: null, pointer: pointOfCode(view.model, view.space, view.own.state.base) });
        this.refreshProbe();
      });
    }
  }

  /** Follow the color scheme of the browser or notebook. */
  watchTheme() {
    const update = () => {
      const channels = getComputedStyle(this.element)
        .backgroundColor.match(/[\d.]+/g)
        .map(Number);
      this.shared.set({ isDark: channels[0] + channels[1] + channels[2] < 384 });
    };
    const { signal } = this.closing;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update, { signal });
    const observer = new MutationObserver(update);
    observer.observe(document.body, { attributes: true });
    signal.addEventListener("abort", () => observer.disconnect());
    update();
  }

  /** Return " in A" or " in B", where there are two models. */
  placeName(model) {
    return this.models.length > 1 ? ` in ${"AB"[this.models.indexOf(model)]}` : "";
  }

  /** Call a listener when the condition of any view changes. */
  onCondition(listener) {
    for (const view of this.views) view.own.on(["condition"], listener);
  }

  activate(view) {
    this.shared.set({ activeView: this.views.indexOf(view) });
  }

  /** Compute the code under the cursor and what it means. */
  probe() {
    const view = this.activeView;
    const { model, space, own } = view;
    const point = own.state.cursor ?? own.state.pointer;
    const asked = space.codeAt(...point, own.state.base);
    const code = model.canDecode(space) ? model.decoder.nearestDecodable(asked) : asked;
    this.shared.set({
      probe: { view, model, space, code, point, condition: own.state.condition, ...model.measure(code, space, point) },
    });
    if (view === this.views[0]) this.hooks.onCursor?.([...code]);
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(() => this.announceProbe(), ANNOUNCE_MILLISECONDS);
    this.saveFragment?.();
  }

  announceProbe() {
    const { nearest, isHole, isFar } = this.shared.state.probe;
    const row = nearest.rows[0];
    const place = isHole ? "A hole. " : isFar ? "No code of the data lies here. " : "";
    if (row !== undefined && this.element.contains(document.activeElement))
      this.announce(`${place}Nearest sample ${this.activeView.model.nameOf(row)}, ${this.shortLabel(row)}.`);
  }

  announce(text) {
    this.live.textContent = text;
  }

  /** The row that the panel shows: hovered, else picked last, else nearest to the cursor. */
  shownRow() {
    const { hoverRow, path, probe } = this.shared.state;
    return hoverRow ?? path.at(-1) ?? probe?.nearest.rows[0] ?? 0;
  }

  /** Set cursor and sliders of the first model to a code; on a map, which has no place for it, choose dimensions. */
  goTo(code) {
    const [view] = this.views;
    const { own, model } = view;
    this.activate(view);
    if (!view.space.dims.length) own.set({ spaceId: model.firstSpace });
    own.set({ base: Float32Array.from(code), cursor: pointOfCode(model, view.space, code) });
  }

  /** End what would outlive the element. */
  close() {
    this.closing.abort();
    clearTimeout(this.announceTimer);
    for (const view of this.views) view.close();
    for (const { decoder } of this.models) decoder?.close?.();
  }

  /** Return a column of the scene, or the values of a latent dimension as one. */
  column(name) {
    const { scene, codes, nDims, nSamples } = this.models[0];
    const found = scene.columns.find((column) => column.name === name);
    const dim = scene.dimensions.findIndex((dimension) => dimension.name === name);
    if (found || dim < 0) return found ?? null;
    const values = { data: Float32Array.from({ length: nSamples }, (_, row) => codes[row * nDims + dim]) };
    return { name, kind: "number", values, limits: scene.dimensions[dim].range, unit: "" };
  }

  colorColumn() {
    const { colorBy } = this.shared.state;
    return colorBy === null ? null : this.column(colorBy);
  }

  /** Return the column whose classes name the samples: that of the colors, or the first with classes, or null. */
  classColumn() {
    const color = this.colorColumn();
    if (color?.kind === "classes") return color;
    return this.models[0].scene.columns.find(({ kind }) => kind === "classes") ?? null;
  }

  /** Return the class of a sample, or its row id without classes. */
  shortLabel(row) {
    const column = this.classColumn();
    return column ? valueText(column, row) : this.models[0].nameOf(row);
  }

  refreshColors() {
    const [column, { nSamples }] = [this.colorColumn(), this.models[0]];
    const [colors, order] = [sampleColors(column, nSamples, this.shared.state.isDark), drawingOrder(column, nSamples)];
    for (const view of this.views) view.setColors(colors, order);
  }

  refreshStates() {
    const { selection, hidden } = this.shared.state;
    const states = new Uint8Array(this.models[0].nSamples).fill(SHOWN);
    for (const row of selection ?? []) states[row] = SELECTED;
    const column = this.colorColumn();
    if (hidden.size && column?.kind === "classes") {
      column.values.data.forEach((code, row) => {
        if (hidden.has(code)) states[row] = HIDDEN;
      });
    }
    this.states = states;
    for (const view of this.views) view.setStates(states, selection !== null);
  }

  toggleClass(code) {
    const hidden = new Set(this.shared.state.hidden);
    if (!hidden.delete(code)) hidden.add(code);
    this.shared.set({ hidden });
  }

  isolateClass(column, code) {
    const others = [...column.classes.keys(), -1].filter((candidate) => candidate !== code);
    this.shared.set({ hidden: new Set(others) });
  }

  selectClass(column, code) {
    this.shared.set({ selection: rowsWhere(column.values.data, (value) => value === code) });
  }

  selectVisible() {
    this.shared.set({ selection: rowsWhere(this.states, (state) => state !== HIDDEN) });
  }

  selectHighest(column) {
    this.shared.set({ selection: this.models[0].highestRows(column) });
  }

  /** Say how many of some rows the legend hides. */
  hiddenSentence(rows) {
    const count = rows.filter((row) => this.states[row] === HIDDEN).length;
    if (!count) return "";
    return `${formatCount(count)} of them ${count === 1 ? "is" : "are"} in classes that the legend hides.`;
  }

  /** Add a sample to the path, or remove it from there. */
  pick(view, row) {
    const { path } = this.shared.state;
    this.activate(view);
    this.shared.set({ path: path.includes(row) ? path.filter((picked) => picked !== row) : [...path, row] });
    view.own.set({ cursor: view.pointOf(row) });
  }

  /** Bring a sample into view and show it in the panel. */
  show(row) {
    for (const view of this.views) view.reveal(row);
    this.activeView.own.set({ cursor: this.activeView.pointOf(row) });
    this.shared.set({ hoverRow: row });
  }

  /** Set the cursor and the sliders to the code of a sample. */
  startFrom(row) {
    const { own, model } = this.activeView;
    const base = model.decoder?.isFree === false ? own.state.base : model.codeOf(row); // a grid has one plane
    own.set({ base, cursor: this.activeView.pointOf(row) });
    this.shared.set({ hoverRow: row });
  }

  /** Keep the address of the page in step with its state. */
  keepFragment() {
    let written = location.hash.slice(1);
    if (written) readFragment(this, written);
    let timer = 0;
    this.saveFragment = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        written = writeFragment(this);
        history.replaceState(null, "", `#${written}`);
      }, 300);
    };
    window.addEventListener(
      "hashchange",
      () => {
        if (location.hash.slice(1) !== written) readFragment(this, location.hash.slice(1));
      },
      { signal: this.closing.signal },
    );
    this.shared.on(["colorBy", "hidden", "path", "selection", "showHoles"], this.saveFragment);
  }
}

/** Return the point of a space at which its cursor starts. */
function pointOfCode(model, space, code) {
  if (space.dims.length) return [code[space.dims[0]], space.dims.length > 1 ? code[space.dims[1]] : 0];
  return middleOf(space.points);
}

/** Return the rows whose values pass a test. */
function rowsWhere(values, test) {
  const rows = [];
  values.forEach((value, row) => {
    if (test(value)) rows.push(row);
  });
  return rows;
}

/** Return the sorted union of two lists of rows. */
function union(first, second) {
  return [...new Set([...first, ...second])].sort((a, b) => a - b);
}
