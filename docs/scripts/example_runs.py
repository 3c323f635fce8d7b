"""The trained models of the gallery and the tutorials. They are trained once, and kept in ``docs/_build/runs``."""

from __future__ import annotations

import shlex
import subprocess
import sys
import zlib
from pathlib import Path

import vaeviz

DATA = "glyphs"
FACTORS_DATA = "shapes:ellipses"  # its factors are known
EPOCHS = 15
DENSE = f"--data {DATA} --epochs {EPOCHS} --learning-rate 0.002"
FACTORS = f"--data {FACTORS_DATA} --epochs 8 --batch-size 32 --learning-rate 0.002"
TRAIN_OPTIONS = {
    "2d": f"mlp {DENSE} --latent-dim 2 --hidden 512,256 --keep-epochs",
    "2d-again": f"mlp {DENSE} --latent-dim 2 --hidden 512,256 --seed 1",
    "10d": f"mlp {DENSE} --latent-dim 10",
    "10d-beta": f"mlp {DENSE} --latent-dim 10 --beta 4",
    "conditional": f"cvae {DENSE} --latent-dim 2",
    "factors": f"mlp {FACTORS} --latent-dim 3 --hidden 256 --beta 4",
}
RUNS = Path(__file__).parents[1] / "_build" / "runs"


def run_folder(name: str) -> Path:
    """Return the run folder of an example, and train it first if it does not exist."""
    options = TRAIN_OPTIONS[name]
    checksum = f"{zlib.crc32(options.encode()):08x}"  # other options, another folder
    trained = RUNS / checksum / name
    if not trained.exists():
        partial = trained.with_suffix(".partial")
        command = shlex.split(
            f"-m vaeviz train {options} --threads 1 --overwrite --out"
        )
        subprocess.run(
            [sys.executable, *command, partial],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        partial.rename(trained)
    return trained


def open_example(name: str) -> tuple[vaeviz.Model, vaeviz.Dataset]:
    """Return a trained model and the test split of its data."""
    data = FACTORS_DATA if name == "factors" else DATA
    return vaeviz.open(run_folder(name)), vaeviz.load_data(data)
