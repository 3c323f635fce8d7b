/** The panel's first part: a sample, its reconstruction, what the cursor decodes to, and what the place means. */

import { html, latestOnly } from "../dom.js";
import { formatNumber } from "../format.js";
import { createValueTable } from "./table.js";
import { createTile } from "./tiles.js";

/**
 * Create the part.
 * @param {any} app
 */
export function createProbePanel(app) {
  const { shared, models } = app;
  const verdict = html("p.verdict", { role: "status" });
  const densities = html("dl.facts.densities");
  const failure = html("p.failure", { role: "alert", hidden: true });
  const { painter } = models[0];
  const display = painter?.isTable ? tableDisplay(painter, models) : tileDisplay(painter, models);
  const element = html(
    "section",
    { "aria-label": "Cursor" },
    painter ? display.element : null,
    failure,
    verdict,
    densities,
  );

  const fail = (show) => (error) => {
    failure.textContent = `Not decoded: ${error.message}`;
    failure.hidden = false;
    show(null);
  };
  const decodeRow = latestOnly(
    async (model, row, condition) => (await model.decoder.decode([model.codeOf(row)], condition))[0],
    display.showRebuilt,
    fail(display.showRebuilt),
  );
  const decodeProbe = latestOnly(
    async (probe) => ({ probe, values: (await probe.model.decoder.decode([probe.code], probe.condition))[0] }),
    ({ probe, values }) => {
      failure.hidden = true;
      display.showDecoded(values, cursorName(app, probe));
      app.decoded = values;
    },
    fail(display.showDecoded),
  );

  function showRow() {
    if (!painter) return;
    const { model, own } = app.activeView;
    const row = app.shownRow();
    const label = app.classColumn() ? ` · ${app.shortLabel(row)}` : "";
    display.showSample(row, `Sample ${model.nameOf(row)}${label}`);
    if (model.decoder?.isFree) decodeRow(model, row, model.conditionOf(row, own.state.condition));
  }

  function showProbe() {
    const { probe } = shared.state;
    verdict.className = `verdict ${probe.isHole ? "hole" : probe.isFar ? "far" : "near"}`;
    verdict.textContent = verdictOf(probe);
    densities.replaceChildren(...densityFacts(probe));
    if (!painter || !probe.model.decoder) return;
    if (probe.model.canDecode(probe.space)) decodeProbe(probe);
    else display.showDecoded(null, undefined, `Choose ${probe.model.space(probe.model.firstSpace).label} as axes`);
  }

  shared.on(["hoverRow", "path", "probe", "activeView", "colorBy"], showRow);
  shared.on(["probe"], showProbe);
  return element;
}

/** Return what is decoded: the cursor, in which view, and under which condition. */
function cursorName(app, { view, model, condition }) {
  const place = app.views.length > 1 ? ` in ${"AB"[app.views.indexOf(view)]}` : "";
  const choice = model.scene.condition?.choices[condition];
  return `At the cursor${place}${choice === undefined ? "" : ` · ${choice}`}`;
}

/** Show samples as tiles; those that no model of the page can decode are left out. */
function tileDisplay(painter, models) {
  const [sample, rebuilt, decoded] = ["Sample", "Reconstruction", "At the cursor"].map(createTile);
  rebuilt.element.hidden = !models.some(({ decoder }) => decoder?.isFree);
  decoded.element.hidden = !models.some(({ decoder }) => decoder);
  const show =
    (tile) =>
    (values, name, reason = "not decoded") =>
      values ? tile.show((canvas) => painter.drawValues(canvas, values), name) : tile.say(reason);
  return {
    element: html(
      `div.tiles${painter?.isPicture ? "" : ".wide"}`,
      {},
      sample.element,
      rebuilt.element,
      decoded.element,
    ),
    showSample: (row, name) => sample.show((canvas) => painter.drawRow(canvas, row), name),
    showRebuilt: show(rebuilt),
    showDecoded: show(decoded),
  };
}

/** Show table rows side by side. */
function tableDisplay(painter, models) {
  const names = ["Sample"];
  if (models.some(({ decoder }) => decoder?.isFree)) names.push("Reconstruction");
  if (models.some(({ decoder }) => decoder)) names.push("At the cursor");
  const table = createValueTable(painter, names);
  return {
    element: table.element,
    showSample: (row, name) => {
      const place = painter.placeOf(row);
      table.show(0, place < 0 ? null : painter.valuesOf(place), name);
    },
    showRebuilt: (values) => table.show(1, values),
    showDecoded: (values, name) => table.show(names.length - 1, values, name),
  };
}

function verdictOf({ isFar, isHole, nearest, limit, limitName, space, model }) {
  const distance = formatNumber(nearest.distances[0]);
  if (isHole) return `Hole: the prior has mass here, but q(z) has almost none. The nearest code is ${distance} away.`;
  if (isFar && space.isMap) return "No code of the data lies here in this map.";
  if (isFar)
    return `No code of the data lies here. The nearest is ${distance} away; ${limitName} have another within ${formatNumber(limit)}.`;
  const decoding = space.isMap && model.decoder ? " Decoded from the 3 nearest codes of the map." : "";
  return `Codes of the data lie here; the nearest is ${distance} away.${decoding}`;
}

function densityFacts({ aggregate, prior, space, point }) {
  const place = space.isMap
    ? []
    : [
        [
          space.axes.slice(0, space.dims.length || 2).join(", "),
          point
            .slice(0, space.dims.length || 2)
            .map(formatNumber)
            .join(", "),
        ],
      ];
  const densities = [
    ["ln q(z), data", aggregate],
    ["ln p(z), prior", prior],
  ].filter(([, value]) => value !== null);
  const entries = [...place, ...densities.map(([name, value]) => [name, `${formatNumber(value)} nats`])];
  return entries.flatMap(([name, text]) => [html("dt", {}, name), html("dd", {}, text)]);
}
