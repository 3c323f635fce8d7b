"""Posterior means and spreads of all 70,000 MNIST images from a 784-512-2 VAE, beside the loop over a DataLoader."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

import vaeviz
from benchmarks.cases import Case
from vaeviz.data.loading import load_data
from vaeviz_models import VAE, mlp, seeded

Codes = tuple[np.ndarray, np.ndarray]
"""Means and standard deviations, (N, 2) each."""

NOTES = {
    "loader of images": "Each picture opened by itself, as torchvision's MNIST does it (which is not installed here)",
    "loader of a TensorDataset": "The images are tensors in memory already, so that the products are most of the loop",
    "matrix products alone": "The least that any encoder of this network takes",
}


def cases(data_dir: Path | None) -> list[Case]:
    """One case a peer. All of them have run once."""
    x = load_data("mnist", split="all", data_dir=data_dir).x
    pixels = np.rint(255 * x).astype(np.uint8)
    model = seeded(mlp, (28, 28), seed=0)
    encoding = {"float32": lambda: ours(model, x)}
    peers = {
        "loader of images": lambda: peer_loader(model, Images(pixels)),
        "loader of a TensorDataset": lambda: peer_loader(model, TensorDataset(torch.from_numpy(x))),
        "matrix products alone": lambda: products(model, x),
    }
    for work in (*encoding.values(), *peers.values()):
        work()
    goals = {"loader of images": {"float32": 0.10}}
    return [
        Case(
            name=f"encode 70,000 images, all checks on, beside: {name}",
            ours=encoding,
            peers={name: work},
            goal=goals.get(name, {}),
            check=_agreement,
            note=NOTES.get(name, ""),
        )
        for name, work in peers.items()
    ]


def ours(model: VAE, x: np.ndarray) -> Codes:
    """`vaeviz.encode`: finite input, rows, shapes, finite output, and that the encoder does not sample, all checked."""
    posterior = vaeviz.encode(model, x)
    return posterior.mean, posterior.std


class Images(Dataset):
    """Pictures that are opened and turned into tensors one by one: the steps of torchvision's MNIST with ToTensor."""

    def __init__(self, pixels: np.ndarray):
        self.pixels, self.labels = torch.from_numpy(pixels), torch.zeros(len(pixels), dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.pixels[index].numpy())
        image = torch.from_numpy(np.array(picture, np.uint8, copy=True)).view(*picture.size, 1)
        return image.permute(2, 0, 1).contiguous().to(torch.float32).div(255), int(self.labels[index])


@torch.no_grad()
def peer_loader(model: VAE, dataset: Dataset) -> Codes:
    """The loop that tutorials write, with batches of 128 and no workers."""
    means, stds = [], []
    model.eval()
    for batch, *_ in DataLoader(dataset, batch_size=128):
        mean, log_var = model.encode(batch)
        means.append(mean)
        stds.append(torch.exp(0.5 * log_var))
    return torch.cat(means).numpy(), torch.cat(stds).numpy()


@torch.no_grad()
def products(model: VAE, x: np.ndarray) -> Codes:
    """Matrix products, the ReLU and the exponential, on as large batches as stay in the cache."""
    first, head = model.encoder.features[0], model.encoder.head
    weight = torch.cat([head.mean.weight, head.log_var.weight])
    bias = torch.cat([head.mean.bias, head.log_var.bias])
    parts = []
    for batch in torch.from_numpy(x).flatten(1).split(1024):
        parts.append(torch.addmm(bias, torch.addmm(first.bias, batch, first.weight.T).relu_(), weight.T))
    mean, log_var = torch.cat(parts).chunk(2, dim=1)
    return mean.numpy(), log_var.mul(0.5).exp().numpy()


def _agreement(made: Mapping[str, Any]) -> str:
    (mean, std), (their_mean, their_std) = made.values()
    largest = max(np.abs(mean - their_mean).max(), np.abs(std - their_std).max())
    return f"largest difference of a mean or spread: {largest:.1e}"
