"""The interface of trackers, their names on the command line, and the upload of a finished figure set."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import InputError, OutputError, UnknownName
from vaeviz.export.manifest import read_manifest
from vaeviz.plugins.optional_libraries import import_library

TRACKERS = {
    "tensorboard": "tensorboard:TensorBoardTracker",
    "mlflow": "mlflow:MLflowTracker",
    "wandb": "wandb:WandbTracker",
}
"""Module and class of each tracker, by its name and that of its library and extra."""

PLACES = {"tensorboard": "a folder", "mlflow": "a tracking URI", "wandb": "a project"}
"""Kind of place that the text after the colon names."""


class Tracker(Protocol):
    """Destination of figures and numbers: a run of TensorBoard, MLflow or Weights & Biases.

    Methods may raise any error of the library. `report_tracker_errors` turns it into one message.
    """

    def log_figure(self, name: str, png: bytes, *, caption: str, step: int) -> None:
        """Send a figure.

        Parameters
        ----------
        name : str
            Name of the figure; slashes group the figures.
        png : bytes
            Content of a PNG file.
        caption : str
            What the figure shows.
        step : int
            Epoch or step of the training; 0 for a finished model.
        """

    def log_scalars(self, scalars: Mapping[str, float], *, step: int) -> None:
        """Send numbers.

        Parameters
        ----------
        scalars : mapping of str to float
            Numbers by name.
        step : int
            Epoch or step of the training.
        """

    def close(self) -> None:
        """Send what is left, and end the run if the tracker started it."""


def find_tracker(text: str) -> Callable[[], Tracker]:
    """Return the function that opens the tracker of a text, once its library is known to be installed.

    Parameters
    ----------
    text : str
        ``tensorboard:DIR``, ``mlflow:URI`` or ``wandb:PROJECT``.

    Returns
    -------
    callable
        A function without arguments, which raises what the library raises if the tracker cannot be reached.

    Raises
    ------
    UnknownName
        If no tracker has this name.
    InputError
        If the place is missing, or the library is not installed.
    """
    kind, _, place = text.partition(":")
    if kind not in TRACKERS:
        raise UnknownName("tracker", kind, TRACKERS)
    if not place:
        expected = f"{kind}:{PLACES[kind].split()[-1].upper()}"
        raise InputError(f"{text} does not name {PLACES[kind]}.", got=text, expected=expected, fix=f"Write {expected}.")
    import_library(kind, extra=kind, needed_by=text)
    module, _, attribute = TRACKERS[kind].partition(":")
    tracker = getattr(importlib.import_module(f"vaeviz.export.trackers.{module}"), attribute)
    return partial(tracker, place)


def open_tracker(text: str) -> Tracker:
    """Open the tracker of a text.

    Parameters
    ----------
    text : str
        ``tensorboard:DIR``, ``mlflow:URI`` or ``wandb:PROJECT``.

    Returns
    -------
    Tracker
        The tracker, with a run of its own.

    Raises
    ------
    InputError
        If no tracker has this name, or its library is not installed.
    OutputError
        If it cannot be reached.
    """
    open_named = find_tracker(text)
    with report_tracker_errors(text):
        return open_named()


@contextmanager
def report_tracker_errors(tracker: str, *, fix: str = "") -> Iterator[None]:
    """Raise OutputError for any error of a tracker's library while the block runs.

    Parameters
    ----------
    tracker : str
        The tracker, for the message.
    fix : str, optional
        What to do then.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        name, reason = without_password(tracker), without_password(shorten(str(error) or type(error).__name__))
        raise OutputError(f"{name} cannot be written: {reason}", got=name, fix=fix) from error


def without_password(text: str) -> str:
    """Return a text without the user names and passwords in its URLs, so that logs do not keep them.

    Parameters
    ----------
    text : str
        Name of a tracker, or a message of its library.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> without_password("mlflow:https://me:secret@example.org/x")
    'mlflow:https://example.org/x'
    """
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)


def send_figures(folder: str | Path, tracker: Tracker) -> list[str]:
    """Send the figures of a finished set to a tracker, each with its caption.

    Parameters
    ----------
    folder : str or Path
        The folder of `vaeviz.export_figures`, with its figures as PNG.
    tracker : Tracker
        An open tracker. It is not closed.

    Returns
    -------
    list of str
        Names of the plots whose figures were sent.

    Raises
    ------
    InputError
        If the folder holds no figure set.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if not manifest.get("figures"):
        fix = "Name a folder that vaeviz.export_figures wrote."
        raise InputError(f"{folder} holds no figure set.", got=str(folder), expected="a figure set", fix=fix)
    sent = []
    for figure in manifest["figures"]:
        for file in figure["files"]:
            if file.endswith(".png"):
                png = (folder / file).read_bytes()
                tracker.log_figure(figure["plot"], png, caption=_caption(figure), step=0)
                sent.append(figure["plot"])
    return sent


def _caption(figure: Mapping[str, Any]) -> str:
    """Return the summary of a plot, with the warnings under which its figure was drawn."""
    return " ".join([figure["summary"], *(f"Warning: {warning}" for warning in figure["warnings"])])
