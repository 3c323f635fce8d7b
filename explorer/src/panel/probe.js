/** The panel's first part: a sample, its reconstruction, what the cursor decodes to, and what the place means. */

import { html, latestOnly } from "../dom.js";
import { formatNumber } from "../format.js";
import { createTile } from "./tiles.js";

/**
 * Create the part.
 * @param {any} app
 */
export function createProbePanel(app) {
  const { shared } = app;
  const [sample, rebuilt, decoded] = ["Sample", "Reconstruction", "At the cursor"].map(createTile);
  const verdict = html("p.verdict", { role: "status" });
  const densities = html("dl.facts.densities");
  const failure = html("p.failure", { role: "alert", hidden: true });
  const tiles = html("div.tiles", {}, sample.element, rebuilt.element, decoded.element);
  const element = html("section", { "aria-label": "Cursor" }, tiles, failure, verdict, densities);

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
    tiles.hidden = !painter;
    if (!painter) return;
    tiles.classList.toggle("wide", !painter.isPicture);
    const label = app.colorColumn()?.kind === "classes" ? ` · ${app.shortLabel(row)}` : "";
    sample.show((canvas) => painter.drawRow(canvas, row), `Sample ${model.nameOf(row)}${label}`);
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

function verdictOf({ isFar, isHole, nearest, limit, limitName, space, model }) {
  const distance = formatNumber(nearest.distances[0]);
  if (isHole) return `Hole: the prior has mass here, but q(z) has almost none. The nearest code is ${distance} away.`;
  if (isFar && space.isMap) return "No code of the data lies here in this map.";
  if (isFar) return `No code of the data lies here. The nearest is ${distance} away; ${limitName} have another within ${formatNumber(limit)}.`;
  const decoding = space.isMap && model.decoder ? " Decoded from the 3 nearest codes of the map." : "";
  return `Codes of the data lie here; the nearest is ${distance} away.${decoding}`;
}

function densityFacts({ aggregate, prior, space, point }) {
  const place = space.isMap ? [] : [[space.axes.slice(0, space.dims.length || 2).join(", "), point.slice(0, space.dims.length || 2).map(formatNumber).join(", ")]];
  const densities = [["ln q(z), data", aggregate], ["ln p(z), prior", prior]].filter(([, value]) => value !== null);
  const entries = [...place, ...densities.map(([name, value]) => [name, `${formatNumber(value)} nats`])];
  return entries.flatMap(([name, text]) => [html("dt", {}, name), html("dd", {}, text)]);
}
