"""Figures of many points and of many decoded images, as PNG at 300 dpi, beside the recipes that people paste."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import vaeviz
from benchmarks.cases import Case
from vaeviz.data import load_data
from vaeviz.posterior import Posterior
from vaeviz_models import VAE, fit, mlp, seeded

POINTS = {70_000: 0.25, 1_000_000: 0.08}
"""How many points, and the ratio to reach."""
SIDE, DPI = 30, 300
MEMORY = "Peak memory beyond that of the process before it drew 1,000,000 points, in multiples of the arrays (20 MB)"


def cases(data_dir: Path | None) -> list[Case]:
    """Scatters of codes with ten classes, and a manifold of 30 × 30 images."""
    return [*(_scatter(total, goal) for total, goal in POINTS.items()), _manifold(data_dir)]


def tables(_: Path | None) -> list[dict[str, Any]]:
    """The memory of one scatter of a million points, each way in a process of its own."""
    rows = [(name, _memory(name)) for name in ("vaeviz.latent_scatter", "plt.scatter(c=labels)")]
    return [{"title": MEMORY, "columns": ("drawn by", "multiple"), "rows": rows}]


def codes(total: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten clusters in the plane, (N, 2) in float32, and their labels (N,) in int64."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=total)
    centres = rng.standard_normal((10, 2))
    return (centres[labels] + 0.4 * rng.standard_normal((total, 2))).astype(np.float32), labels


def ours_scatter(z: np.ndarray, labels: np.ndarray) -> bytes:
    figure = _figure()
    vaeviz.latent_scatter(Posterior(z), z, labels, ax=figure.subplots())
    return _png(figure)


def peer_scatter(z: np.ndarray, labels: np.ndarray) -> bytes:
    """As in the Keras example: one scatter, and a colour bar."""
    figure = _figure()
    ax = figure.subplots()
    figure.colorbar(ax.scatter(z[:, 0], z[:, 1], c=labels, cmap="tab10", s=2))
    ax.set(xlabel="z[0]", ylabel="z[1]")
    return _png(figure)


def _scatter(total: int, goal: float) -> Case:
    z, labels = codes(total)
    for work in (ours_scatter, peer_scatter):
        work(z[:1000], labels[:1000])
    return Case(
        name=f"latent scatter, {total:,} points",
        ours={"latent_scatter": lambda: ours_scatter(z, labels)},
        peers={"plt.scatter(c=labels)": lambda: peer_scatter(z, labels)},
        goal={"latent_scatter": goal},
        rounds=5 if total < 500_000 else 3,
    )


def ours_manifold(model: VAE) -> bytes:
    figure = _figure()
    vaeviz.manifold_grid(model, n=SIDE, ax=figure.subplots())
    return _png(figure)


def peer_one_image(model: VAE) -> bytes:
    """All codes decoded at once, and one array shown: the best recipe."""
    figure = _figure()
    images = _decoded(model, _nodes()).reshape(SIDE, SIDE, 28, 28).swapaxes(1, 2)
    figure.subplots().imshow(images.reshape(28 * SIDE, 28 * SIDE), cmap="Greys_r")
    return _png(figure)


def peer_many_axes(model: VAE) -> bytes:
    """As many notebooks do it: one call of the decoder and one Axes for each image."""
    figure = _figure()
    for ax, code in zip(figure.subplots(SIDE, SIDE).flat, _nodes()):
        ax.imshow(_decoded(model, code[None])[0].reshape(28, 28), cmap="Greys_r")
        ax.axis("off")
    return _png(figure)


def _manifold(data_dir: Path | None) -> Case:
    model = seeded(mlp, (28, 28), seed=0)
    fit(model, load_data("mnist", split="test", data_dir=data_dir).x, epochs=1)
    ours_manifold(model), peer_one_image(model)
    return Case(
        name="manifold of 30 × 30 images, decoded and drawn",
        ours={"manifold_grid": lambda: ours_manifold(model)},
        peers={
            "900 calls, 900 Axes": lambda: peer_many_axes(model),
        },
        goal={"manifold_grid": 0.08},
        check=lambda made: f"One call and one imshow, on square axes without nodes, take {_seconds(model):.2f} s here",
        rounds=3,
    )


def _seconds(model: VAE) -> float:
    from time import perf_counter

    began = perf_counter()
    peer_one_image(model)
    return perf_counter() - began


def _nodes() -> np.ndarray:
    from scipy.stats import norm

    line = norm.ppf(np.linspace(0.05, 0.95, SIDE)).astype(np.float32)
    return np.stack([axis.ravel() for axis in np.meshgrid(line, line[::-1])], axis=1)


def _decoded(model: VAE, z: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.sigmoid(model.decoder(torch.from_numpy(z))).numpy()


def _figure() -> Figure:
    figure = Figure(figsize=(6, 6))
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, dpi=DPI)
    return file.getvalue()


def _memory(name: str) -> str:
    done = subprocess.run([sys.executable, "-m", "benchmarks.draw", name], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _multiple(draw: Any) -> float:
    """What drawing adds to the memory of this process at most, in multiples of the arrays drawn."""
    draw(*codes(1000))
    z, labels = codes(1_000_000)
    with open("/proc/self/statm") as file:
        before = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    draw(z, labels)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak - before) / (z.nbytes + labels.nbytes)


if __name__ == "__main__":
    print(f"{_multiple(ours_scatter if sys.argv[1].startswith('vaeviz') else peer_scatter):.1f}")
