"""What ten epochs of the reference VAE give, in each precision and with Keras 3: test ELBOs of many seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.train import keras, keras_vae, layers  # keras on the backend that it chose
from benchmarks.tutorial import first_model
from vaeviz.data.loading import load_data
from vaeviz_models import evaluate, fit
from vaeviz_models.training.precision import has_bfloat16_units

SEEDS, PEER_SEEDS = 30, 10
SETTINGS = {"epochs": 10, "batch_size": 128}
TITLE = """784-512-2 on MNIST, batch 128, ten epochs: test ELBO in nats a digit, scored by `evaluate` in float32. For a
seed all begin with the same weights. The last column is the mean difference from float32 of the same seeds, with its
standard error."""
COLUMNS = ("trained in", "seed 0", "seed 1", "seed 2", "seeds", "mean", "standard deviation", "beside float32")


def tables(data_dir: Path | None) -> list[dict[str, Any]]:
    """The one table, as a record that the report takes."""
    x, test_x = (load_data("mnist", split=split, data_dir=data_dir).x for split in ("train", "test"))
    plain = np.array([ours(x, test_x, "float32", seed) for seed in range(SEEDS)])
    rows = [_row("float32", plain)]
    if has_bfloat16_units(torch.device("cpu")):
        elbos = np.array([ours(x, test_x, "bfloat16", seed) for seed in range(SEEDS)])
        rows.append(_row("bfloat16", elbos, beside=plain))
    elbos = np.array([peer_keras(x, test_x, seed) for seed in range(PEER_SEEDS)])
    rows.append(_row("Keras 3 on jax", elbos, beside=plain[:PEER_SEEDS]))
    return [{"title": TITLE, "columns": COLUMNS, "rows": rows}]


def ours(x: np.ndarray, test_x: np.ndarray, precision: str, seed: int) -> float:
    """The test ELBO after `fit`."""
    model = first_model(seed)
    return fit(model, x, test_x, precision=precision, seed=seed, device="cpu", **SETTINGS)["test_elbo"][-1]


def peer_keras(x: np.ndarray, test_x: np.ndarray, seed: int) -> float:
    """The test ELBO of the weights that Keras ends with."""
    keras.utils.set_random_seed(seed)
    flat, model = x.reshape(len(x), -1), first_model(seed)
    theirs = keras_vae(model, seed)
    theirs.fit(flat, flat, verbose=0, **SETTINGS)
    with torch.no_grad():
        for name, layer in layers(model).items():
            weight, bias = theirs.get_layer(name).get_weights()
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
    return evaluate(model, test_x, seed=seed)["elbo"]


def _row(name: str, elbos: np.ndarray, beside: np.ndarray | None = None) -> tuple[str, ...]:
    texts = [name, *(f"{elbo:.2f}" for elbo in elbos[:3]), f"{len(elbos)}"]
    texts += [f"{elbos.mean():.2f}", f"{elbos.std(ddof=1):.2f}"]
    if beside is None:
        return (*texts, "")
    difference = elbos - beside
    return (*texts, f"{difference.mean():+.2f} ± {difference.std(ddof=1) / len(difference) ** 0.5:.2f}")
