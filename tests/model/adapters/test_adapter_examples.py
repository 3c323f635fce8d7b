"""The examples of adapters run as they stand, and leave pictures; one whose library is missing is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "adapters").glob("*.py"))
NEEDS = {
    "keras_vae": ["keras"],
    "jax_flax": ["jax", "flax"],
    "onnx_files": ["onnxruntime", "onnxscript"],
    "pythae_vae": ["pythae"],
    "diffusers_autoencoder": ["diffusers"],
    "scvi_cells": ["scvi"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_draws(example, tmp_path):
    for module in NEEDS.get(example.stem, []):
        pytest.importorskip(module)
    done = subprocess.run(
        [sys.executable, example, tmp_path],
        capture_output=True,
        text=True,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "GuessWarning" not in done.stderr
    assert list(tmp_path.rglob("*.png"))
