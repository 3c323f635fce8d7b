"""A trained model for what is drawn and mapped: the reference VAE, after a few epochs on MNIST."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from vaeviz_models.commands.train import train_run


def trained_run(data_dir: Path | None, *, latent_dim: int = 2, epochs: int = 2) -> Path:
    """The folder of a run; it is removed when the process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    run = folder / "run"
    options = {"latent_dim": latent_dim}
    train_run("mlp", data="mnist", data_dir=data_dir, out=run, model_options=options, settings={"epochs": epochs})
    return run
