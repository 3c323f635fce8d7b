/** The legend: classes that can be hidden, or the scale of a number. */

import { classColor, sequentialGradient } from "./colors.js";
import { html } from "./dom.js";
import { formatCount, formatScale } from "./format.js";
import { N_HIGHEST } from "./model.js";

const MIN_FILTERED = 30; // classes from which a field that filters their names is shown
const MISSING = -1;

/**
 * Create the legend.
 * @param {any} app
 */
export function createLegend(app) {
  const { shared } = app;
  const element = html("div.legend", { role: "group", "aria-label": "Legend" });
  let buttons = [];

  function rebuild() {
    const column = app.colorColumn();
    buttons = [];
    if (!column) element.replaceChildren();
    else if (column.kind === "classes") element.replaceChildren(...classLegend(column));
    else
      element.replaceChildren(
        scaleLegend(app, column),
        html("p.note", {}, "high values on top"),
        selectHighest(app, column),
      );
    refresh();
  }

  function classLegend(column) {
    const counts = new Map();
    for (const code of column.values.data) counts.set(code, (counts.get(code) ?? 0) + 1);
    const codes = [...column.classes.keys()].filter((code) => counts.has(code));
    if (counts.has(MISSING)) codes.push(MISSING);
    buttons = codes.map((code) => classButton(app, column, code, counts.get(code)));
    const list = html("div.classes", {}, ...buttons.map(({ button }) => button));
    const all = html(
      "button.quiet.show-all",
      { type: "button", onclick: () => shared.set({ hidden: new Set() }) },
      "Show all",
    );
    if (codes.length < MIN_FILTERED) return [list, all];
    const filter = html("input.filter", {
      type: "search",
      placeholder: `Filter ${codes.length} classes`,
      "aria-label": "Filter classes",
      oninput: (event) =>
        buttons.forEach(
          ({ button, name }) => (button.hidden = !name.toLowerCase().includes(event.target.value.toLowerCase())),
        ),
    });
    return [filter, list, all];
  }

  function refresh() {
    const { hidden } = shared.state;
    for (const { button, code } of buttons) button.setAttribute("aria-pressed", String(!hidden.has(code)));
    const all = element.querySelector(".show-all");
    if (all) all.style.visibility = hidden.size ? "visible" : "hidden";
  }

  shared.on(["colorBy", "isDark"], rebuild);
  shared.on(["hidden"], refresh);
  rebuild();
  return element;
}

function classButton(app, column, code, count) {
  const name = column.classes[code] ?? "no label";
  const swatch = html("span.swatch", { style: `background: ${classColor(column, code, app.shared.state.isDark)}` });
  const button = html(
    "button.class",
    {
      type: "button",
      title: `${name}: ${formatCount(count)}. Click to hide or show, double-click to show it alone, Shift-click to select it.`,
      onclick: (event) => (event.shiftKey ? app.selectClass(column, code) : app.toggleClass(code)),
      ondblclick: () => app.isolateClass(column, code),
    },
    swatch,
    html("span.class-name", {}, name),
  );
  return { button, code, name };
}

function scaleLegend(app, column) {
  const [low, high] = formatScale(column);
  return html(
    "div.scale",
    {},
    html("span", {}, low),
    html("span.gradient", {
      style: `background: ${sequentialGradient(app.shared.state.isDark)}`,
      role: "img",
      "aria-label": `Color scale from ${low} to ${high}`,
    }),
    html("span", {}, high),
  );
}

function selectHighest(app, column) {
  return html(
    "button.quiet",
    {
      type: "button",
      title: `Select the ${N_HIGHEST} samples with the highest ${column.name}, and those that equal the last of them.`,
      onclick: () => app.selectHighest(column),
    },
    "Select highest",
  );
}
