"""Encoding, decoding and the manifold with a 784-512-2 VAE on a GPU, and steps captured in a CUDA graph.

Peers are the loops of tutorials on the same GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

import vaeviz
from benchmarks.cases import Case
from benchmarks.draw import decoder_call_each, our_manifold
from vaeviz.data.loading import load_data
from vaeviz_models import VAE, autoencoder, conv, cvae, fit, mlp, seeded

BATCH = 50
N_STEPPED = 12_000  # samples of the comparison of captured with plain steps: 240 steps per epoch
EPOCHS = 2


def cases(data_dir: Path | None) -> list[Case]:
    """Return the cases, after a first run of each task, or none on a machine without a GPU."""
    if not torch.cuda.is_available():
        return []
    x = load_data("mnist", split="all", data_dir=data_dir).x
    model = seeded(mlp, (28, 28), seed=0).to("cuda")
    z = np.random.default_rng(0).standard_normal((len(x), 2)).astype(np.float32)
    card = torch.cuda.get_device_name()
    return [
        _warm_case(
            f"encode 70,000 images on {card}",
            {"encode": lambda: vaeviz.encode(model, x).mean},
            {"loop over a TensorDataset": lambda: encode_loop(model, x)},
        ),
        _warm_case(
            f"decode 70,000 codes on {card}",
            {"decode": lambda: vaeviz.decode(model, z)},
            {"loop over a TensorDataset": lambda: decode_loop(model, z)},
        ),
        Case(
            name=f"manifold of 30 × 30 images on {card}",
            ours={"manifold_grid": lambda: our_manifold(model)},
            peers={"900 calls, 900 Axes": lambda: decoder_call_each(lambda z: model.decode(z.cuda()).cpu())},
            rounds=3,
        ),
    ]


def tables(data_dir: Path | None) -> list[dict[str, Any]]:
    """Compare weights after steps replayed from a CUDA graph with weights after plain steps."""
    if not torch.cuda.is_available():
        return []
    data = load_data("mnist", split="train", data_dir=data_dir)
    rows = [
        [name, precision, *compare_steps(build, data.x[:N_STEPPED], labels, precision)]
        for name, build, labels in (
            ("mlp", lambda: seeded(mlp, (28, 28), seed=0), None),
            ("conv", lambda: seeded(conv, (28, 28), seed=0), None),
            ("autoencoder", lambda: seeded(autoencoder, (28, 28), seed=0), None),
            ("cvae", lambda: seeded(cvae, (28, 28), classes=tuple("0123456789"), seed=0), data.labels[:N_STEPPED]),
        )
        for precision in ("float32", "bfloat16")
    ]
    title = (
        f"Weights after {EPOCHS * N_STEPPED // BATCH} steps with batches of {BATCH}, replayed from a CUDA graph and "
        "plain, and plain twice. Differences are the largest of a weight."
    )
    columns = ["model", "precision", "replayed and plain", "plain and plain", "replayed and replayed"]
    return [{"title": title, "columns": columns, "rows": rows}]


def remarks() -> list[str]:
    """Return the remark that nothing was measured, if there is no GPU."""
    return [] if torch.cuda.is_available() else ["Not measured yet: this machine has no GPU"]


def compare_steps(
    build: Callable[[], VAE], x: np.ndarray, labels: np.ndarray | None, precision: str
) -> tuple[str, str, str]:
    """Train four times from the same weights, and describe how far the weights of two trainings are apart."""

    def train(capturable: bool) -> list[torch.Tensor]:
        model = build()
        model.capturable = capturable
        settings = {"epochs": EPOCHS, "batch_size": BATCH, "precision": precision, "device": "cuda"}
        fit(model, x, None, labels, progress=False, **settings)
        return [tensor.cpu() for tensor in model.state_dict().values()]

    replayed, again, plain, second = train(True), train(True), train(False), train(False)
    return _difference(replayed, plain), _difference(plain, second), _difference(replayed, again)


def _difference(one: list[torch.Tensor], other: list[torch.Tensor]) -> str:
    if all(map(torch.equal, one, other)):
        return "the same bytes"
    return f"{max((a - b).abs().max().item() for a, b in zip(one, other, strict=True)):.1e}"


@torch.no_grad()
def encode_loop(model: VAE, x: np.ndarray) -> np.ndarray:
    """Encode with the loop of tutorials, with batches of 128."""
    loader = DataLoader(TensorDataset(torch.from_numpy(x)), batch_size=128)
    return torch.cat([model.encode(batch.to("cuda"))[0].cpu() for (batch,) in loader]).numpy()


@torch.no_grad()
def decode_loop(model: VAE, z: np.ndarray) -> np.ndarray:
    """Decode with the loop of tutorials, with batches of 128."""
    loader = DataLoader(TensorDataset(torch.from_numpy(z)), batch_size=128)
    return torch.cat([model.decode(batch.to("cuda")).cpu() for (batch,) in loader]).numpy()


def _warm_case(name: str, ours: Mapping[str, Any], peers: Mapping[str, Any]) -> Case:
    for work in (*ours.values(), *peers.values()):
        work()
    return Case(name=name, ours=ours, peers=peers, check=_describe_difference)


def _describe_difference(made: Mapping[str, np.ndarray]) -> str:
    one, other = made.values()
    return f"Largest difference: {np.abs(one.reshape(other.shape) - other).max():.1e}"
