/** Text and tables that leave the page. */

import { html } from "./dom.js";
import { DATE_UNIT, formatDate, shortestFloat } from "./format.js";

const COPIED_MILLISECONDS = 1500; // long enough to be seen

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
 * Copy the text of a field, and say so on the button; where the browser forbids it, leave the text selected.
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 * @param {any} app
 */
export async function copyText(field, button, app) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    app.announce("Copied.");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), COPIED_MILLISECONDS);
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

/** Return the values of a row in all columns: class names, numbers and dates; null where missing. */
function columnValues(model, row) {
  return model.scene.columns.map(({ kind, values, classes, unit }) => {
    const value = values.data[row];
    if (kind === "classes") return classes[value] ?? null;
    if (!Number.isFinite(value)) return null;
    if (unit === DATE_UNIT) return formatDate(value);
    return values.data instanceof Float64Array ? value : shortestFloat(value);
  });
}

const codeOf = (model, row) => Array.from(model.codeOf(row), shortestFloat);

/** Return a cell of CSV. Spreadsheets would run a text that begins like a formula, so an apostrophe is put before it. */
const cell = (value) => {
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value));
  const text = `${isFormula ? "'" : ""}${value ?? ""}`;
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
  const lines = rows.map((row) => [row, model.nameOf(row), ...columnValues(model, row), ...codeOf(model, row)]);
  return [header, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("");
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
    code: codeOf(model, row),
  }));
  return JSON.stringify({ title, samples }, null, 1);
}
