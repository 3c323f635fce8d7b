"""All figures of a trained VAE on the 70,000 images of MNIST, beside a script of the usual recipes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.cases import Case
from vaeviz.data import Dataset, load_data
from vaeviz.export import export_figures
from vaeviz_models import VAE, fit, mlp, seeded

USUAL = ("latent_scatter", "manifold_grid", "reconstruction_pairs", "samples", "interpolation", "training_curves")
NOTE = """The recipes make six figures: a scatter, 30 × 30 images in as many Axes and calls, two rows of ten
reconstructions, 10 × 10 samples, an interpolation of ten images, two curves"""


def cases(data_dir: Path | None) -> list[Case]:
    """Everything that applies to a 2-D latent without t-SNE, and the six figures that the recipes make."""
    data = load_data("mnist", split="all", data_dir=data_dir)
    model = seeded(mlp, (28, 28), seed=0)
    history = fit(model, data.x[:60_000], data.x[60_000:], epochs=1)
    return [
        Case(
            name="a figure set of 70,000 images, 300 dpi",
            ours={
                "the default set": lambda: ours(model, data, history),
                "the same six figures": lambda: ours(model, data, history, USUAL),
            },
            peers={"the usual recipes": lambda: peer(model, data, history)},
            goal={"the default set": 0.25},
            check=lambda made: f"Figures in the default set: {made['the default set']}",
            rounds=3,
            note=NOTE,
        )
    ]


def ours(model: VAE, data: Dataset, history: dict, plots: tuple[str, ...] | None = None) -> int:
    """The figures of `export_figures`, and how many there are."""
    with tempfile.TemporaryDirectory() as folder:
        records = export_figures(folder, model=model, data=data, history=history, plots=plots, analysis=False)
    return sum(record.status == "drawn" for record in records)


def peer(model: VAE, data: Dataset, history: dict) -> int:
    """What tutorials do, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "latent": _latent(model, data),
            "manifold": _grid([_decode(model, code[None])[0] for code in _nodes(30)], 30, 30),
            "reconstructions": _reconstructions(model, data),
            "samples": _grid(_decode(model, np.random.default_rng(0).standard_normal((100, 2))), 10, 10),
            "interpolation": _grid(_interpolated(model, data), 1, 10),
            "curves": _curves(history),
        }
        for name, figure in figures.items():
            figure.savefig(Path(folder, f"{name}.png"), dpi=300)
    return len(figures)


def _latent(model: VAE, data: Dataset) -> Figure:
    figure, z = _figure(6, 6), _encode(model, data.x)
    ax = figure.subplots()
    figure.colorbar(ax.scatter(z[:, 0], z[:, 1], c=data.labels, cmap="tab10", s=2))
    return figure


def _reconstructions(model: VAE, data: Dataset) -> Figure:
    return _grid([*data.x[:10], *_decode(model, _encode(model, data.x[:10]))], 2, 10)


def _interpolated(model: VAE, data: Dataset) -> np.ndarray:
    first, last = _encode(model, data.x[:2])
    return _decode(model, np.linspace(first, last, 10))


def _curves(history: dict) -> Figure:
    figure = _figure(6, 4)
    ax = figure.subplots()
    for name in ("train_elbo", "test_elbo"):
        ax.plot(history[name], label=name)
    ax.legend()
    return figure


def _grid(images: list[np.ndarray] | np.ndarray, rows: int, columns: int) -> Figure:
    figure = _figure(min(columns, 10), min(rows, 10))
    for ax, image in zip(figure.subplots(rows, columns).flat, images):
        ax.imshow(image.reshape(28, 28), cmap="Greys_r")
        ax.axis("off")
    return figure


def _nodes(side: int) -> np.ndarray:
    line = np.linspace(-2, 2, side)
    return np.stack([axis.ravel() for axis in np.meshgrid(line, line[::-1])], axis=1)


def _encode(model: VAE, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.encode(torch.from_numpy(x))[0].numpy()


def _decode(model: VAE, z: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.sigmoid(model.decoder(torch.from_numpy(z.astype(np.float32)))).numpy()


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure
