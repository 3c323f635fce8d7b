"""The figures that nearly everybody makes of a VAE, on all 70,000 MNIST images, beside a script with the usual recipes.

Both encode the images once, and write the same eight figures as PNG at 300 dpi, of about the same sizes and of the same
numbers of images: the latent scatter, the manifold, reconstructions, samples, interpolations, traversals, the
reconstruction errors by digit, and the training curves.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from scipy.stats import norm
from torch.utils.data import DataLoader, TensorDataset

import vaeviz
from benchmarks.cases import Case
from benchmarks.trained import trained_run
from vaeviz.data.dataset import Dataset
from vaeviz.data.loading import load_data
from vaeviz_models import VAE
from vaeviz_models.runs.folder import open_run, read_history

matplotlib.use("agg")
import matplotlib.pyplot as plt

DPI = 300
SIDE = 30  # of the manifold, in images
USUAL = (
    "latent_scatter",
    "manifold_grid",
    "reconstruction_pairs",
    "samples",
    "interpolation",
    "traversal",
    "reconstruction_error",
    "training_curves",
)


def cases(data_dir: Path | None) -> list[Case]:
    """The usual figures; and all that `vaeviz export` draws of this model, with its answers, beside the same script."""
    data = load_data("mnist", split="all", data_dir=data_dir)
    run = trained_run(data_dir)
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    recipes = {"usual recipes": lambda: by_recipes(run, data, folder / "recipes")}
    few = data[:1000]
    ours(run, few, folder / "warm", None)
    by_recipes(run, few, folder / "warm")
    return [
        Case(
            name="the eight usual figures of 70,000 images",
            ours={"export_figures": lambda: ours(run, data, folder / "usual", USUAL)},
            peers=recipes,
            goal={"export_figures": 0.25},
            check=_written,
            rounds=3,
        ),
        Case(
            name="all figures that apply, t-SNE apart, and the findings, of 70,000 images",
            ours={
                "one process": lambda: ours(run, data, folder / "all", None),
                "two processes": lambda: ours(run, data, folder / "all", None, jobs=2),
            },
            peers=recipes,
            check=_written,
            rounds=3,
            note="The peer draws the eight usual figures only; the others have no usual recipe",
        ),
    ]


def ours(run: Path, data: Dataset, out: Path, plots: tuple[str, ...] | None, jobs: int = 1) -> int:
    """Write a figure set; returns how many figures it has. A latent of two dimensions needs no t-SNE."""
    settings = {"manifold_grid": {"n_grid": SIDE}}
    records = vaeviz.export_figures(out, model=run, data=data, plots=plots, settings=settings, jobs=jobs)
    failed = [record.plot for record in records if record.status == "failed"]
    if failed:
        raise RuntimeError(f"could not be drawn: {', '.join(failed)}")
    return sum(record.status == "drawn" for record in records)


@torch.no_grad()
def by_recipes(run: Path, data: Dataset, out: Path) -> int:
    """The same by what tutorials and notebooks do: an Axes an image, a call a code of the manifold."""
    out.mkdir(parents=True, exist_ok=True)
    model, _ = open_run(run)
    model.eval()
    x = torch.from_numpy(data.x)
    z = torch.cat([model.encode(batch)[0] for (batch,) in DataLoader(TensorDataset(x), batch_size=128)])
    recipes: dict[str, Callable[[], Any]] = {
        "latent": lambda: scatter(z, data.labels),
        "manifold": lambda: manifold(model),
        "reconstructions": lambda: grid_of(torch.cat([x[:10], model.decode(z[:10]).reshape(10, 28, 28)]), 2, 10),
        "samples": lambda: grid_of(model.decode(torch.randn(64, 2)), 8, 8),
        "interpolation": lambda: grid_of(model.decode(between(z[:5], z[5:10])), 5, 10),
        "traversal": lambda: grid_of(model.decode(along_each()), 2, 11),
        "errors": lambda: errors(model, x, z, data.labels),
        "training": lambda: curves(read_history(run)),
    }
    for name, draw in recipes.items():
        draw()
        plt.savefig(out / f"{name}.png", dpi=DPI)
        plt.close()
    return len(recipes)


def scatter(z: torch.Tensor, labels: np.ndarray) -> None:
    plt.figure()
    plt.scatter(z[:, 0], z[:, 1], c=labels, cmap="tab10")
    plt.colorbar()


def manifold(model: VAE) -> None:
    along = norm.ppf((np.arange(SIDE) + 0.5) / SIDE)
    _, axes = plt.subplots(SIDE, SIDE, figsize=(7, 7))
    for row, y in zip(axes, along[::-1]):
        for ax, x in zip(row, along):
            show(ax, model.decode(torch.tensor([[x, y]], dtype=torch.float32)))


def grid_of(images: torch.Tensor, rows: int, columns: int) -> None:
    _, axes = plt.subplots(rows, columns, figsize=(7, 7 * rows / columns))
    for ax, image in zip(axes.flat, images, strict=True):
        show(ax, image)


def show(ax: Any, image: torch.Tensor) -> None:
    ax.imshow(image.reshape(28, 28).numpy(), cmap="gray")
    ax.axis("off")


def between(starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    t = torch.linspace(0, 1, 10)[:, None]
    return torch.cat([(1 - t) * start + t * end for start, end in zip(starts, ends)])


def along_each() -> torch.Tensor:
    return torch.cat([torch.linspace(-3, 3, 11)[:, None] * direction for direction in torch.eye(2)])


def errors(model: VAE, x: torch.Tensor, z: torch.Tensor, labels: np.ndarray) -> None:
    parts = DataLoader(TensorDataset(x, z), batch_size=128)
    mse = torch.cat([((model.decode(code) - batch) ** 2).mean(dim=(1, 2)) for batch, code in parts]).numpy()
    plt.figure()
    plt.boxplot([mse[labels == digit] for digit in range(10)])


def curves(history: Mapping[str, np.ndarray]) -> None:
    plt.figure()
    for name, values in history.items():
        if name != "epoch":
            plt.plot(history["epoch"], values, label=name)
    plt.legend()


def _written(made: Mapping[str, int]) -> str:
    return "Figures written: " + ", ".join(f"{count} ({name})" for name, count in made.items())
