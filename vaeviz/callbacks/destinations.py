"""Destinations of the figures of a watched training: folders, trackers, open runs of trackers, and functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vaeviz.callbacks.folder import WatchFolder, check_owner
from vaeviz.errors import InputError, UnknownName
from vaeviz.export.manifest import check_writable
from vaeviz.export.trackers.mlflow import MLflowTracker
from vaeviz.export.trackers.tensorboard import TensorBoardTracker
from vaeviz.export.trackers.tracker import TRACKERS, Tracker, find_tracker, without_password
from vaeviz.export.trackers.wandb import WandbTracker

EXPECTED = (
    "a folder, tensorboard:DIR, mlflow:URI, wandb:PROJECT, a SummaryWriter, a run of MLflow or W&B, or a function"
)
SHORTEST_TRACKER = 2  # letters before a colon; one letter is a drive of Windows


@dataclass(frozen=True)
class FunctionTracker:
    """A tracker that passes figures to a function and ignores numbers.

    Parameters
    ----------
    function : callable
        Called as ``function(name, png, caption=..., step=...)``.
    """

    function: Callable[..., Any]

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Call the function.

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
        self.function(name, png, caption=caption, step=step)

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Ignore numbers.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """

    def close(self) -> None:
        """Do nothing."""


@dataclass
class Destination:
    """A place to write to, which is opened at the first write.

    Parameters
    ----------
    name : str
        Its name in messages.
    open : callable
        Returns the open tracker.
    """

    name: str
    open: Callable[[], Tracker]
    tracker: Tracker | None = None
    is_failing: bool = False

    def opened(self) -> Tracker:
        """Return the tracker, opened once.

        Returns
        -------
        Tracker
            The tracker.
        """
        if self.tracker is None:
            self.tracker = self.open()
        return self.tracker


def find_destination(to: Any) -> Destination:
    """Return the destination that an argument names, and check that it can be used.

    Parameters
    ----------
    to : str, Path, tracker, writer, run or callable
        See `vaeviz.watch`.

    Returns
    -------
    Destination
        The destination, which is not open yet: only the first process of a distributed training opens it.

    Raises
    ------
    InputError
        If `to` is none of these, the library of a tracker is not installed, or a folder cannot be written.
    """
    if isinstance(to, str):
        kind, colon, _ = to.partition(":")
        if kind in TRACKERS:
            return Destination(without_password(to), find_tracker(to))
        if colon and kind.isalpha() and len(kind) >= SHORTEST_TRACKER:  # a folder of this name is written ./NAME
            raise UnknownName("tracker", kind, TRACKERS)
    if isinstance(to, (str, os.PathLike)):
        folder = Path(to)
        check_writable(folder)
        check_owner(folder)
        return Destination(str(folder), partial(WatchFolder, folder))
    name, library = type(to).__name__, type(to).__module__.partition(".")[0]
    if all(hasattr(to, method) for method in ("log_figure", "log_scalars", "close")):
        return Destination(name, lambda: to)
    if hasattr(to, "add_image") and hasattr(to, "add_scalar"):
        return Destination(name, partial(TensorBoardTracker, to))
    if library == "mlflow" and hasattr(to, "info"):
        return Destination(name, partial(MLflowTracker, to))
    if library == "wandb" and hasattr(to, "log"):
        return Destination(name, partial(WandbTracker, to))
    if callable(to) and not isinstance(to, type):
        return Destination(getattr(to, "__name__", name), partial(FunctionTracker, to))
    raise InputError(
        f"to is of type {name}, expected {EXPECTED}.", got=name, expected=EXPECTED, fix='Write to="figures/training".'
    )
