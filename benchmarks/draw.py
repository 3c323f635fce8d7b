"""Figures of many points and of many images as PNG at 300 dpi, compared with the usual recipes.

The peak memory of a scatter is measured in its own process: ``python -m benchmarks.draw WORK FILE``, with points and
labels in the .npz FILE.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from scipy.stats import norm

import vaeviz
from benchmarks.cases import Case
from vaeviz import Posterior

matplotlib.use("agg")
import matplotlib.pyplot as plt

DPI = 300
MILLION = 1_000_000
N_GRID = 30  # images per side of the manifold


def cases(data_dir: Path | None) -> list[Case]:
    """Return scatters of 70,000 posterior means and of a million codes drawn from the posteriors, and the manifold."""
    from benchmarks.trained import trained_run
    from vaeviz.data.loading import load_data

    data = load_data("mnist", split="all", data_dir=data_dir)
    model = vaeviz.open(trained_run(data_dir))
    posterior = vaeviz.encode(model.encoder, data.x)
    means, labels = posterior.mean, data.labels
    codes, code_labels = _million(posterior, labels)
    for draw in (our_scatter, plain_scatter):
        draw(means[:1000], labels[:1000])  # loads fonts and pyplot
    return [
        _scatter_case("latent scatter of 70,000 points", means, labels, goal=0.25),
        _scatter_case("latent scatter of 1,000,000 points", codes, code_labels, goal=0.08, memory=True),
        *_manifold_cases(model.decoder),
    ]


@dataclass(frozen=True)
class Picture:
    """Size of a PNG in bytes, and the points (N, 2) or pixels (30 H, 30 W) that it shows."""

    n_bytes: int
    values: np.ndarray


def our_scatter(z: np.ndarray, labels: np.ndarray) -> Picture:
    """Draw a scatter with vaeviz."""
    ax = vaeviz.latent_scatter(Posterior(z), z, labels, ax=plt.figure(layout="constrained").subplots())
    (marks,) = [*ax.collections, *ax.images]
    return _save_picture(ax.figure, marks.points)


def plain_scatter(z: np.ndarray, labels: np.ndarray) -> Picture:
    """Draw a scatter with one call of pyplot."""
    figure = plt.figure()
    points = plt.scatter(z[:, 0], z[:, 1], c=labels, cmap="tab10")
    plt.colorbar()
    return _save_picture(figure, points.get_offsets())


def our_manifold(decoder: Any) -> Picture:
    """Draw the manifold with vaeviz."""
    ax = vaeviz.manifold_grid(decoder, n_grid=N_GRID, ax=plt.figure(figsize=(10, 10), layout="constrained").subplots())
    mosaic = np.ma.filled(ax.images[0].get_array(), np.nan)
    gaps = np.isnan(mosaic)
    return _save_picture(ax.figure, mosaic[~gaps.all(axis=1)][:, ~gaps.all(axis=0)])


@torch.no_grad()
def decoder_call_each(decode: Any) -> Picture:
    """Draw the manifold with one call of the decoder and one Axes per image."""
    figure, axes = plt.subplots(N_GRID, N_GRID, figsize=(10, 10))
    for z, ax in zip(_grid(), axes.flat, strict=True):
        ax.imshow(decode(z[None]).numpy().reshape(28, 28), cmap="gray")
        ax.axis("off")
    return _save_picture(figure, np.block([[ax.images[0].get_array() for ax in row] for row in axes]))


@torch.no_grad()
def one_call_one_image(decode: Any) -> Picture:
    """Draw the manifold with one call of the decoder and one imshow."""
    images = decode(_grid()).numpy().reshape(N_GRID, N_GRID, 28, 28)
    figure = plt.figure(figsize=(10, 10))
    image = plt.imshow(images.transpose(0, 2, 1, 3).reshape(N_GRID * 28, N_GRID * 28), cmap="gray")
    return _save_picture(figure, image.get_array())


def _scatter_case(
    name: str, z: np.ndarray, labels: np.ndarray, *, goal: float, rounds: int = 5, memory: bool = False
) -> Case:
    return Case(
        name=name,
        ours={"latent_scatter": lambda: our_scatter(z, labels)},
        peers={"plt.scatter(c=labels)": lambda: plain_scatter(z, labels)},
        goal={"latent_scatter": goal},
        check=(lambda made: f"{_describe_pictures(made)}. {_describe_memory(z, labels)}")
        if memory
        else _describe_pictures,
        rounds=rounds,
    )


def _manifold_cases(decoder: Any) -> list[Case]:
    decode = decoder.fn
    with torch.no_grad():
        decode(_grid())
    ours = {"manifold_grid": lambda: our_manifold(decoder)}
    name = f"manifold of {N_GRID} × {N_GRID} images"
    each, one = lambda: decoder_call_each(decode), lambda: one_call_one_image(decode)
    return [
        Case(
            name,
            ours,
            {"900 calls, 900 Axes": each},
            goal={"manifold_grid": 0.08},
            check=_describe_pictures,
            rounds=9,
            note="Half of our time is PNG compression. Ours takes half as long again in rounds in which it runs after "
            "the 900 Axes, compared with rounds in which it runs first",
        ),
        Case(f"{name}, compared with the shortest code", ours, {"one call, one imshow": one}, check=_describe_pictures),
    ]


def _grid() -> torch.Tensor:
    """Return codes of equal prior mass, (900, 2)."""
    along = norm.ppf((np.arange(N_GRID) + 0.5) / N_GRID)
    return torch.tensor([(x, y) for y in along[::-1] for x in along], dtype=torch.float32)


def _million(posterior: Posterior, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.integers(len(posterior), size=MILLION)
    noise = rng.standard_normal((MILLION, 2), dtype=np.float32)
    return posterior.mean[rows] + posterior.std[rows] * noise, labels[rows]


def _save_picture(figure: Any, values: np.ndarray) -> Picture:
    content = BytesIO()
    figure.savefig(content, dpi=DPI, format="png")
    plt.close(figure)
    return Picture(content.tell(), values)


def _describe_pictures(made: Mapping[str, Picture]) -> str:
    one, other = (picture.values for picture in made.values())
    sizes = ", ".join(f"{picture.n_bytes / 1e6:.1f} MB ({name})" for name, picture in made.items())
    return f"Largest difference between the displayed values: {np.abs(one - other).max():.1e}. PNG size: {sizes}"


WORKS = {"latent_scatter": our_scatter, "plt.scatter": plain_scatter}


def _describe_memory(z: np.ndarray, labels: np.ndarray) -> str:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    np.savez(folder / "points.npz", z=z, labels=labels)
    arrays = z.nbytes + labels.nbytes
    texts = []
    for work in WORKS:
        command = [sys.executable, "-m", "benchmarks.draw", work, str(folder / "points.npz")]
        peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        texts.append(f"{work} {(arrays + peak) / arrays:.1f} × ({peak / 1e6:.0f} MB more)")
    return f"Peak memory relative to the arrays ({arrays / 1e6:.0f} MB): {', '.join(texts)}"


def _measure_memory(work: str, file: str) -> None:
    """Print by how many bytes the work raises the peak of this process, with the arrays loaded and one figure drawn."""
    with np.load(file, allow_pickle=False) as stored:
        z, labels = stored["z"], stored["labels"]
    for _ in range(2):
        WORKS[work](z[:1000], labels[:1000])
    before = _resident_bytes("VmRSS")
    WORKS[work](z, labels)
    print(_resident_bytes("VmHWM") - before)


def _resident_bytes(field: str) -> int:
    """Return the bytes of this process in memory, now (VmRSS) or at most (VmHWM; `ru_maxrss` includes the parent)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    _measure_memory(*sys.argv[1:])
