/** What is known about the shown sample, and what can be done with it. */

import { html } from "../dom.js";
import { formatValue } from "../format.js";

const MAX_FACTS = 14; // columns listed for a sample

/**
 * Create the part.
 * @param {any} app
 */
export function createSamplePanel(app) {
  const { shared } = app;
  const title = html("h2", {}, "Sample");
  const facts = html("dl.facts");
  const pick = html("button", { type: "button", onclick: () => app.pick(app.activeView, app.shownRow()) });
  const start = html(
    "button",
    {
      type: "button",
      title: "Set the cursor and all sliders to the code of this sample",
      onclick: () => app.startFrom(app.shownRow()),
    },
    "Start from it",
  );
  shared.on(["hoverRow", "path", "probe", "activeView", "colorBy"], () => {
    const row = app.shownRow();
    const { model } = app.activeView;
    title.textContent = `Sample ${model.nameOf(row)}${app.placeName(model)}`;
    pick.textContent = shared.state.path.includes(row) ? "Remove from path" : "Add to path";
    facts.replaceChildren(...rowFacts(app, row));
  });
  return html(
    "section",
    { "aria-label": "Sample" },
    html("div.sample-head", {}, title, html("span.buttons", {}, pick, start)),
    facts,
  );
}

/** Return the terms and values of a sample. */
function rowFacts(app, row) {
  const { columns } = app.activeView.model.scene;
  const shown = [...columns].sort(
    (a, b) => Number(b.name === app.shared.state.colorBy) - Number(a.name === app.shared.state.colorBy),
  );
  return shown
    .slice(0, MAX_FACTS)
    .flatMap((column) => [html("dt", {}, column.name), html("dd", {}, valueText(column, row))]);
}

/**
 * Return a sample's value in a column as text.
 * @param {any} column
 * @param {number} row
 */
export function valueText(column, row) {
  const value = column.values.data[row];
  if (column.kind === "classes") return column.classes[value] ?? "no label";
  return formatValue(column, value);
}
