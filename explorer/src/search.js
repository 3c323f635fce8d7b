/** The search field and its results. */

import { html } from "./dom.js";
import { countOf } from "./format.js";
import { matchingRows } from "./query.js";

const MAX_LISTED = 8; // rows listed as buttons
const DELAY = 150; // milliseconds after the last key

/**
 * Create the search field.
 * @param {any} app
 */
export function createSearch(app) {
  const { models } = app;
  const results = html("div.results", { hidden: true });
  const field = html("input", {
    type: "search",
    placeholder: "Row id, label, or z1 > 2",
    "aria-label": "Search rows",
    title:
      "Words match row ids and classes. Comparisons: label = 7, error > 3 (a part of a column's name is enough), z1 < 0. Join them with and, or. Put class names of several words in quotes. Enter selects all matches.",
  });
  let timer = 0;
  let rows = [];

  function search() {
    try {
      rows = matchingRows(field.value, models[0]);
      showResults();
    } catch (error) {
      rows = [];
      results.replaceChildren(html("p.note", {}, error.message));
    }
    results.hidden = !field.value.trim();
  }

  function showResults() {
    const select = html(
      "button.primary",
      { type: "button", onclick: selectAll, disabled: !rows.length },
      `Select ${countOf(rows.length, "match", "matches")}`,
    );
    const listed = rows
      .slice(0, MAX_LISTED)
      .map((row) =>
        html(
          "button",
          { type: "button", onclick: () => app.show(row) },
          `${models[0].nameOf(row)} · ${app.shortLabel(row)}`,
        ),
      );
    const hidden = app.hiddenSentence(rows);
    results.replaceChildren(select, ...(hidden ? [html("p.note", {}, hidden)] : []), ...listed);
  }

  function selectAll() {
    if (!rows.length) return; // the results say why
    app.shared.set({ selection: rows });
    results.hidden = true;
  }

  const element = html(
    "div.search",
    {
      onfocusout: (event) => {
        if (!element.contains(event.relatedTarget)) results.hidden = true;
      },
      onkeydown: (event) => {
        if (event.key === "Escape") results.hidden = true;
        if (event.key !== "Enter" || event.target !== field) return;
        clearTimeout(timer);
        search();
        selectAll();
      },
    },
    field,
    results,
  );
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, DELAY);
  });
  return element;
}
