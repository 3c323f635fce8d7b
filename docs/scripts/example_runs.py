"""The trained models of the gallery and the tutorials. They are trained once, and kept in ``docs/_build/runs``."""

from __future__ import annotations

import shlex
import subprocess
import sys
import zlib
from pathlib import Path

import vaeviz

DATA = "digits"
EPOCHS = 100
FACTORS_DATA = "squares"  # its factors are known
GAUSSIAN = "--likelihood gaussian-learned --std 0.3"
TRAIN_OPTIONS = {
    "2d": f"mlp --data {DATA} --latent-dim 2 --epochs {EPOCHS} {GAUSSIAN}",
    "2d-again": f"mlp --data {DATA} --latent-dim 2 --epochs {EPOCHS} --seed 1 {GAUSSIAN}",
    "8d": f"mlp --data {DATA} --latent-dim 8 --epochs {EPOCHS} {GAUSSIAN}",
    "8d-beta": f"mlp --data {DATA} --latent-dim 8 --epochs {EPOCHS} --beta 4 {GAUSSIAN}",
    "conditional": f"cvae --data {DATA} --latent-dim 2 --epochs {EPOCHS} {GAUSSIAN}",
    "factors": f"mlp --data {FACTORS_DATA} --latent-dim 6 --epochs 15",
}
RUNS = Path(__file__).parents[1] / "_build" / "runs"


def run_folder(name: str) -> Path:
    """Return the run folder of an example, and train it first if it does not exist."""
    options = TRAIN_OPTIONS[name]
    folder = (
        RUNS / f"{zlib.crc32(options.encode()):08x}" / name
    )  # other options train another run
    if not (folder / "config.json").exists():
        command = shlex.split(f"-m vaeviz train {options} --threads 1 --out")
        subprocess.run(
            [sys.executable, *command, folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder


def open_example(name: str) -> tuple[vaeviz.Model, vaeviz.Dataset]:
    """Return a trained model and the test split of its data."""
    data = FACTORS_DATA if name == "factors" else DATA
    return vaeviz.open(run_folder(name)), vaeviz.load_data(data)
