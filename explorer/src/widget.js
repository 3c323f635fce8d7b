/** The notebook widget: the same explorer, with the decoder that runs in Python. */

import { html } from "./dom.js";
import { createExplorer } from "./explorer.js";

const CURSOR_MILLISECONDS = 100; // without a movement before Python gets the cursor
const ANSWER_SECONDS = 30; // without an answer before a picture would be taken for that of the cursor

/** Return the bytes of an array that a trait holds. */
function bytesOfTrait(arrays, name) {
  const view = arrays[name];
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Return a function that sends codes to Python and waits for the samples. */
function createLiveDecoder(model) {
  const waiting = new Map();
  let lastId = 0;
  const listener = (message, buffers) => {
    const request = waiting.get(message.id);
    if (!request) return;
    waiting.delete(message.id);
    clearTimeout(request.timer);
    if (message.type === "failed") request.reject(new Error(message.message));
    else
      request.resolve(
        new Float32Array(buffers[0].buffer.slice(buffers[0].byteOffset, buffers[0].byteOffset + buffers[0].byteLength)),
      );
  };
  model.on("msg:custom", listener);
  const decode = (codes, n, condition, isOther = false) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`Python did not answer within ${ANSWER_SECONDS} seconds. Its kernel may be busy or stopped.`));
      }, 1000 * ANSWER_SECONDS);
      waiting.set(id, { resolve, reject, timer });
      model.send({ type: "decode", id, n, condition, other: isOther }, undefined, [codes.buffer]);
    });
  const stop = () => {
    model.off("msg:custom", listener);
    for (const { timer } of waiting.values()) clearTimeout(timer);
  };
  return { decode, stop };
}

/**
 * Show the widget; anywidget calls this for each output cell.
 * @param {{model: any, el: HTMLElement}} cell
 */
export async function render({ model, el }) {
  const { decode, stop } = createLiveDecoder(model);
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  let cursorTimer = 0;
  let sentCursor = "";
  const element = document.createElement("div");
  el.append(element);
  const hooks = {
    decode,
    onSelect: (rows) => set("selected_rows", rows),
    onCursor: (code) => {
      clearTimeout(cursorTimer);
      cursorTimer = setTimeout(() => {
        sentCursor = code.join();
        set("cursor", code);
      }, CURSOR_MILLISECONDS);
    },
  };
  const bytesOf = (name) => bytesOfTrait(model.get("arrays"), name);
  const app = await createExplorer(element, model.get("scene"), bytesOf, hooks).catch((error) => {
    stop();
    element.replaceChildren(html("p", { role: "alert" }, `The explorer could not be shown: ${error.message}`));
    throw error;
  });
  const onSelected = () => {
    const rows = model.get("selected_rows");
    if (rows.join() !== (app.shared.state.selection ?? []).join())
      app.shared.set({ selection: rows.length ? rows : null });
  };
  const onCursorSet = () => {
    const code = model.get("cursor");
    if (code.length && code.join() !== sentCursor) app.goTo(code);
  };
  onSelected(); // what Python selected before the widget was shown
  model.on("change:selected_rows", onSelected);
  model.on("change:cursor", onCursorSet);
  return () => {
    clearTimeout(cursorTimer);
    stop();
    model.off("change:selected_rows", onSelected);
    model.off("change:cursor", onCursorSet);
    app.close();
  };
}
