/** Small scenes and models for the unit tests. */

import { Model } from "../src/model.js";

/** Return a scene of six codes in the plane, with labels and a number. */
export function smallScene(changes = {}) {
  const array = (data, ...shape) => ({ data, shape });
  return {
    title: "small",
    n_samples: 6,
    latent_dim: 2,
    codes: array(Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1, -1, 0, 3, 3), 6, 2),
    log_var: array(new Float32Array(12).fill(-2), 6, 2),
    dimensions: [0, 1].map((index) => ({
      index,
      name: `z${index + 1}`,
      kl: 1,
      active: true,
      range: [-1, 3],
      median: 0.5,
    })),
    maps: [],
    columns: [
      {
        name: "label",
        kind: "classes",
        values: array(Int32Array.of(0, 0, 1, 1, -1, 2), 6),
        classes: ["cat", "dog", 'a "b", c'],
        colors: ["#ff0000", "#00ff00", "#0000ff"],
      },
      {
        name: "error",
        kind: "number",
        values: array(Float32Array.of(1, 2, 3, 4, 5, NaN), 6),
        limits: [1, 5],
        unit: "nats",
      },
    ],
    color_by: "label",
    row_ids: null,
    samples: null,
    decoder: { method: "none" },
    condition: null,
    neighbor_distance: { "99 %": 1.5 },
    density: { prior: "standard normal", rows: null },
    holes: { threshold: -4, prior_radius: 3 },
    ...changes,
  };
}

/** Return the model of a small scene, without pictures and decoder. */
export function smallModel(changes) {
  return new Model(smallScene(changes), null, null);
}
