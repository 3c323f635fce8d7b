"""Ten epochs of the reference VAE at batch 50, 12,000 steps, on a GPU, beside the tutorial loop on that GPU.

The data lie on the device, and the steps are captured in a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks.cases import Case
from benchmarks.tutorial import first_model, tutorial
from vaeviz.data.loading import load_data
from vaeviz_models import fit

BATCH = 50
EPOCHS = 10
PRECISIONS = ("float32", "bfloat16")
GOAL = 0.02


def cases(data_dir: Path | None) -> list[Case]:
    """One case; none on a machine without a GPU. Each work has trained an epoch of another model already."""
    if not torch.cuda.is_available():
        return []
    x = load_data("mnist", split="train", data_dir=data_dir).x
    for work in (*(ours(x, precision, 1) for precision in PRECISIONS), peer(x, 1)):
        work()
    return [
        Case(
            name=f"{EPOCHS} epochs of 784-512-2, batch {BATCH}, on {torch.cuda.get_device_name()}",
            ours={precision: ours(x, precision, EPOCHS) for precision in PRECISIONS},
            peers={"tutorial loop": peer(x, EPOCHS)},
            goal=dict.fromkeys(PRECISIONS, GOAL),
            check=_agreement,
            rounds=3,
        )
    ]


def remarks() -> list[str]:
    """That nothing was measured, where nothing was."""
    return [] if torch.cuda.is_available() else ["Not yet measured: this machine has no GPU, and none was lent"]


def ours(x: np.ndarray, precision: str, epochs: int) -> Callable[[], float]:
    """`fit` from the first weights, the transfer of the data and the capture of the steps included."""

    def work() -> float:
        settings = {"epochs": epochs, "batch_size": BATCH, "precision": precision, "device": "cuda"}
        return fit(first_model(), x, progress=False, **settings)["train_elbo"][-1]

    return work


def peer(x: np.ndarray, epochs: int) -> Callable[[], float]:
    def work() -> float:
        epoch = tutorial(x, BATCH, "cuda")
        return [epoch() for _ in range(epochs)][-1]

    return work


def _agreement(made: Mapping[str, float]) -> str:
    elbos = ", ".join(f"{name} {elbo:.2f}" for name, elbo in made.items())
    return f"mean training ELBO of the last epoch, in nats: {elbos}"
