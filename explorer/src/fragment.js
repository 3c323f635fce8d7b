/** The state of the page in the fragment of its address, so that a view can be bookmarked. */

export const MAX_ROWS = 400; // selected rows that an address holds; more would make it too long
const MISSING = -1; // code of samples without a class
const PREFIXES = ["", "other."];

const round = (value) => Number(value.toPrecision(5));

/**
 * Write rows as ranges: [1, 2, 3, 7] becomes "1-3,7".
 * @param {number[]} rows
 */
export function formatRows(rows) {
  const ranges = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last && row === last[1] + 1) last[1] = row;
    else ranges.push([row, row]);
  }
  return ranges.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(",");
}

/**
 * Read rows from ranges; rows that the data do not have are dropped.
 * @param {string} text
 * @param {number} nSamples
 */
export function parseRows(text, nSamples) {
  return text.split(",").flatMap((range) => {
    const [, first, end = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const length = Math.min(Number(end), nSamples - 1) - Number(first) + 1;
    return length > 0 ? Array.from({ length }, (_, step) => Number(first) + step) : [];
  });
}

/**
 * Return the state as the text of a fragment.
 * @param {any} app
 */
export function writeFragment(app) {
  const { shared, views } = app;
  const { colorBy, hidden, path, selection, showHoles } = shared.state;
  const entries = [];
  if (colorBy !== app.models[0].scene.color_by) entries.push(["color", colorBy ?? ""]);
  const classes = [...hidden].filter((code) => code !== MISSING).sort((a, b) => a - b);
  if (hidden.size)
    entries.push([
      "hide",
      [formatRows(classes), ...(hidden.has(MISSING) ? ["missing"] : [])].filter(Boolean).join(","),
    ]);
  if (path.length) entries.push(["path", path.join(",")]);
  if (selection && selection.length <= MAX_ROWS) entries.push(["select", formatRows(selection)]);
  if (!showHoles) entries.push(["holes", "0"]);
  views.forEach((view, place) => {
    const { own, model, camera } = view;
    const { spaceId, cursor, base, condition } = own.state;
    const add = (name, value) => entries.push([PREFIXES[place] + name, value]);
    if (spaceId !== model.firstSpace) add("axes", spaceId);
    if (cursor) add("at", cursor.map(round).join(","));
    const moved = [...base].flatMap((value, dim) => (value === model.medians[dim] ? [] : [`${dim}:${round(value)}`]));
    if (moved.length) add("sliders", moved.join(","));
    if (condition !== 0) add("condition", condition);
    if (camera.zoom !== 1 || camera.x !== camera.home.x || camera.y !== camera.home.y)
      add("view", [camera.x, camera.y, camera.zoom].map(round).join(","));
  });
  return new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
}

/**
 * Set the state from the text of a fragment; what it does not name, or what does not fit the data, is as at first.
 * @param {any} app
 * @param {string} text
 */
export function readFragment(app, text) {
  const { shared, views, models } = app;
  const entries = new URLSearchParams(text);
  const numbers = (name) => (entries.get(name) ?? "").split(",").filter(Boolean).map(Number);
  const { nSamples } = models[0];
  const color = entries.get("color");
  const isColor = color !== null && (color === "" || app.column(color));
  shared.set({ colorBy: (isColor ? color : models[0].scene.color_by) || null });
  const hide = entries.get("hide") ?? "";
  const path = numbers("path").filter((row) => Number.isInteger(row) && row >= 0 && row < nSamples);
  shared.set({
    hidden: new Set([
      ...parseRows(hide, app.colorColumn()?.classes?.length ?? 0),
      ...(hide.endsWith("missing") ? [MISSING] : []),
    ]),
    path,
    selection: entries.has("select") ? parseRows(entries.get("select"), nSamples) : null,
    showHoles: entries.get("holes") !== "0",
  });
  views.forEach((view, place) => {
    const { own, model } = view;
    const read = (name) => numbers(PREFIXES[place] + name);
    const spaceId = entries.get(`${PREFIXES[place]}axes`);
    own.set({ spaceId: spaceId && model.space(spaceId) ? spaceId : model.firstSpace });
    const cursor = read("at");
    own.set({ cursor: cursor.length === 2 && cursor.every(Number.isFinite) ? cursor : null });
    const base = Float32Array.from(model.medians);
    for (const item of (entries.get(`${PREFIXES[place]}sliders`) ?? "").split(",").filter(Boolean)) {
      const [dim, value] = item.split(":").map(Number);
      if (dim in base && Number.isFinite(value)) base[dim] = value;
    }
    const [condition] = read("condition");
    const isChoice = condition in (model.scene.condition?.choices ?? []);
    own.set({ base, moved: null, condition: isChoice ? condition : 0 });
    const camera = read("view");
    view.camera.reset();
    if (camera.length === 3 && camera.every(Number.isFinite) && camera[2] > 0)
      [view.camera.x, view.camera.y, view.camera.zoom] = camera;
    view.viewChanged();
  });
}
