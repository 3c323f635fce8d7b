"""A trained model for what is drawn and mapped: the reference VAE, after a few epochs on MNIST."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from vaeviz_models.runs.data_source import DataSource
from vaeviz_models.runs.train_run import train_run
from vaeviz_models.training.config import TrainConfig


def trained_run(data_dir: Path | None, *, latent_dim: int = 2, epochs: int = 2) -> Path:
    """The folder of a run; it is removed when the process ends."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    run = folder / "run"
    options, config = {"latent_dim": latent_dim}, TrainConfig(epochs=epochs)
    train_run("mlp", DataSource("mnist", data_dir), run, model_options=options, config=config)
    return run
