"""TensorBoard: event files in a folder, or a ``SummaryWriter`` that a training has already."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from vaeviz.plugins.optional_libraries import import_library


class TensorBoardTracker:
    """Figures as images, their captions as texts, and numbers as scalars.

    Parameters
    ----------
    writer : str, Path or SummaryWriter
        The log folder, or an open writer of ``torch.utils.tensorboard`` or tensorboardX, which stays open.
    """

    def __init__(self, writer: Any) -> None:
        self.owns_writer = isinstance(writer, (str, os.PathLike))
        if self.owns_writer:
            import_library("tensorboard", extra="tensorboard", needed_by="TensorBoardTracker")
            from torch.utils.tensorboard import SummaryWriter

            writer = SummaryWriter(os.fspath(writer))
        self.writer: Any = writer

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Add an image and its caption.

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

        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        self.writer.add_image(name, pixels, step, dataformats="HWC")
        self.writer.add_text(f"{name}/caption", caption, step)

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Add numbers.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left, and close the writer if the tracker opened it."""
        self.writer.flush()
        if self.owns_writer:
            self.writer.close()
