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
    async (model, row, condition) => {
      if (!model.decoder?.isFree) return { values: null };
      const [values] = await model.decoder.decode([model.codeOf(row)], model.conditionOf(row, condition));
      return { values, name: rebuiltName(app, model, condition) };
    },
    ({ values, name }) => display.showRebuilt(values, name),
    fail(display.showRebuilt),
  );
  const decodeProbe = latestOnly(
    async (probe) => {
      const { model, space, code, condition } = probe;
      return { probe, values: model.canDecode(space) ? (await model.decoder.decode([code], condition))[0] : null };
    },
    ({ probe, values }) => {
      failure.hidden = true;
      if (values) display.showDecoded(values, cursorName(app, probe));
      else display.showDecoded(null, undefined, reasonNotDecoded(probe.model));
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
    if (models.some(({ decoder }) => decoder?.isFree)) decodeRow(model, row, own.state.condition);
  }

  function showProbe() {
    const { probe } = shared.state;
    verdict.className = `verdict ${probe.isHole ? "hole" : probe.isFar ? "far" : "near"}`;
    verdict.textContent = verdictOf(probe);
    densities.replaceChildren(...densityFacts(probe));
    if (painter && models.some(({ decoder }) => decoder)) decodeProbe(probe);
  }

  shared.on(["hoverRow", "path", "probe", "activeView", "colorBy"], showRow);
  shared.on(["probe"], showProbe);
  return element;
}

/** Return what is decoded: the cursor, in which model, and under which condition. */
function cursorName(app, { model, condition }) {
  const choice = model.scene.condition?.choices[condition];
  return `At the cursor${app.placeName(model)}${choice === undefined ? "" : ` · ${choice}`}`;
}

/** Return what a reconstruction is, with the chosen condition if a sample's own is not known. */
function rebuiltName(app, model, choice) {
  const { condition } = model.scene;
  const name = `Reconstruction${app.placeName(model)}`;
  return !condition || condition.of_rows ? name : `${name} · ${condition.choices[choice]}`;
}

function reasonNotDecoded(model) {
  return model.decoder ? `Choose ${model.space(model.firstSpace).label} as axes` : "not decoded";
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
      !painter || painter.isPicture ? null : signalScale(painter),
    ),
    showSample: (row, name) => sample.show((canvas) => painter.drawRow(canvas, row), name),
    showRebuilt: show(rebuilt),
    showDecoded: show(decoded),
  };
}

/** Say which values the frames of signals hold, and which line is which channel. */
function signalScale(painter) {
  const [low, high] = painter.limits.map(formatNumber);
  const channels = painter
    .channels()
    .map(({ name, color }) => html("span", {}, html("i.swatch", { style: `background: ${color}` }), name));
  return html("p.note.channels", {}, ...channels, `Frames span ${low} to ${high}, which covers 99 % of all values.`);
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
    showRebuilt: (values, name) => table.show(1, values, name),
    showDecoded: (values, name) => table.show(names.length - 1, values, name),
  };
}

function verdictOf({ isFar, isHole, nearest, limit, limitName, space, model }) {
  const distance = formatNumber(nearest.distances[0]);
  const hasSliders = space.dims.length > 0 && model.nDims > space.dims.length;
  const here = hasSliders ? "here, at the values of the sliders" : "here";
  if (isHole)
    return `Hole: the prior has mass ${here}, but q(z) has almost none. The nearest code is ${distance} away.`;
  if (isFar && space.isMap) return "No code of the data lies here in this map.";
  if (isFar)
    return `No code of the data lies ${here}. The nearest is ${distance} away; ${limitName} of the codes have another within ${formatNumber(limit)}.`;
  const decoding = model.canDecode(space) ? " Decoded from the 3 nearest codes of the map." : "";
  if (space.isMap) return `Codes of the data lie here; the nearest is ${distance} away in latent space.${decoding}`;
  if (limit === undefined) return `The nearest code of the data is ${distance} away.`;
  return `Codes of the data lie here: the nearest is ${distance} away, and ${limitName} of the codes have another within ${formatNumber(limit)}.`;
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
