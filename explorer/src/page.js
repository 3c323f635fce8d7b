/** The offline page: reads the scene and its arrays from the document. */

import { fromBase64 } from "./arrays.js";
import { html } from "./dom.js";
import { createExplorer } from "./explorer.js";

/**
 * Show the scene that a document carries.
 * @param {Document} document
 */
export async function openPage(document) {
  const element = document.getElementById("explorer");
  try {
    const scene = JSON.parse(document.getElementById("scene").textContent);
    const bytesOf = (name) => {
      const script = document.getElementById(`array-${name}`);
      if (!script) throw new Error(`The page holds no array named ${name}.`);
      return fromBase64(script.textContent.trim());
    };
    const keepsFragment = location.protocol !== "about:"; // a page inside a notebook has no address of its own
    /** @type {any} */ (element).explorer = await createExplorer(element, scene, bytesOf, { keepsFragment }); // for scripts
    element.dataset.ready = "true";
  } catch (error) {
    element.replaceChildren(html("p.failure", { role: "alert" }, `The page could not be opened: ${error.message}`));
    throw error;
  }
}
