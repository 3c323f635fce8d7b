/** The scatter plot of one model: points, axes, and what a pointer or the keyboard does there. */

import { html, oncePerFrame } from "../dom.js";
import { pointLimits } from "../spaces.js";
import { Camera } from "./camera.js";
import { findHoles } from "./holes.js";
import { rowsInside } from "./lasso.js";
import { Overlay } from "./overlay.js";
import { createRenderer, HIDDEN } from "./renderer.js";

const HOVER_PIXELS = 14; // largest distance of the pointer from a sample that it shows
const CLICK_PIXELS = 4; // a pointer that moves farther drags
const SETTLE_MILLISECONDS = 160; // without a change of the view before holes are computed again
const KEY_STEP = 0.02; // share of the view that an arrow key moves the cursor

export class ScatterView {
  /**
   * @param {import("../model.js").Model} model
   * @param {any} shared  Store of what all views share.
   * @param {any} own  Store of this view.
   * @param {Record<string, any>} handlers  Callbacks, and the id of the text that describes the keys.
   */
  constructor(model, shared, own, handlers) {
    this.model = model;
    this.shared = shared;
    this.own = own;
    this.handlers = handlers;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.overlay = new Overlay();
    this.element = html(
      "div.plot",
      {
        tabindex: 0,
        role: "application",
        "aria-label": `Scatter plot of ${model.nSamples} samples of ${model.scene.title}`,
        "aria-describedby": handlers.describedBy,
      },
      this.overlay.under,
      this.canvas,
      this.overlay.over,
    );
    this.renderer = createRenderer(this.canvas);
    this.redraw = oncePerFrame(() => this.draw());
    this.outline = [];
    this.pointers = new Map();
    this.setSpace();
    own.on(["spaceId"], () => this.setSpace());
    own.on(["base"], () => this.scheduleHoles());
    own.on(["cursor", "pointer"], this.redraw);
    shared.on(["hoverRow", "path"], this.redraw);
    shared.on(["showHoles"], () => this.scheduleHoles());
    this.listen();
  }

  setSpace() {
    this.space = this.model.space(this.own.state.spaceId);
    this.camera = new Camera(pointLimits(this.space.points), this.space.dims.length === 1);
    this.renderer.setPoints(this.space.points);
    this.holes = null;
    this.resize();
  }

  /** End what would outlive the element, and free the GPU, of which browsers give a page few contexts. */
  close() {
    this.resizing.disconnect();
    clearTimeout(this.holesTimer);
    this.holesRun = null;
    this.renderer.close();
  }

  setColors(colors, order) {
    this.colors = colors;
    this.order = order;
    this.renderer.setColors(colors, order);
    this.redraw();
  }

  setStates(states, hasSelection) {
    this.states = states;
    this.hasSelection = hasSelection;
    this.renderer.setStates(states, hasSelection);
    this.redraw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    [this.camera.pixelWidth, this.camera.pixelHeight] = [width, height];
    this.overlay.resize(this.camera);
    this.viewChanged();
  }

  viewChanged() {
    this.redraw();
    this.scheduleHoles();
    this.handlers.onView?.(this);
  }

  draw() {
    const { camera, space, overlay, own, shared } = this;
    if (!this.states || camera.pixelWidth < 2) return;
    this.renderer.draw(camera);
    const { hoverRow, path } = shared.state;
    const ring = hoverRow === null ? null : [space.points[2 * hoverRow], space.points[2 * hoverRow + 1]];
    overlay.drawAxes(camera, space);
    overlay.drawHoles(camera, this.holes);
    overlay.drawPath(camera, space, path);
    overlay.drawMarks(camera, { ring, cross: own.state.cursor });
    overlay.drawLasso(this.outline);
  }

