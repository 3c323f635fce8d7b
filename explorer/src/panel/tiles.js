/** Figures with a sample, its reconstruction or a decoded code. */

import { html } from "../dom.js";

export const STRIP_SCALE = 1; // resolution of signals in strips, half that of tiles, which are larger

/**
 * Create a figure with a canvas and a caption.
 * @param {string} caption
 */
export function createTile(caption) {
  const canvas = html("canvas", { role: "img", "aria-label": caption });
  const message = html("p.tile-message");
  const text = html("figcaption", {}, caption);
  const element = html("figure.tile", {}, html("div.picture", {}, canvas, message), text);
  return {
    element,
    canvas,
    /** Show what a function draws; it returns false if there is nothing to draw. */
    show(draw, label = caption) {
      const isDrawn = draw(canvas) !== false;
      canvas.hidden = !isDrawn;
      message.textContent = isDrawn ? "" : "not pictured";
      text.textContent = label;
      canvas.setAttribute("aria-label", label);
    },
    /** Show a sentence in place of a picture. */
    say(sentence, label = caption) {
      canvas.hidden = true;
      message.textContent = sentence;
      text.textContent = label;
    },
  };
}

/**
 * Create a row of small pictures.
 * @param {any} painter
 */
export function createStrip(painter) {
  const element = html(`div.strip${painter?.isPicture ? "" : painter?.isTable ? ".cells" : ".wide"}`);
  return {
    element,
    /**
     * Show one picture per entry.
     * @param {{draw: (canvas: HTMLCanvasElement) => any, caption: string, isMarked?: boolean, onclick?: () => void}[]} entries
     */
    show(entries) {
      const tiles = entries.map(({ draw, caption, isMarked, onclick }) => {
        const canvas = html("canvas", { role: "img", "aria-label": caption });
        const isDrawn = draw(canvas) !== false;
        const content = [
          isDrawn ? canvas : html("span.tile-message", {}, "–"),
          html("span.strip-caption", {}, caption),
        ];
        const name = `${onclick ? "button" : "div"}.frame${isMarked ? ".marked" : ""}`;
        return html(name, onclick ? { onclick, type: "button", title: caption } : { title: caption }, ...content);
      });
      element.replaceChildren(...tiles);
    },
  };
}
