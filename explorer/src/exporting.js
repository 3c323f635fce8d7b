/** Files and text that leave the page. */

import { html } from "./dom.js";
import { pointStyle, SELECTED } from "./scatter/renderer.js";

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

/** Return the colors that style sheets give to the overlay, written into a copy of it. */
function styledOverlay(view) {
  const copy = view.overlay.element.cloneNode(true);
  const [sources, targets] = [view.overlay.element, copy].map((element) => [...element.querySelectorAll("*")]);
  sources.forEach((source, place) => {
    const style = getComputedStyle(source);
    for (const name of ["fill", "stroke", "stroke-width", "font-size", "font-family", "font-weight", "opacity", "paint-order"]) {
      if (source.tagName !== "pattern" && source.tagName !== "defs") targets[place].setAttribute(name, style.getPropertyValue(name));
    }
  });
  const hole = copy.querySelector(".hole");
  if (hole) hole.setAttribute("fill", `url(#${view.overlay.hatch})`);
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
  const { camera, space, canvas, model } = view;
  const copy = styledOverlay(view);
  const { pixelWidth: width, pixelHeight: height } = camera;
  const isVector = model.nSamples <= MAX_SVG_POINTS;
  view.renderer.draw(camera);
  const points = isVector ? pointsAsSvg(view, space) : `<image width="${width}" height="${height}" href="${canvas.toDataURL("image/png")}"/>`;
  const parsed = new DOMParser().parseFromString(`<svg xmlns="http://www.w3.org/2000/svg"><rect width="${width}" height="${height}" fill="${backgroundOf(view)}"/>${points}</svg>`, "image/svg+xml");
  const axes = copy.querySelector("g.axes");
  for (const child of [...parsed.documentElement.childNodes].reverse()) axes.before(copy.ownerDocument.importNode(child, true));
  return new XMLSerializer().serializeToString(copy);
}

function pointsAsSvg(view, space) {
  const { camera, states, colors, order, hasSelection } = view;
  const { diameter, alpha } = pointStyle(view.model.nSamples, camera.zoom);
  const circles = [];
  for (const row of order) {
    if (!states[row]) continue;
    const [x, y] = camera.toPixel(space.points[2 * row], space.points[2 * row + 1]);
    if (!(x > -20 && y > -20 && x < camera.pixelWidth + 20 && y < camera.pixelHeight + 20)) continue;
    const isDimmed = hasSelection && states[row] !== SELECTED;
    const circle = `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(diameter / 2).toFixed(2)}" fill="rgb(${colors.subarray(3 * row, 3 * row + 3)})"${isDimmed ? ' opacity=".2"' : ""}/>`;
    circles.push(circle);
  }
  return `<g fill-opacity="${alpha.toFixed(2)}">${circles.join("")}</g>`;
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
  view.renderer.draw(camera);
  context.drawImage(canvas, 0, 0);
  const text = new XMLSerializer().serializeToString(styledOverlay(view));
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await picture.decode();
  context.drawImage(picture, 0, 0, target.width, target.height);
  URL.revokeObjectURL(picture.src);
  return new Promise((resolve) => target.toBlob(resolve, "image/png"));
}