  /** Compute the holes of the shown plane once the view has settled. */
  scheduleHoles() {
    clearTimeout(this.holesTimer);
    const run = (this.holesRun = {});
    const frame = this.space.frame(this.own.state.base);
    if (!this.model.scene.holes || !this.model.mixture || !frame || !this.shared.state.showHoles) {
      this.holes = null;
      this.redraw();
      return;
    }
    this.holesTimer = setTimeout(async () => {
      const found = await findHoles(this.model, frame, this.camera.limits(), () => run !== this.holesRun);
      if (!found) return;
      this.holes = found;
      this.redraw();
    }, SETTLE_MILLISECONDS);
  }

  /** Return the shown sample nearest to a pixel, or null if none is near. */
  rowAt(pixel, reach = HOVER_PIXELS) {
    const [pixelX, pixelY] = pixel;
    const { camera, space } = this;
    const [x, y] = camera.toPoint(pixelX, pixelY);
    let [best, bestDistance] = [null, reach];
    for (const row of space.index.within(x, y, reach / Math.min(camera.scaleX, camera.scaleY))) {
      if (!this.states[row]) continue;
      const [rowX, rowY] = camera.toPixel(space.points[2 * row], space.points[2 * row + 1]);
      const distance = Math.hypot(rowX - pixelX, rowY - pixelY);
      if (distance < bestDistance) [best, bestDistance] = [row, distance];
    }
    return best;
  }

  /** Return the point of a sample, or null if it has no place in this space. */
  pointOf(row) {
    const point = [...this.space.points.subarray(2 * row, 2 * row + 2)];
    return point.every(Number.isFinite) ? point : null;
  }

  /** Move the view so that a sample is in it. */
  reveal(row) {
    const point = this.pointOf(row);
    if (!point) return;
    const [x, y] = point;
    const [left, right, bottom, top] = this.camera.limits();
    if (x > left && x < right && y > bottom && y < top) return;
    [this.camera.x, this.camera.y] = [x, y];
    this.viewChanged();
  }

  zoomBy(factor) {
    this.camera.zoomAt(factor, this.camera.pixelWidth / 2, this.camera.pixelHeight / 2);
    this.viewChanged();
  }

  resetView() {
    this.camera.reset();
    this.viewChanged();
  }

