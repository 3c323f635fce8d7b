/** Decodes in a worker, so that the page reacts while a network runs. */

import { decodeCode } from "./network.js";

/** Text of the bundle of worker.js, which build.js puts in its place. */
const WORKER_SOURCE = /** @type {any} */ (globalThis).WORKER_SOURCE;
let workerUrl = ""; // one for all workers

/**
 * Return a function that decodes one code at a time, in a worker or, where the browser has none, on this thread.
 * @param {any} network  See decodeCode.
 */
export function decodeInBackground(network) {
  const decodeHere = async (code, choice) => {
    await new Promise((resolve) => setTimeout(resolve)); // a pause in which the page can react
    return decodeCode(network, code, choice);
  };
  const worker = startWorker(network);
  if (!worker) return { decode: decodeHere, close() {} };
  const waiting = new Map();
  let lastId = 0;
  let isBroken = false;
  worker.addEventListener("message", ({ data: { id, sample, message } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (message === undefined) resolve(sample);
    else reject(new Error(message));
  });
  worker.addEventListener("error", () => {
    isBroken = true; // the script could not be started, e.g. because a policy of the page around forbids it
    worker.terminate();
    for (const { code, choice, resolve, reject } of waiting.values()) decodeHere(code, choice).then(resolve, reject);
    waiting.clear();
  });
  const decode = (code, choice) =>
    isBroken
      ? decodeHere(code, choice)
      : new Promise((resolve, reject) => {
          const id = ++lastId;
          waiting.set(id, { code, choice, resolve, reject });
          worker.postMessage({ id, code, choice });
        });
  return { decode, close: () => worker.terminate() };
}

/** Return a worker that has received the network, or null where there can be none. */
function startWorker(network) {
  if (WORKER_SOURCE === undefined || typeof Worker === "undefined") return null;
  workerUrl ||= URL.createObjectURL(new Blob([WORKER_SOURCE], { type: "text/javascript" }));
  try {
    const worker = new Worker(workerUrl);
    worker.postMessage({ network });
    return worker;
  } catch {
    return null;
  }
}
