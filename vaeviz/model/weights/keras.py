"""Load a ``.weights.h5`` file of Keras into a model, with the same report of what does not fit."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import Fix, InputError, warn_user
from vaeviz.model.adapters._detect import defined_in, unreadable
from vaeviz.model.adapters.keras_model import choose_backend
from vaeviz.model.weights.names import PARTIAL_FIX, WeightMismatch, compare_weights
from vaeviz.plugins.optional_libraries import import_library

KERAS_SUFFIX = ".weights.h5"


def load_keras_weights(model: Any, path: Path, *, strict: bool) -> Any:
    """Load a ``.weights.h5`` file into a Keras model.

    Parameters
    ----------
    model : Keras model
        The model. It must be built.
    path : Path
        The file.
    strict : bool
        Raise an error unless the file has exactly the weights of the model.

    Returns
    -------
    Keras model
        The model.

    Raises
    ------
    WeightMismatch
        If the weights do not fit.
    InputError
        If the file cannot be read, or the model is not built.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is not an existing file.", got=str(path))
    name = type(model).__name__
    if not defined_in(model, "keras"):
        raise InputError(
            f"{path} holds weights of Keras, but the model is a {name}.", got=name, expected="a Keras model"
        )
    if not model.built or not model.weights:
        raise InputError(
            f"{name} has no weights before it is built.",
            got="no weights",
            expected="a built model",
            fix=Fix(
                "Call it on a batch once, or begin it with keras.Input.",
                "Name a function that makes it and calls it on a batch once.",
            ),
        )
    found = _shapes_in_file(path)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / f"own{KERAS_SUFFIX}"
        model.save_weights(own)
        expected = _shapes_in_file(own)
    differences = compare_weights(found, expected)
    n_fitting = sum(found.get(place) == shape for place, shape in expected.items())
    if differences and (strict or not n_fitting):
        raise WeightMismatch(f"{path} does not fit {name}.", differences, fix=PARTIAL_FIX if n_fitting else "")
    try:
        with warnings.catch_warnings(action="ignore"):  # of Keras, for each layer that does not fit
            model.load_weights(path, skip_mismatch=not strict)
    except Exception as error:
        raise unreadable(path, "Keras", error) from error
    if differences:
        kept = f"{len(expected) - n_fitting} of {len(expected)} weights of {name} keep their initial values."
        warn_user(UserWarning(f"{path} does not fit {name}. {differences} {kept}"))
    return model


def _shapes_in_file(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all arrays in a file by their places. Raise InputError for a link to another file."""
    choose_backend()
    h5py = import_library("h5py", extra="keras", needed_by=str(path))
    shapes: dict[str, tuple[int, ...]] = {}

    def keep_shape(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise InputError(f"{path} takes {shorten(place)} from another file.", got=shorten(place))
            shapes[place] = tuple(item.shape or ())

    def external_place(place: str, link: Any) -> str | None:
        return place if isinstance(link, h5py.ExternalLink) else None

    try:
        with h5py.File(path) as file:
            if place := file.visititems_links(external_place):  # some versions of Keras follow it
                raise InputError(f"{path} takes {shorten(place)} from another file.", got=shorten(place))
            file.visititems(keep_shape)
    except InputError:
        raise
    except Exception as error:
        raise unreadable(path, "h5py", error) from error
    return shapes
