"""Scenes of a known toy model, and the pages that carry them, for tests of the front end."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

STATIC = Path(__file__).parents[2] / "vaeviz/explorer/static"
SIDE = 12  # pixels of a picture


class ToyModel:
    """A decoder with one hidden layer, and samples that it decodes from known codes."""

    def __init__(self, n_samples: int = 300, n_dims: int = 3, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 4, n_samples).astype(np.int32)
        centers = np.array([[-1.5, -1], [1.5, -1], [-1.2, 1.4], [1.2, 1.4]])
        self.codes = rng.normal(0, 0.35, (n_samples, n_dims)).astype(np.float32)
        n_shown = min(n_dims, 2)
        self.codes[:, :n_shown] += centers[self.labels, :n_shown].astype(np.float32)
        self.log_var = np.full((n_samples, n_dims), -3, np.float32)
        self.hidden = rng.normal(0, 1, (16, n_dims)).astype(np.float32)
        self.weight = rng.normal(0, 0.6, (SIDE * SIDE, 16)).astype(np.float32)
        self.x = self.decode(self.codes)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Return pictures (N, SIDE, SIDE) in [0, 1]."""
        logits = np.tanh(z @ self.hidden.T) @ self.weight.T
        return np.asarray(1 / (1 + np.exp(-logits))).reshape(len(z), SIDE, SIDE)


class Scene:
    """The JSON document and its arrays, as the page carries them."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def ref(self, name: str, values: Any) -> dict[str, Any]:
        """Keep an array and return the reference to it."""
        self.arrays[name] = np.ascontiguousarray(values)
        return {"name": name, "dtype": str(self.arrays[name].dtype), "shape": list(self.arrays[name].shape)}

    def sheets(self, x: np.ndarray, per_row: int = 20) -> dict[str, Any]:
        """Return the samples of a scene, as one PNG sheet."""
        rows = -(-len(x) // per_row)
        sheet = np.zeros((rows * SIDE, per_row * SIDE), np.uint8)
        for k, picture in enumerate(x):
            top, left = k // per_row * SIDE, k % per_row * SIDE
            sheet[top : top + SIDE, left : left + SIDE] = np.round(picture * 255)
        png = io.BytesIO()
        Image.fromarray(sheet).save(png, "PNG")
        array = self.ref("sheet-0", np.frombuffer(png.getvalue(), np.uint8))
        return {
            "kind": "image",
            "shape": [SIDE, SIDE],
            "n_pictured": len(x),
            "note": None,
            "sheets": [{"mime": "image/png", "array": array}],
            "tile": [SIDE, SIDE],
            "tiles_per_row": per_row,
            "tiles_per_sheet": per_row * rows,
        }

    def graph(self, model: ToyModel) -> dict[str, Any]:
        """Return the toy decoder as a graph."""
        return {
            "inputs": ["z"],
            "output": "y",
            "nodes": [
                {"op": "linear", "inputs": ["z"], "output": "h", "weight": "w1", "bias": None},
                {"op": "tanh", "inputs": ["h"], "output": "t"},
                {"op": "linear", "inputs": ["t"], "output": "l", "weight": "w2", "bias": None},
                {"op": "sigmoid", "inputs": ["l"], "output": "y"},
            ],
            "weights": {"w1": self.ref("w1", model.hidden), "w2": self.ref("w2", model.weight)},
        }


def toy_scene(model: ToyModel, class_names: list[str] | None = None) -> tuple[dict[str, Any], Scene]:
    """Return the scene of a toy model whose decoder runs on the page."""
    scene = Scene()
    n_samples, n_dims = model.codes.shape
    names = class_names or ["zero", "one", "two", "three"]
    colors = ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2"]
    error = np.abs(model.codes).sum(1)
    document: dict[str, Any] = {
        "version": 1,
        "title": "toy · pictures",
        "n_samples": n_samples,
        "latent_dim": n_dims,
        "codes": scene.ref("codes", model.codes),
        "log_var": scene.ref("log_var", model.log_var),
        "dimensions": [
            {
                "index": i,
                "name": f"z{i + 1}",
                "kl": 2.0 - 0.5 * i,
                "active": True,
                "range": [float(v) for v in np.quantile(model.codes[:, i], [0.01, 0.99])],
                "median": float(np.median(model.codes[:, i])),
            }
            for i in range(n_dims)
        ],
        "maps": [],
        "columns": [
            {
                "name": "label",
                "kind": "classes",
                "values": scene.ref("label", model.labels),
                "classes": names,
                "colors": colors[: len(names)],
            },
            {
                "name": "reconstruction error",
                "kind": "number",
                "values": scene.ref("error", error.astype(np.float32)),
                "limits": [float(error.min()), float(error.max())],
                "unit": "nats",
            },
        ],
        "color_by": "label",
        "row_ids": None,
        "samples": scene.sheets(model.x),
        "value_range": [0, 1],
        "decoder": {"method": "network", "note": "The decoder runs on this page.", "graph": scene.graph(model)},
        "condition": None,
        "neighbor_distance": {"99 %": 0.6},
        "density": {"prior": "standard normal", "n_components": n_samples, "rows": None},
        "holes": {
            "threshold": -6.0,
            "prior_radius": 3.37,
            "meaning": "Hatched: ln q(z) below that of 99 % of its codes.",
        },
        "notes": ["All samples are shown."],
        "python": {"rows": "x[[{rows}]]"},
        "other": None,
    }
    return document, scene


def write_page(path: Path, document: dict[str, Any], scene: Scene) -> Path:
    """Write the page of a scene with the committed bundle."""
    text = json.dumps(document).replace("<", "\\u003c")
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src blob: data:; worker-src blob:\"><title>explorer</title>",
        f"<style>{(STATIC / 'explorer.css').read_text()}</style><div id=explorer></div>",
        f'<script type="application/json" id="scene">{text}</script>',
    ]
    for name, array in scene.arrays.items():
        data = base64.b64encode(array.tobytes()).decode()
        parts.append(f'<script type="application/octet-stream" id="array-{name}">{data}</script>')
    parts.append(f'<script type="module">{(STATIC / "explorer.js").read_text()}</script></html>')
    path.write_text("\n".join(parts), "utf-8")
    return path