  listen() {
    const { element } = this;
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(element);
    element.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    element.addEventListener("pointermove", (event) => this.onPointerMove(event));
    element.addEventListener("pointerup", (event) => this.onPointerUp(event));
    element.addEventListener("pointercancel", (event) => {
      this.pointers.delete(event.pointerId);
      this.outline = [];
      this.redraw();
    });
    element.addEventListener("pointerleave", () => this.shared.set({ hoverRow: null }));
    element.addEventListener("focus", () => this.handlers.onFocus(this));
    element.addEventListener("keydown", (event) => this.onKey(event));
    element.addEventListener("dblclick", () => this.resetView());
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.camera.zoomAt(2 ** (-event.deltaY * (event.deltaMode ? 0.05 : 0.0025)), ...this.pixelOf(event));
        this.viewChanged();
      },
      { passive: false },
    );
  }

  pixelOf(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  onPointerDown(event) {
    if (event.button) return;
    this.element.setPointerCapture(event.pointerId);
    this.handlers.onFocus(this);
    const pixel = this.pixelOf(event);
    this.pointers.set(event.pointerId, pixel);
    this.pressed = pixel;
    this.isDragging = false;
    const tool = event.shiftKey ? "lasso" : this.shared.state.tool;
    this.gesture = this.pointers.size > 1 ? "pinch" : tool;
    this.outline = [];
  }

  onPointerMove(event) {
    const pixel = this.pixelOf(event);
    const previous = this.pointers.get(event.pointerId);
    if (!previous) {
      this.hover(pixel);
      return;
    }
    if (!this.isDragging && Math.hypot(pixel[0] - this.pressed[0], pixel[1] - this.pressed[1]) < CLICK_PIXELS) return;
    this.isDragging = true;
    if (this.gesture === "pinch") this.pinch(event.pointerId, pixel);
    else if (this.gesture === "pan") this.camera.pan(pixel[0] - previous[0], pixel[1] - previous[1]);
    else this.extendOutline(pixel);
    this.pointers.set(event.pointerId, pixel);
    if (this.gesture === "pan" || this.gesture === "pinch") this.viewChanged();
    else this.redraw();
  }

  /** Zoom and move so that what was under two fingers stays there. */
  pinch(pointerId, pixel) {
    const before = [...this.pointers.values()];
    const after = [...this.pointers].map(([id, old]) => (id === pointerId ? pixel : old));
    if (before.length < 2) return;
    const span = (/** @type {any} */ [a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    const middle = (/** @type {any} */ [a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const [x, y] = middle(after);
    this.camera.pan(x - middle(before)[0], y - middle(before)[1]);
    this.camera.zoomAt(span(after) / Math.max(span(before), 1), x, y);
  }

  extendOutline(pixel) {
    const [x, y] = pixel;
    const [startX, startY] = this.pressed;
    if (this.gesture === "box")
      this.outline = [
        [startX, startY],
        [x, startY],
        [x, y],
        [startX, y],
      ];
    else this.outline.push([x, y]);
  }

  onPointerUp(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.gesture === "pinch") {
      if (!this.pointers.size) this.gesture = null;
      return;
    }
    const pixel = this.pixelOf(event);
    if (!this.isDragging) this.click(pixel);
    else if (this.gesture !== "pan") this.finishOutline(event);
    this.outline = [];
    this.redraw();
  }

  finishOutline(event) {
    const polygon = this.outline.map(([x, y]) => this.camera.toPoint(x, y));
    const rows = rowsInside(this.space.index, this.space.points, polygon).filter((row) => this.states[row]);
    this.handlers.onSelect(rows, event.ctrlKey || event.metaKey);
  }

  hover(pixel) {
    this.handlers.onHover(this, this.rowAt(pixel), this.camera.toPoint(...pixel));
  }

  click(pixel) {
    const row = this.rowAt(pixel);
    if (row === null) this.own.set({ cursor: this.camera.toPoint(...pixel) });
    else this.handlers.onPick(this, row);
  }

  onKey(event) {
    const { camera } = this;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const actions = {
      "+": () => this.zoomBy(1.3),
      "=": () => this.zoomBy(1.3),
      "-": () => this.zoomBy(1 / 1.3),
      0: () => this.resetView(),
      Enter: () => {
        const row = this.nearestShown(this.own.state.cursor ?? this.own.state.pointer);
        if (row !== null) this.handlers.onPick(this, row);
      },
      Escape: () => this.handlers.onEscape(this),
    };
    const direction = arrows[event.key];
    if (!direction && !actions[event.key]) return;
    event.preventDefault();
    if (actions[event.key]) return actions[event.key]();
    const [left, right, bottom, top] = camera.limits();
    const step = [direction[0] * KEY_STEP * (right - left), direction[1] * KEY_STEP * (top - bottom)];
    if (event.shiftKey) {
      camera.x += 5 * step[0];
      camera.y += 5 * step[1];
      this.viewChanged();
      return;
    }
    const [x, y] = this.own.state.cursor ?? this.own.state.pointer;
    const cursor = [x + step[0], y + step[1]];
    this.own.set({ cursor });
    this.handlers.onHover(this, this.nearestShown(cursor), cursor);
  }

  /** Return the shown sample nearest to a point, however far; null if none is shown. */
  nearestShown(point) {
    const [x, y] = point;
    const { points } = this.space;
    let [best, least] = [null, Infinity];
    this.states.forEach((state, row) => {
      const distance = (points[2 * row] - x) ** 2 + (points[2 * row + 1] - y) ** 2;
      if (state !== HIDDEN && distance < least) [best, least] = [row, distance];
    });
    return best;
  }
}
