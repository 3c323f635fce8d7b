/** What is selected: its count, classes and mean, and how to take it home. */

import { classColor } from "../colors.js";
import { html } from "../dom.js";
import { copyText, download, pythonLine, selectionCsv, selectionJson } from "../exporting.js";
import { countOf, formatCount } from "../format.js";
import { MAX_ROWS } from "../fragment.js";
import { createValueTable } from "./table.js";
import { createStrip, createTile, STRIP_SCALE } from "./tiles.js";

const MAX_BARS = 12; // classes listed in the histogram
const MAX_PICTURES = 18; // selected samples pictured, two rows

/**
 * Create the part.
 * @param {any} app
 */
export function createSelectionPanel(app) {
  const { shared, models } = app;
  const [{ scene }] = models;
  const count = html("h2", {}, "Selection");
  const hint = html(
    "p.note",
    {},
    "Select with the lasso or box (or Shift and drag), a search, or the classes that the legend shows.",
  );
  const { painter } = models[0];
  const mean = createTile("Mean");
  const meanTable = painter?.isTable ? createValueTable(painter, ["Mean"]) : null;
  const histogram = html("div.histogram");
  const strip = createStrip(painter);
  const note = html("p.note");
  const line = html("input.code", {
    readonly: true,
    "aria-label": "Line of Python that takes the selected rows",
    onfocus: (event) => event.target.select(),
  });
  const copy = html("button", { type: "button", onclick: () => copyText(line, copy, app) }, "Copy");
  const save = (name, type, content) => () =>
    download(name, new Blob([content(models[0], shared.state.selection)], { type }));
  const body = html(
    "div",
    { hidden: true },
    html(`div.selection-body${painter?.isPicture ? "" : ".wide"}`, {}, mean.element, histogram),
    meanTable?.element ?? null,
    strip.element,
    note,
    html("div.python", {}, line, copy),
    html(
      "div.buttons",
      {},
      html("button", { type: "button", onclick: save("selection.csv", "text/csv", selectionCsv) }, "Save CSV"),
      html(
        "button",
        { type: "button", onclick: save("selection.json", "application/json", selectionJson) },
        "Save JSON",
      ),
    ),
  );
  const visible = html("button", { type: "button", onclick: () => app.selectVisible() }, "Select shown");
  const clear = html("button", { type: "button", onclick: () => shared.set({ selection: null }) }, "Clear");
  const element = html(
    "section",
    { "aria-label": "Selection" },
    html("div.sample-head", {}, count, html("span.buttons", {}, visible, clear)),
    hint,
    body,
  );

  let shown = null;
  shared.on(["selection", "colorBy", "isDark"], () => {
    const { selection } = shared.state;
    body.hidden = selection === null;
    hint.hidden = selection !== null;
    clear.hidden = selection === null;
    count.textContent = selection === null ? "Selection" : `${countOf(selection.length, "sample")} selected`;
    if (selection === null) return;
    if (selection !== shown && app.isReady) app.panel.scrollTop = 0; // to the sample, and the selection below it
    shown = selection;
    mean.element.hidden = !painter || painter.isTable;
    if (painter) {
      const nAveraged = painter.placesOf(selection).length;
      const noun = painter.samples.lut ? "Mean color" : "Mean"; // which is not the color of the mean value
      const name = nAveraged < selection.length ? `${noun} of ${formatCount(nAveraged)}` : noun;
      if (painter.isTable) meanTable.show(0, nAveraged ? painter.meanOf(selection) : null, name);
      else mean.show((canvas) => painter.drawMean(canvas, selection) > 0, name);
    }
    strip.element.hidden = !painter;
    if (painter) strip.show(picturedRows(app, selection).map((row) => pictureOf(app, row)));
    writeNote();
    histogram.replaceChildren(...histogramRows(app.classColumn(), selection, shared.state.isDark));
    line.value = pythonLine(scene, selection);
  });
  function writeNote() {
    note.textContent = selectionSentences(app, shared.state.selection ?? [])
      .filter(Boolean)
      .join(" ");
  }
  shared.on(["activeView", "hidden"], writeNote);
  for (const view of app.views) view.own.on(["spaceId"], writeNote);
  clear.hidden = true;
  return element;
}

/** Return the entry of a sample in the strip; a click shows it. */
function pictureOf(app, row) {
  return {
    draw: (canvas) => app.models[0].painter.drawRow(canvas, row, STRIP_SCALE),
    caption: app.shortLabel(row),
    onclick: () => app.show(row),
  };
}

/** Return the selected samples that are pictured: those with the highest number if points are colored by one. */
function picturedRows(app, rows) {
  const column = app.colorColumn();
  if (column?.kind !== "number") return rows.slice(0, MAX_PICTURES);
  const numberOf = (row) => (Number.isNaN(column.values.data[row]) ? -Infinity : column.values.data[row]);
  return rows.toSorted((a, b) => numberOf(b) - numberOf(a) || a - b).slice(0, MAX_PICTURES);
}

/** Say which of the selected samples are not seen or kept, and which are pictured. */
function selectionSentences(app, rows) {
  const { points } = app.activeView.space;
  const column = app.colorColumn();
  const nPlaceless = rows.filter((row) => !Number.isFinite(points[2 * row])).length;
  const choice = column?.kind === "number" ? `${MAX_PICTURES} highest by “${column.name}”` : `first ${MAX_PICTURES}`;
  return [
    app.hiddenSentence(rows),
    nPlaceless ? `${formatCount(nPlaceless)} of them ${nPlaceless === 1 ? "has" : "have"} no place in this map.` : "",
    app.saveFragment && rows.length > MAX_ROWS
      ? `The address of the page holds at most ${MAX_ROWS} selected samples, so it does not hold these. Save them as a file.`
      : "",
    rows.length > MAX_PICTURES && app.models[0].painter ? `Pictured: the ${choice}.` : "",
  ];
}

/** Return a bar per class of the selection, the most frequent first. */
function histogramRows(column, rows, isDark) {
  if (!column || !rows.length) return [];
  const counts = new Map();
  for (const row of rows) counts.set(column.values.data[row], (counts.get(column.values.data[row]) ?? 0) + 1);
  const entries = [...counts].sort((a, b) => b[1] - a[1]);
  const bars = entries.slice(0, MAX_BARS).map(([code, count]) =>
    html(
      "div.bar",
      {},
      html("span.bar-name", { title: column.classes[code] ?? "no label" }, column.classes[code] ?? "no label"),
      html(
        "span.bar-track",
        {},
        html("span.bar-fill", {
          style: `width: ${(100 * count) / entries[0][1]}%; background: ${classColor(column, code, isDark)}`,
        }),
      ),
      html("span.bar-count", {}, formatCount(count)),
    ),
  );
  if (entries.length > MAX_BARS)
    bars.push(html("p.note", {}, `and ${countOf(entries.length - MAX_BARS, "more class", "more classes")}`));
  return bars;
}
