"""Draw a first figure and set with an installed vaeviz, outside of its repository: `make wheel` runs this."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import vaeviz


def run(*args: str) -> str:
    """Run the command line and return what it prints."""
    done = subprocess.run([sys.executable, "-m", "vaeviz", *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def main() -> None:
    assert Path(vaeviz.__file__).parent.parent.name == "site-packages", vaeviz.__file__
    rng = np.random.default_rng(0)
    x, labels = rng.random((60, 8, 8), dtype=np.float32), rng.integers(0, 3, 60)
    ax = vaeviz.latent_scatter(lambda x: x.reshape(len(x), -1)[:, :2], x, labels=labels)
    assert "z_{1}" in ax.get_xlabel()
    assert "latent_scatter" in run("list", "plots")
    with tempfile.TemporaryDirectory() as folder:
        run("train", "mlp", "--data", "digits", "--epochs", "1", "--out", f"{folder}/run")
        run("export", f"{folder}/run", "--plots", "latent_scatter,samples", "--out", f"{folder}/figures")
        assert (Path(folder) / "figures" / "index.html").is_file()
    print(f"vaeviz {vaeviz.__version__} from {vaeviz.__file__}: ok")


if __name__ == "__main__":
    main()
