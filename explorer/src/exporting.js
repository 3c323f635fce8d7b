/** Files and text that leave the page. */

import { html, svg } from "./dom.js";
import { DIMMED_SHARE, pointStyle, SELECTED } from "./scatter/renderer.js";

const MAX_SVG_POINTS = 20000; // more are one picture inside the SVG file

/**
 * Save a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/**
 * Copy the text of a field; where the browser forbids it, leave the text selected.
 * @param {HTMLInputElement} field
 * @param {any} app
 */
export async function copyText(field, app) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    app.announce("Copied.");
  } catch {
    app.announce("The text is selected. Copy it with the keyboard.");
  }
}

/**
 * Return the line of Python that takes some rows.
 * @param {any} scene
 * @param {number[]} rows
 */
export function pythonLine(scene, rows) {
  return (scene.python?.rows ?? "x[[{rows}]]").replace("{rows}", () => rows.join(", "));
}

/** Return the values of a row in all columns: class names and numbers; null where missing. */
function columnValues(model, row) {
  return model.scene.columns.map(({ kind, values, classes }) => {
    const value = values.data[row];
    if (kind === "classes") return classes[value] ?? null;
    return Number.isFinite(value) ? value : null;
  });
}

const quote = (value) => {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * Return rows as CSV: row number, id, columns and code.
 * @param {any} model
 * @param {number[]} rows
 */
export function selectionCsv(model, rows) {
  const { columns, dimensions } = model.scene;
  const header = ["row", "id", ...columns.map(({ name }) => name), ...dimensions.map(({ name }) => name)];
  const lines = rows.map((row) => [row, model.nameOf(row), ...columnValues(model, row), ...model.codeOf(row)]);
  return [header, ...lines].map((line) => `${line.map(quote).join(",")}\r\n`).join("");
}

/**
 * Return rows as JSON.
 * @param {any} model
 * @param {number[]} rows
 */
export function selectionJson(model, rows) {
  const { columns, title } = model.scene;
  const samples = rows.map((row) => ({
    row,
    id: model.nameOf(row),
    columns: Object.fromEntries(columnValues(model, row).map((value, place) => [columns[place].name, value])),
    code: [...model.codeOf(row)],
  }));
  return JSON.stringify({ title, samples }, null, 1);
}

/** Return a copy of a layer with the colors that style sheets give to it. */
function styledCopy(layer) {
  const copy = layer.cloneNode(true);
  const [sources, targets] = [layer, copy].map((element) => [...element.querySelectorAll("*")]);
  sources.forEach((source, place) => {
    const style = getComputedStyle(source);
    for (const name of ["fill", "stroke", "stroke-width", "font-size", "font-family", "font-weight", "opacity", "paint-order"]) {
      if (source.tagName !== "pattern" && source.tagName !== "defs") targets[place].setAttribute(name, style.getPropertyValue(name));
    }
  });
  for (const hole of copy.querySelectorAll(".hole")) hole.setAttribute("fill", layer.querySelector(".hole").getAttribute("fill"));
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.removeAttribute("class");
  return copy;
}

const backgroundOf = (view) => getComputedStyle(view.element).backgroundColor;

/**
 * Return the view as an SVG document.
 * @param {any} view
 */
export function viewAsSvg(view) {
  const { camera, canvas, model, overlay } = view;
  const { pixelWidth: width, pixelHeight: height } = camera;
  view.renderer.draw(camera);
  const points =
    model.nSamples <= MAX_SVG_POINTS ? pointsAsSvg(view) : svg("image", { width, height, href: canvas.toDataURL("image/png") });
  const [under, over] = [overlay.under, overlay.over].map(styledCopy);
  under.prepend(svg("rect", { width, height, fill: backgroundOf(view) }));
  under.append(points, ...over.childNodes);
  return new XMLSerializer().serializeToString(under);
}

function pointsAsSvg(view) {
  const { camera, states, colors, order, hasSelection, space } = view;
  const { diameter, alpha } = pointStyle(view.model.nSamples, camera.zoom);
  const group = svg("g", { "fill-opacity": alpha.toFixed(2) });
  for (const row of order) {
    if (!states[row]) continue;
    const [x, y] = camera.toPixel(space.points[2 * row], space.points[2 * row + 1]);
    if (!(x > -20 && y > -20 && x < camera.pixelWidth + 20 && y < camera.pixelHeight + 20)) continue;
    const color = `rgb(${colors.subarray(3 * row, 3 * row + 3)})`;
    const opacity = hasSelection && states[row] !== SELECTED ? DIMMED_SHARE : null;
    group.append(svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: (diameter / 2).toFixed(2), fill: color, opacity }));
  }
  return group;
}

/**
 * Return the view as a PNG picture.
 * @param {any} view
 * @returns {Promise<Blob>}
 */
export async function viewAsPng(view) {
  const { canvas, camera } = view;
  const target = html("canvas", { width: canvas.width, height: canvas.height });
  const context = target.getContext("2d");
  context.fillStyle = backgroundOf(view);
  context.fillRect(0, 0, target.width, target.height);
  await drawLayer(context, view.overlay.under);
  view.renderer.draw(camera);
  context.drawImage(canvas, 0, 0);
  await drawLayer(context, view.overlay.over);
  return new Promise((resolve) => target.toBlob(resolve, "image/png"));
}

async function drawLayer(context, layer) {
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(styledCopy(layer))], { type: "image/svg+xml" }));
  await picture.decode();
  context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
  URL.revokeObjectURL(picture.src);
}
