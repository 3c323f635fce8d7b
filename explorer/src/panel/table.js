/** Table rows side by side: one line per feature, one column per sample. */

import { html } from "../dom.js";
import { formatNumber } from "../format.js";

const MAX_FEATURES = 200; // listed; more would be slow to update

/**
 * Create a table of samples.
 * @param {any} painter
 * @param {string[]} columns
 */
export function createValueTable(painter, columns) {
  const nFeatures = painter.samples.shape.reduce((product, size) => product * size, 1);
  const heads = columns.map((name) => html("th", { scope: "col" }, name));
  const rows = Array.from({ length: Math.min(nFeatures, MAX_FEATURES) }, (_, feature) => {
    const cells = columns.map(() => html("td"));
    const name = painter.featureName(feature);
    return { cells, element: html("tr", {}, html("th", { scope: "row", title: name }, name), ...cells) };
  });
  const table = html(
    "table",
    {},
    html("thead", {}, html("tr", {}, html("th"), ...heads)),
    html("tbody", {}, ...rows.map(({ element }) => element)),
  );
  const rest = nFeatures > MAX_FEATURES ? html("p.note", {}, `and ${nFeatures - MAX_FEATURES} more features`) : null;
  return {
    element: html("div.value-table", { tabindex: 0 }, table, rest),
    /** Show values in a column, or nothing; each cell holds a bar of its place in the range. */
    show(column, values, name = columns[column]) {
      heads[column].textContent = name;
      rows.forEach(({ cells }, feature) => {
        const share = values ? 100 * painter.shareOf(values[feature], feature) : 0;
        cells[column].textContent = values ? formatNumber(values[feature]) : "–";
        cells[column].style.background = `linear-gradient(to right, var(--bar) ${share}%, transparent ${share}%)`;
      });
    },
  };
}
