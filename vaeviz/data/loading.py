"""Load data sets by name, through the registry group ``vaeviz.datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.batches import check_samples
from vaeviz.data.dataset import Dataset, Split, dataset_from_anndata, is_anndata
from vaeviz.errors import InputError, NoSuchSplit
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import import_object, is_object_ref
from vaeviz.plugins.options import options_of, validate_settings

FILE_SUFFIXES = (".npy", ".npz", ".h5ad", ".csv")


def load_data(
    name: str, *, split: Split | None = None, data_dir: str | Path | None = None, labels: str | None = None
) -> Dataset:
    """A registered data set, e.g. ``"mnist"``, or ``"npz:file.npz"`` with what follows the colon as its argument.

    A file (.npy, .npz, .csv, .h5ad) or a folder of pictures can be named by its path alone.
    ``"package.module:attribute"`` is an array, an AnnData, (x, labels), a `Dataset`, or a function of no arguments
    that returns one of these.
    split: ``"train"``, ``"test"`` or ``"all"``; None takes the test split where there is one, else everything.
    data_dir: the folder with the data set's files. labels: the array, or column of a table or an AnnData, with
        the labels.
    Raises `UnknownName` for an unknown data set, `NoSuchSplit` for a split it does not have, `InputError` for
    files that are missing or damaged.
    """
    if is_object_ref(name) and name.partition(":")[0] not in registry.entries("vaeviz.datasets"):
        return _of_object(name, split=split, data_dir=data_dir, labels=labels)
    name, _, argument = _spelled(name).partition(":")
    loader = registry.load("vaeviz.datasets", name)
    given = {"split": split, "data_dir": data_dir, "labels": labels}
    settings = {key: value for key, value in given.items() if value is not None}
    unused = set(settings) - set(options_of(loader))
    if unused:
        raise InputError(f"data set {name!r} takes no --{unused.pop().replace('_', '-')}")
    if "data_dir" in settings:
        settings["data_dir"] = Path(settings["data_dir"])
    settings = validate_settings(loader, settings, owner=name)
    arguments = [argument] if argument else []
    if split is not None:
        return _called(loader, name, arguments, settings)
    try:
        return _called(loader, name, arguments, settings | {"split": "test"})
    except NoSuchSplit:
        return _called(loader, name, arguments, settings | {"split": "all"})


def _spelled(name: str) -> str:
    """A bare path as ``loader:path``; what is no path as it is."""
    path = Path(name)
    if path.suffix.lower() in FILE_SUFFIXES and ":" not in name:
        return f"{path.suffix.lower()[1:]}:{name}"
    if path.is_file() and path.suffix:
        raise InputError(f"data {name!r}: expected a folder of pictures, or a file {', '.join(FILE_SUFFIXES)}")
    known = registry.entries("vaeviz.datasets")
    if path.is_dir() and name not in known:
        return f"images:{name}"
    if (path.suffix or len(path.parts) > 1) and ":" not in name and name not in known:
        raise InputError(
            f"data {name!r}: there is no such file or folder, and no data set of that name; see: vaeviz list data"
        )
    return name


def _of_object(name: str, **settings: Any) -> Dataset:
    found = import_object(name)
    found = found() if callable(found) else found
    title = name.rpartition(":")[2]
    if is_anndata(found):
        labels = settings.pop("labels")
    unused = [key for key, value in settings.items() if value is not None]
    if unused:
        raise InputError(f"data {name!r} takes no --{unused[0].replace('_', '-')}; let the object hold what you want")
    if is_anndata(found):
        return dataset_from_anndata(found, labels, title)
    if isinstance(found, Dataset):
        return found
    if isinstance(found, tuple) and len(found) == 2:
        return Dataset(check_samples(found[0], name), _labels_of(found[1], name), name=title)
    return Dataset(check_samples(found, name), name=title)


def _labels_of(labels: Any, name: str) -> np.ndarray:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name}: got labels of shape {array.shape}, expected (N,)")
    return array


def _called(loader: Any, name: str, arguments: list[str], settings: dict) -> Dataset:
    try:
        return loader(*arguments, **settings)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        expected = f"{name}:ARGUMENT" if not arguments else name
        raise InputError(f"data set {name!r}: {error}; write it as {expected!r}") from error
