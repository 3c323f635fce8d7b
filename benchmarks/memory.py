"""Peak memory and time of encoding, analysis and export by the size of the data on disk, each in its own process.

Run it with ``python -m benchmarks.memory [--out FILE]``, or ``python -m benchmarks memory`` to update RESULTS.md.
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

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
DTYPES = ("float32", "uint8")
BLOCK_SIZE = 10_000  # images written at once
LATENT_DIM = 8
TITLE = f"""Peak resident memory of a process, Python and torch included, and seconds, imports included, for images of
28 × 28 in a memory-mapped .npy file and an untrained 784-512-{LATENT_DIM} VAE. The latent means and standard deviations
({8 * LATENT_DIM} bytes per sample) and what is computed from them are in memory. "Per 100,000" is the slope between the
two largest numbers of images."""
COLUMNS = ("values", "N", "on disk (MB)", "encode", "analysis", "export without t-SNE")


def tables(_: Path | None = None) -> list[dict[str, Any]]:
    """Return the table for the report."""
    return [{"title": TITLE, "columns": COLUMNS, "rows": [row for dtype in DTYPES for row in _rows(dtype)]}]


def _rows(dtype: str) -> list[tuple[str, ...]]:
    """Return a row for each number of images for which the disk has twice the space, and one for the slope."""
    rows, measured = [], {}
    for total in SIZES:
        needed = total * 784 * np.dtype(dtype).itemsize
        with tempfile.TemporaryDirectory() as folder:
            if shutil.disk_usage(folder).free < 2 * needed:
                continue
            _write_images(Path(folder), total, dtype)
            measured[total] = np.array([_measure(work, folder) for work in WORKS])
        rows.append((dtype, f"{total:,}", f"{needed / 1e6:.0f}", *map(_cell, measured[total])))
    if len(measured) > 1:
        (first, low), (last, high) = list(measured.items())[-2:]
        rows.append((dtype, "per 100,000", "", *map(_cell, (high - low) / (last - first) * 100_000)))
    return rows


def _cell(measured: np.ndarray) -> str:
    peak, seconds = measured
    return f"{peak:.0f} MB, {seconds:.2f} s"


def _write_images(folder: Path, total: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    block = rng.random((BLOCK_SIZE, 28, 28), dtype=np.float32)
    block = block if dtype == "float32" else (255 * block).astype(np.uint8)
    with (folder / "x.npy").open("wb") as file:
        header = {"descr": block.dtype.str, "fortran_order": False, "shape": (total, 28, 28)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(total // BLOCK_SIZE):
            block.tofile(file)
    np.save(folder / "y.npy", rng.integers(10, size=total))


def _measure(work: str, folder: str) -> tuple[float, float]:
    """Return the peak memory (MB) and the time (s) of a task in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--work", work, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{work}: {done.stderr.strip().splitlines()[-1]}")
    print(f"memory | {work} | {done.stdout.strip()}", file=sys.stderr, flush=True)
    peak, seconds = map(float, done.stdout.split())
    return peak, seconds


def encode(folder: Path) -> None:
    """Encode all images."""
    import vaeviz

    model, data = _open_model_and_data(folder)
    assert len(vaeviz.encode(model, data.x)) == len(data)


def analysis(folder: Path) -> None:
    """Compute every measure of the latent space, and the error of every reconstruction."""
    import vaeviz
    from vaeviz.analysis.reconstruction import errors_from_means

    model, data = _open_model_and_data(folder)
    opened = vaeviz.open(model)
    posterior = vaeviz.encode(opened.encoder, data.x)
    vaeviz.elbo_terms(posterior, data.x, opened.inputs["likelihood"])
    vaeviz.prior_mismatch(posterior)
    vaeviz.find_holes(posterior)
    vaeviz.triage(posterior, opened.decoder, data.x)
    assert len(errors_from_means(opened.decoder, posterior, data.x)) == len(data)


def export(folder: Path) -> None:
    """Draw every plot except those with a map."""
    import vaeviz

    model, data = _open_model_and_data(folder)
    plots = [name for name in vaeviz.plot_names() if name not in ("tsne", "map_quality")]
    records = vaeviz.export_figures(folder / "figures", model=model, data=data, plots=plots)
    failed = [f"{record.plot}: {record.reason}" for record in records if record.status == "failed"]
    if failed:
        raise RuntimeError("; ".join(failed))


WORKS = {work.__name__: work for work in (encode, analysis, export)}


def _open_model_and_data(folder: Path) -> tuple[Any, Any]:
    import vaeviz
    from vaeviz_models import mlp, seeded

    data = vaeviz.load_data(str(folder / "x.npy"), labels=str(folder / "y.npy"))
    return seeded(mlp, (28, 28), latent_dim=LATENT_DIM, seed=0), data


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the tables to this JSON file.  [default: print them]"
)
@click.option("--work", type=click.Choice(list(WORKS)), hidden=True, help="Do this task in this process.")
@click.option("--folder", type=click.Path(path_type=Path), hidden=True, help="Folder with its data.")
def main(out: Path | None, work: str | None, folder: Path | None) -> None:
    """Measure memory and time, and write or print the table."""
    if work:
        start = time.perf_counter()
        WORKS[work](folder)
        click.echo(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} {time.perf_counter() - start}")
        return
    text = json.dumps({"tables": tables()}, indent=1, ensure_ascii=False) + "\n"
    click.echo(text) if out is None else out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
