"""Weights & Biases: a run of a project."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from vaeviz.plugins.optional_libraries import import_library

STEP_NAME = "vaeviz_step"  # the horizontal axis of what is logged


class WandbTracker:
    """Figures as images with captions, and numbers as metrics.

    Parameters
    ----------
    run : str or wandb.Run
        A project, in which a run is started; or an open run, such as ``wandb.run``, which stays open.
    """

    def __init__(self, run: Any) -> None:
        self.wandb: Any = import_library("wandb", extra="wandb", needed_by="WandbTracker")
        self.owns_run = isinstance(run, str)
        self.run: Any = self.wandb.init(project=run) if self.owns_run else run
        self._defined: set[str] = set()

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Log an image with its caption.

        Parameters
        ----------
        name : str
            Name of the figure.
        png : bytes
            Content of a PNG file.
        caption : str
            What the figure shows.
        step : int
            Epoch or step of the training.
        """
        from PIL import Image

        self._log({name: self.wandb.Image(Image.open(io.BytesIO(png)), caption=caption)}, step)

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Log numbers.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """
        self._log(dict(scalars), step)

    def _log(self, values: dict[str, Any], step: int) -> None:
        """Log values over a step of their own, since an open run drops what comes before its own last step."""
        for name in values.keys() - self._defined:
            self.run.define_metric(name, step_metric=STEP_NAME)
            self._defined.add(name)
        self.run.log({**values, STEP_NAME: step})

    def close(self) -> None:
        """Upload what is left and finish the run if the tracker started it."""
        if self.owns_run:
            self.run.finish()
