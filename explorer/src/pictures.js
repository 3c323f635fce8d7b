/** Pictures of a view: its points, axes, marks and legend as PNG or SVG. */

import { classColor, MISSING_COLOR, sequentialColor, visibleColor } from "./colors.js";
import { html, svg } from "./dom.js";
import { formatScale } from "./format.js";
import { DIMMED_SHARE, HIDDEN, pointStyle, SELECTED, SHOWN } from "./scatter/renderer.js";

const MAX_SVG_POINTS = 20000; // more are one picture inside the SVG file
const MAX_LEGEND_CLASSES = 40; // more would fill the picture
const LINE_HEIGHT = 20;
const FONT = "12px system-ui, sans-serif";
const STYLES = ["fill", "stroke", "stroke-width", "font-size", "font-family", "font-weight", "opacity", "paint-order"];

/** Return a copy of a layer with the colors that style sheets give to it. */
function styledCopy(layer) {
  const copy = layer.cloneNode(true);
  const [sources, targets] = [layer, copy].map((element) => [...element.querySelectorAll("line, path, circle, text")]);
  sources.forEach((source, place) => {
    const style = getComputedStyle(source);
    const isHatched = source.classList.contains("hole");
    for (const name of STYLES)
      if (!isHatched || name !== "fill") targets[place].setAttribute(name, style.getPropertyValue(name));
  });
  copy.removeAttribute("class");
  copy.removeAttribute("aria-hidden");
  return copy;
}

/** Return the legend as vector graphics and its height. */
function legendAsSvg(app, width, ink) {
  const group = svg("g", { "font-size": 12, "font-family": "system-ui, sans-serif", fill: ink });
  const column = app.colorColumn();
  const { hidden, isDark } = app.shared.state;
  const context = html("canvas").getContext("2d");
  context.font = FONT;
  let [x, y] = [8, LINE_HEIGHT];
  const add = (text, space, symbol) => {
    const needed = space + context.measureText(text).width + 20;
    if (x > 8 && x + needed > width) [x, y] = [8, y + LINE_HEIGHT];
    group.append(...symbol(x, y - 4), svg("text", { x: x + space, y }, text));
    x += needed;
  };
  if (!column) return { group, height: 0 };
  add(column.name, 0, () => []);
  if (column.kind === "classes") {
    const present = [...new Set(column.values.data)]
      .filter((code) => !hidden.has(code))
      .sort((a, b) => Number(a < 0) - Number(b < 0) || a - b);
    if (present.length > MAX_LEGEND_CLASSES) add(`${present.length} classes`, 0, () => []);
    else
      for (const code of present)
        add(column.classes[code] ?? "no label", 12, (cx, cy) => [
          svg("circle", { cx: cx + 4, cy, r: 4.5, fill: code < 0 ? MISSING_COLOR : classColor(column, code, isDark) }),
        ]);
  } else {
    const [low, high] = formatScale(column);
    add(low, 0, () => []);
    const bars = (left, middle) =>
      Array.from({ length: 60 }, (_, step) =>
        svg("rect", {
          x: left + 2 * step,
          y: middle - 5,
          width: 2.5,
          height: 9,
          fill: `rgb(${visibleColor(sequentialColor(step / 59), isDark)})`,
        }),
      );
    add(high, 130, bars);
  }
  return { group, height: y + LINE_HEIGHT / 2 };
}

/** Return the layers of a view: background, what is under the points, points, what is above, legend. */
function layersOf(app, view) {
  const { camera, overlay, element } = view;
  const { color, backgroundColor } = getComputedStyle(element);
  const legend = legendAsSvg(app, camera.pixelWidth, color);
  const [width, height] = [camera.pixelWidth, camera.pixelHeight + legend.height];
  const [under, over] = [overlay.under, overlay.over].map(styledCopy);
  for (const layer of [under, over])
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
      layer.setAttribute(name, value);
  under.prepend(svg("rect", { width, height, fill: backgroundColor }));
  legend.group.setAttribute("transform", `translate(0 ${camera.pixelHeight})`);
  over.append(
    svg("rect", { y: camera.pixelHeight, width, height: legend.height, fill: backgroundColor }),
    legend.group,
  );
  return { under, over, width, height };
}

/**
 * Return a view as an SVG document.
 * @param {any} app
 * @param {any} view
 */
export function viewAsSvg(app, view) {
  const { camera, canvas, model } = view;
  const { under, over } = layersOf(app, view);
  view.renderer.draw(camera);
  const size = { width: camera.pixelWidth, height: camera.pixelHeight };
  under.append(
    model.nSamples <= MAX_SVG_POINTS
      ? pointsAsSvg(view)
      : svg("image", { ...size, href: canvas.toDataURL("image/png") }),
    ...over.childNodes,
  );
  return new XMLSerializer().serializeToString(under);
}

function pointsAsSvg(view) {
  const { camera, states, colors, order, hasSelection, space } = view;
  const { diameter, alpha } = pointStyle(view.model.nSamples, camera.zoom);
  const group = svg("g");
  const isInside = (x, y) => x > -20 && y > -20 && x < camera.pixelWidth + 20 && y < camera.pixelHeight + 20;
  for (const state of hasSelection ? [SHOWN, SELECTED] : [SHOWN]) {
    const isSelected = state === SELECTED;
    const style = {
      r: (diameter / (isSelected ? 1.6 : 2)).toFixed(2),
      "fill-opacity": isSelected ? 1 : hasSelection ? alpha * DIMMED_SHARE : alpha,
    };
    for (const row of order) {
      if (hasSelection ? states[row] !== state : states[row] === HIDDEN) continue;
      const [x, y] = camera.toPixel(space.points[2 * row], space.points[2 * row + 1]);
      if (isInside(x, y))
        group.append(
          svg("circle", {
            cx: x.toFixed(1),
            cy: y.toFixed(1),
            fill: `rgb(${colors.subarray(3 * row, 3 * row + 3)})`,
            ...style,
          }),
        );
    }
  }
  return group;
}

/**
 * Return a view as a PNG picture.
 * @param {any} app
 * @param {any} view
 * @returns {Promise<Blob>}
 */
export async function viewAsPng(app, view) {
  const { canvas, camera } = view;
  const { under, over, width, height } = layersOf(app, view);
  const scale = canvas.width / camera.pixelWidth;
  const target = html("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = target.getContext("2d");
  await drawLayer(context, under);
  view.renderer.draw(camera);
  context.drawImage(canvas, 0, 0);
  await drawLayer(context, over);
  return new Promise((resolve) => target.toBlob(resolve, "image/png"));
}

async function drawLayer(context, layer) {
  const picture = new Image();
  picture.src = URL.createObjectURL(
    new Blob([new XMLSerializer().serializeToString(layer)], { type: "image/svg+xml" }),
  );
  await picture.decode();
  context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
  URL.revokeObjectURL(picture.src);
}
