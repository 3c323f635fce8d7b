/** Script of the worker that decodes: it receives the network once, and then codes. */

import { decodeCode } from "./network.js";

let network = null;

self.addEventListener("message", ({ data }) => {
  if (data.network) {
    network = data.network;
    return;
  }
  const { id, code, choice } = data;
  try {
    self.postMessage({ id, sample: decodeCode(network, code, choice) });
  } catch (error) {
    self.postMessage({ id, message: error.message });
  }
});
