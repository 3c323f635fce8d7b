"""Time and peak memory by the number of codes, each in its own process: encoding by dask, analysis, and a scatter.

Run it with ``python -m benchmarks.large [--out FILE]``, or ``python -m benchmarks large`` to update RESULTS.md. It
needs dask and datashader.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
MAX_WIDE_CODES = 10_000_000  # of 16 dimensions, 640 MB in each of two files
CODE_SIZE = 16
N_CLASSES = 10
N_BLOCK = 1_000_000  # codes written, and samples in a block of dask, at once
TITLE = f"""Seconds, and the memory (MB) that a process needs beyond that of its libraries, by the number of codes.
`encode` maps a matrix product over the blocks of a dask array of {CODE_SIZE} numbers per sample on disk,
`active_dimensions` and `latent_scatter` read memory-mapped codes of {CODE_SIZE} dimensions, and the last three draw
points of two dimensions with {N_CLASSES} classes to a PNG file. datashader checks no values and draws no legend, limits
or title, which explains why it takes less time for a million points."""


def tables(_: Path | None = None, max_codes: int = SIZES[-1]) -> list[dict[str, Any]]:
    """Return the table for the report."""
    rows = [row for total in SIZES if total <= max_codes and (row := _row(total))]
    return [{"title": TITLE, "columns": ("N", *WORKS), "rows": rows}]


def _row(total: int) -> tuple[str, ...] | None:
    """Return the measurements for a number of codes, or None if the disk has less than twice the space."""
    wide = total <= MAX_WIDE_CODES
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 2 * total * 4 * (2 * CODE_SIZE * wide + 2):
            return None
        _write_codes(Path(folder), total, wide=wide)
        return (f"{total:,}", *(_measure(work, folder) if wide or work in FLAT else "" for work in WORKS))


def _write_codes(folder: Path, total: int, *, wide: bool) -> None:
    """Write means and standard deviations of many dimensions, if they are wanted, and points of two dimensions."""
    rng = np.random.default_rng(0)
    shapes = {"mean": CODE_SIZE, "std": CODE_SIZE, "points": 2} if wide else {"points": 2}
    for name, size in shapes.items():
        stored = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (total, size))
        for start in range(0, total, N_BLOCK):
            part = stored[start : start + N_BLOCK]
            part[:] = 0.5 if name == "std" else rng.standard_normal(part.shape, dtype=np.float32)
    np.save(folder / "labels.npy", rng.integers(N_CLASSES, size=total, dtype=np.uint8))


def _measure(work: str, folder: str) -> str:
    command = [sys.executable, "-m", "benchmarks.large", "--work", work, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{work}: {done.stderr.strip().splitlines()[-1]}")
    print(f"large | {work} | {done.stdout.strip()}", file=sys.stderr, flush=True)
    return done.stdout.strip()


def encode(folder: Path) -> None:
    """Encode the blocks of a dask array."""
    import dask.array as da

    import vaeviz

    x = _load(folder, "mean")
    weights = np.eye(CODE_SIZE, dtype=np.float32)
    encoder = vaeviz.Encoder(lambda x: (x @ weights, 0 * x - 1), returns="mean,log_var")
    assert len(vaeviz.encode(encoder, da.from_array(x, chunks=(N_BLOCK // 10, CODE_SIZE)))) == len(x)


def active_dimensions(folder: Path) -> None:
    """Find the active dimensions."""
    import vaeviz
    from vaeviz.analysis.active_dimensions import active_dimensions

    active_dimensions(vaeviz.Posterior(_load(folder, "mean"), _load(folder, "std"), "normal"))


def latent_scatter(folder: Path) -> None:
    """Draw the two most active of many dimensions."""
    import vaeviz

    mean = _load(folder, "mean")
    posterior = vaeviz.Posterior(mean, _load(folder, "std"), "normal")
    vaeviz.latent_scatter(posterior, mean, np.load(folder / "labels.npy")).figure.savefig(folder / "scatter.png")


def vaeviz_points(folder: Path) -> None:
    """Draw points with vaeviz."""
    import vaeviz

    points = _load(folder, "points")
    ax = vaeviz.latent_scatter(vaeviz.Posterior(points), points, np.load(folder / "labels.npy"))
    ax.figure.savefig(folder / "scatter.png")


def datashader_points(folder: Path) -> None:
    """Draw points with datashader."""
    import datashader as ds
    import matplotlib.pyplot as plt
    import pandas as pd
    from datashader.mpl_ext import dsshow

    points, labels = np.load(folder / "points.npy"), np.load(folder / "labels.npy")
    frame = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "label": pd.Categorical(labels)})
    figure, ax = plt.subplots()
    dsshow(frame, ds.Point("x", "y"), ds.count_cat("label"), norm="eq_hist", ax=ax)
    figure.savefig(folder / "scatter.png")


def matplotlib_points(folder: Path) -> None:
    """Draw points with matplotlib, one pixel each, and one class after the other."""
    import matplotlib.pyplot as plt

    points, labels = np.load(folder / "points.npy"), np.load(folder / "labels.npy")
    figure, ax = plt.subplots()
    for label in range(N_CLASSES):
        ax.plot(*points[labels == label].T, ",")
    figure.savefig(folder / "scatter.png")


FLAT = {work.__name__: work for work in (vaeviz_points, datashader_points, matplotlib_points)}
WORKS = {work.__name__: work for work in (encode, active_dimensions, latent_scatter)} | FLAT


def _load(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def _timed(work: str, folder: Path) -> str:
    """Do a task for a few codes, which loads libraries and compiles, and then measure it."""
    import matplotlib

    matplotlib.use("agg")
    with tempfile.TemporaryDirectory() as small:
        _write_codes(Path(small), 1000, wide=True)
        WORKS[work](Path(small))
    before, start = _peak(), time.perf_counter()
    WORKS[work](folder)
    return f"{time.perf_counter() - start:.2f} s, {_peak() - before:.0f} MB"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the tables to this JSON file.  [default: print them]"
)
@click.option("--work", type=click.Choice(list(WORKS)), hidden=True, help="Do this task in this process.")
@click.option("--folder", type=click.Path(path_type=Path), hidden=True, help="Folder with its data.")
@click.option("--max-codes", type=int, default=SIZES[-1], help="Leave out larger numbers of codes.")
def main(out: Path | None, work: str | None, folder: Path | None, max_codes: int) -> None:
    """Measure time and memory, and write or print the table."""
    if work and folder:
        click.echo(_timed(work, folder))
        return
    text = json.dumps({"tables": tables(max_codes=max_codes)}, indent=1, ensure_ascii=False) + "\n"
    click.echo(text) if out is None else out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
