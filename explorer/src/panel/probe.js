/** The panel's first part: a sample, its reconstruction, what the cursor decodes to, and what the place means. */

import { html, latestOnly } from "../dom.js";
import { formatNumber } from "../format.js";
import { createTile } from "./tiles.js";

const MAX_FACTS = 14; // columns listed for a sample

/**
 * Create the part.
 * @param {any} app
 */
export function createProbePanel(app) {
  const { shared } = app;
  const [sample, rebuilt, decoded] = ["Sample", "Reconstruction", "At the cursor"].map(createTile);
  const facts = html("dl.facts");
  const verdict = html("p.verdict", { role: "status" });
  const densities = html("dl.facts.densities");
  const failure = html("p.failure", { role: "alert", hidden: true });
  const fromHere = html("button", { type: "button", title: "Set the cursor and all sliders to the code of this sample", onclick: () => app.startFrom(app.shownRow()) }, "Start from this sample");
  const pick = html("button", { type: "button", onclick: () => app.pick(app.activeView, app.shownRow()) }, "Pick");
  const tiles = html("div.tiles", {}, sample.element, rebuilt.element, decoded.element);
  const title = html("h2", {}, "Sample");
  const element = html("section", { "aria-label": "Sample and cursor" }, tiles, failure, verdict, densities, html("div.sample-head", {}, title, html("span.buttons", {}, pick, fromHere)), facts);

  const fail = (tile) => (error) => {
    failure.textContent = `The decoder failed: ${error.message}`;
    failure.hidden = false;
    tile.say("failed");
  };
  const decodeRow = latestOnly(
    async (model, row, condition) => {
      const [values] = await model.decoder.decode([model.codeOf(row)], condition);
      return { model, values };
    },
    ({ model, values }) => rebuilt.show((canvas) => model.painter.drawValues(canvas, values)),
    fail(rebuilt),
  );
  const decodeProbe = latestOnly(
    async (probe) => ({ probe, values: (await probe.model.decoder.decode([probe.code], probe.condition))[0] }),
    ({ probe, values }) => {
      failure.hidden = true;
      decoded.show((canvas) => probe.model.painter.drawValues(canvas, values));
      app.decoded = values;
    },
    fail(decoded),
  );

  function showRow() {
    const { model } = app.activeView;
    const row = app.shownRow();
    const { painter, decoder } = model;
    title.textContent = `Sample ${model.nameOf(row)}`;
    pick.textContent = shared.state.path.includes(row) ? "Remove from path" : "Add to path";
    facts.replaceChildren(...rowFacts(app, row));
    tiles.hidden = !painter;
    if (!painter) return;
    tiles.classList.toggle("wide", !painter.isPicture);
    sample.show((canvas) => painter.drawRow(canvas, row));
    if (decoder?.isFree) decodeRow(model, row, model.conditionOf(row, app.activeView.own.state.condition));
    else rebuilt.say(decoder ? "needs a decoder that runs on the page" : "no decoder");
  }

  function showProbe() {
    const { probe } = shared.state;
    verdict.className = `verdict ${probe.isHole ? "hole" : probe.isFar ? "far" : "near"}`;
    verdict.textContent = verdictOf(probe);
    densities.replaceChildren(...densityFacts(probe));
    if (!probe.model.painter) return;
    if (probe.model.decoder) decodeProbe(probe);
    else decoded.say("no decoder");
  }

  shared.on(["hoverRow", "path", "probe", "activeView", "colorBy"], showRow);
  shared.on(["probe"], showProbe);
  return element;
}

/** Return the terms and values of a sample. */
function rowFacts(app, row) {
  const { columns } = app.activeView.model.scene;
  const shown = [...columns].sort((a, b) => Number(b.name === app.shared.state.colorBy) - Number(a.name === app.shared.state.colorBy));
  return shown.slice(0, MAX_FACTS).flatMap((column) => [html("dt", {}, column.name), html("dd", {}, valueText(column, row))]);
}

/**
 * Return a sample's value in a column as text.
 * @param {any} column
 * @param {number} row
 */
export function valueText(column, row) {
  const value = column.values.data[row];
  if (column.kind === "classes") return column.classes[value] ?? "no label";
  return Number.isFinite(value) ? `${formatNumber(value)}${column.unit ? ` ${column.unit}` : ""}` : "no value";
}

function verdictOf({ isFar, isHole, nearest, limit, limitName, space, model }) {
  const distance = formatNumber(nearest.distances[0]);
  if (isHole) return `Hole: the prior has mass here, but q(z) has almost none. The nearest code is ${distance} away.`;
  if (isFar && space.isMap) return "No code of the data lies here in this map.";
  if (isFar) return `No code of the data lies here. The nearest is ${distance} away; ${limitName} have another within ${formatNumber(limit)}.`;
  const decoding = space.isMap && model.decoder ? " Decoded from the 3 nearest codes of the map." : "";
  return `Codes of the data lie here; the nearest is ${distance} away.${decoding}`;
}

function densityFacts({ aggregate, prior }) {
  const entries = [["ln q(z), data", aggregate], ["ln p(z), prior", prior]].filter(([, value]) => value !== null);
  return entries.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, `${formatNumber(value)} nats`)]);
}
