/** What the page says about its data: notes of Python, limits, and what holes are. */

import { checkDecoder } from "../check.js";
import { html } from "../dom.js";

/**
 * Create the part.
 * @param {any} app
 */
export function createNotes(app) {
  const scenes = app.models.map((model) => model.scene);
  const sentences = scenes.flatMap((scene) => [
    ...(scene.notes ?? []),
    scene.samples?.note,
    scene.density?.note,
    scene.holes?.meaning,
  ]);
  if (!app.views[0].renderer.isHardware)
    sentences.push("This browser has no WebGL. Points are drawn without it, which is slow for many.");
  const unique = [...new Set(sentences.filter(Boolean))];
  const keys =
    "Drag to move, scroll or pinch to zoom, Shift and drag for a lasso. Click an empty place to keep the cursor there, samples to add them to a path. The plot also works with the keyboard: arrow keys move the cursor, Enter picks the nearest sample, Escape clears.";
  const element = html(
    "details.notes",
    {},
    html("summary", {}, "About this page"),
    ...[...unique, keys].map((sentence) => html("p", {}, sentence)),
  );
  for (const model of app.models) {
    checkDecoder(model).then((result) => {
      if (!result) return;
      element.append(html(result.isExact ? "p" : "p.failure", {}, result.sentence));
      if (!result.isExact) element.open = true;
    });
  }
  return element;
}
