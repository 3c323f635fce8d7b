"""Encoding, decoding, the manifold and t-SNE on a GPU, and steps captured in a CUDA graph.

Peers are the loops of tutorials on the same GPU.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

import vaeviz
from benchmarks.cases import Case
from benchmarks.draw import decoder_call_each, our_manifold
from benchmarks.trained import trained_run
from vaeviz.data.loading import load_data
from vaeviz.embeddings._base import clear_embedding_cache
from vaeviz.embeddings.torch_tsne import NeighborGraph, RepulsionField
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
        _map_case(x, data_dir, card),
    ]


def _map_case(x: np.ndarray, data_dir: Path | None, card: str) -> Case:
    codes = vaeviz.encode(trained_run(data_dir, latent_dim=16), x).mean
    engines = {"torch_tsne": embed_with("torch_tsne", codes), "opentsne": embed_with("opentsne", codes)}
    embed_with("torch_tsne", codes[:2000])()
    peers = {"openTSNE on the processor": engines["opentsne"]} if importlib.util.find_spec("openTSNE") else {}
    return Case(
        name=f"t-SNE of {len(codes):,} codes on {card}",
        ours={"torch_tsne": engines["torch_tsne"]},
        peers=peers or {"torch_tsne again": engines["torch_tsne"]},
        check=lambda made: _describe_divergences(codes, made),
        rounds=1,
        note="The goal was 2 s on an H100",
    )


def embed_with(engine: str, codes: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a function that maps the codes anew with an engine."""

    def work() -> np.ndarray:
        clear_embedding_cache()
        return vaeviz.embed(codes, engine).points

    return work


def _describe_divergences(codes: np.ndarray, made: Mapping[str, np.ndarray]) -> str:
    """Describe KL(p || q) of each map, with the affinities p that torch_tsne uses."""
    graph = NeighborGraph.of(torch.tensor(codes - codes.mean(axis=0), device="cuda"), 30.0)
    p = graph.affinities.double()
    texts = []
    for name, points in made.items():
        y = torch.tensor(points, dtype=torch.float32, device="cuda")
        squares = (y[graph.rows] - y[graph.columns]).double().square().sum(dim=1)
        normalizer = (RepulsionField(y).at(y)[1].double() - 1).sum()
        texts.append(f"{name} {(p * (p.log() + (1 + squares).log())).sum() + normalizer.log():.3f}")
    return f"KL(p || q): {', '.join(texts)}"


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
