/** Vector layers over the points: axes, holes, the path, marks and the lasso. They are also what an SVG file holds. */

import { ticks } from "d3-array";
import { setProperties, svg } from "../dom.js";
import { formatTicks } from "../format.js";

const TICK_SPACING = 110; // pixels
let overlayCount = 0; // ids of patterns must differ between views

/** Return an SVG path from points in pixels. */
function pathOf(points, isClosed) {
  return `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}${isClosed ? "Z" : ""}`;
}

export class Overlay {
  constructor() {
    this.hatch = `vaeviz-hatch-${overlayCount++}`;
    const line = svg("line", { x1: 0, y1: 0, x2: 0, y2: 8, class: "hatch-line", stroke: "#888", "stroke-width": 1.2 });
    const pattern = svg(
      "pattern",
      { id: this.hatch, patternUnits: "userSpaceOnUse", width: 8, height: 8, patternTransform: "rotate(45)" },
      line,
    );
    this.layers = Object.fromEntries(
      ["grid", "holes", "axes", "marks", "path", "lasso"].map((name) => [name, svg("g", { class: name })]),
    );
    const { grid, holes, ...above } = this.layers;
    /** What is under the points, and what is above them. */
    this.under = svg("svg", { class: "overlay", "aria-hidden": "true" }, svg("defs", {}, pattern), grid, holes);
    this.over = svg("svg", { class: "overlay", "aria-hidden": "true" }, ...Object.values(above));
  }

  resize(camera) {
    for (const element of [this.under, this.over]) {
      setProperties(element, {
        viewBox: `0 0 ${camera.pixelWidth} ${camera.pixelHeight}`,
        width: camera.pixelWidth,
        height: camera.pixelHeight,
      });
    }
  }

  drawAxes(camera, space) {
    const { pixelWidth: width, pixelHeight: height } = camera;
    const [left, right, bottom, top] = camera.limits();
    const [lines, texts] = [[], []];
    if (!space.isMap) {
      const xs = ticks(left, right, Math.max(2, width / TICK_SPACING));
      const ys = space.dims.length === 1 ? [] : ticks(bottom, top, Math.max(2, height / TICK_SPACING));
      const [xNames, yNames] = [xs, ys].map(formatTicks);
      xs.forEach((x, place) => {
        const [pixel] = camera.toPixel(x, 0);
        lines.push(svg("line", { x1: pixel, x2: pixel, y1: 0, y2: height, class: "grid-line", stroke: "#ddd" }));
        if (pixel > 44 && pixel < width - 60)
          texts.push(svg("text", { x: pixel, y: height - 6, class: "tick", "text-anchor": "middle" }, xNames[place]));
      });
      ys.forEach((y, place) => {
        const [, pixel] = camera.toPixel(0, y);
        lines.push(svg("line", { x1: 0, x2: width, y1: pixel, y2: pixel, class: "grid-line", stroke: "#ddd" }));
        if (pixel > 28 && pixel < height - 24)
          texts.push(svg("text", { x: 6, y: pixel - 4, class: "tick" }, yNames[place]));
      });
    }
    texts.push(svg("text", { x: width - 8, y: height - 6, class: "axis-name", "text-anchor": "end" }, space.axes[0]));
    texts.push(svg("text", { x: 6, y: 16, class: "axis-name" }, space.axes[1]));
    this.layers.grid.replaceChildren(...lines);
    this.layers.axes.replaceChildren(...texts);
  }

  drawHoles(camera, polygons) {
    const outline = (polygons ?? [])
      .flatMap((polygon) =>
        polygon.map((ring) =>
          pathOf(
            ring.map(([x, y]) => camera.toPixel(x, y)),
            true,
          ),
        ),
      )
      .join("");
    const parts = outline
      ? [svg("path", { d: outline, class: "hole", fill: `url(#${this.hatch})`, "fill-rule": "evenodd" })]
      : [];
    this.layers.holes.replaceChildren(...parts);
  }

  /** Draw the line through the picked samples; dashed where it is not the path in latent space. */
  drawPath(camera, space, rows) {
    const pixels = rows.map((row) => camera.toPixel(space.points[2 * row], space.points[2 * row + 1]));
    const shown = pixels.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y)) ? pixels : [];
    const parts =
      shown.length > 1
        ? [
            svg("path", {
              d: pathOf(shown, false),
              class: "route",
              fill: "none",
              stroke: "#222",
              "stroke-width": 1.5,
              "stroke-dasharray": space.isMap ? "4 4" : null,
            }),
          ]
        : [];
    pixels.forEach(([x, y], place) => {
      if (!Number.isFinite(x)) return;
      parts.push(
        svg("circle", { cx: x, cy: y, r: 7.5, class: "pick", fill: "#fff", stroke: "#222", "stroke-width": 1.5 }),
      );
      parts.push(
        svg(
          "text",
          { x, y: y + 3.5, class: "pick-number", "text-anchor": "middle", "font-size": 10 },
          String(place + 1),
        ),
      );
    });
    this.layers.path.replaceChildren(...parts);
  }

  /** Mark the hovered sample with a ring and the cursor with a cross. */
  drawMarks(camera, { ring, cross }) {
    const parts = [];
    if (cross && Number.isFinite(cross[0])) {
      const [x, y] = camera.toPixel(...cross);
      parts.push(
        svg("path", {
          d: `M${x - 9} ${y}h6m6 0h6M${x} ${y - 9}v6m0 6v6`,
          class: "cross",
          stroke: "#222",
          "stroke-width": 1.75,
          fill: "none",
        }),
      );
    }
    if (ring && Number.isFinite(ring[0])) {
      const [x, y] = camera.toPixel(...ring);
      parts.push(svg("circle", { cx: x, cy: y, r: 7, class: "ring", fill: "none", stroke: "#222", "stroke-width": 2 }));
    }
    this.layers.marks.replaceChildren(...parts);
  }

  drawLasso(pixels) {
    const shown = pixels.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y)) ? pixels : [];
    const parts =
      shown.length > 1
        ? [svg("path", { d: pathOf(pixels, true), class: "outline", fill: "rgb(80 120 180 / 0.12)", stroke: "#456" })]
        : [];
    this.layers.lasso.replaceChildren(...parts);
  }
}
