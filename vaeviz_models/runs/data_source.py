"""The data of a run: how they are named, and whether they are still the same."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np

from vaeviz.data.dataset import Dataset
from vaeviz.data.loading import check_names_no_code, load_data
from vaeviz.data.out_of_core import SampleStream, default_batch_size, iterate_blocks
from vaeviz.errors import InputError, NoSuchSplit
from vaeviz.plugins import registry
from vaeviz_models.runs.folder import DATA_ARGUMENTS, RunConfig, has_keys


@dataclass(frozen=True)
class DataSource:
    """Data set by name, as `vaeviz.load_data` takes it.

    Parameters
    ----------
    name : str
        Registered name, or path of a file or folder.
    data_dir : Path, optional
        Folder with the files of the data set.
    labels : str, optional
        Array, column or file that contains the labels.
    """

    name: str
    data_dir: Path | None = None
    labels: str | None = None

    def load_splits(self) -> tuple[Dataset, Dataset | None]:
        """Load training and test data.

        Returns
        -------
        train : Dataset
            Training data; all samples of a data set without splits.
        test : Dataset or None
            Test data, if there are any.
        """
        try:
            train = load_data(self.name, split="train", data_dir=self.data_dir, labels=self.labels)
        except NoSuchSplit:
            return load_data(self.name, split="all", data_dir=self.data_dir, labels=self.labels), None
        try:
            return train, load_data(self.name, split="test", data_dir=self.data_dir, labels=self.labels)
        except NoSuchSplit:
            return train, None

    def to_config(self) -> dict[str, str | None]:
        """Return JSON values with absolute paths, so that a run finds its data from any folder.

        Returns
        -------
        dict
            Arguments of `vaeviz.load_data`.
        """
        labels = _with_absolute_path(self.labels) if (self.labels or "").endswith(".npy") else self.labels
        data_dir = None if self.data_dir is None else str(self.data_dir.resolve())
        return {"name": _with_absolute_path(self.name), "data_dir": data_dir, "labels": labels}


def training_data(run: Path, config: RunConfig, given: str | None = None) -> DataSource:
    """Return the data that a run was trained on.

    Parameters
    ----------
    run : Path
        Folder of the run, for messages.
    config : RunConfig
        Content of ``config.json``.
    given : str, optional
        Name of the data set, in place of the one in the config.

    Returns
    -------
    DataSource
        The data.

    Raises
    ------
    InputError
        If the config names no data, or an object that would have to be imported.
    """
    name, data_dir, labels = (config["data"][key] for key in DATA_ARGUMENTS)
    if not name:
        raise InputError(f"{run / 'config.json'} does not name the training data, so this run cannot be resumed.")
    if given is None:
        check_names_no_code(name, str(run))
    return DataSource(given or name, None if data_dir is None else Path(data_dir), labels)


def display_data(config: RunConfig) -> dict[str, Any] | None:
    """Return the data that a run is drawn with by default.

    Parameters
    ----------
    config : RunConfig
        Content of ``config.json``.

    Returns
    -------
    dict or None
        Arguments of `vaeviz.load_data`: the training data set, binarized if the training was. None if the config
        names no data.
    """
    data = {key: config["data"][key] for key in DATA_ARGUMENTS}
    if not data["name"]:
        return None
    return data | {"name": f"binarized:{data['name']}"} if config["training"].get("binarize") else data


def fingerprint(x: np.ndarray | SampleStream, codes: np.ndarray | None = None) -> dict[str, Any]:
    """Compute what identifies training data.

    Parameters
    ----------
    x : ndarray or SampleStream, shape (N, ...)
        Samples.
    codes : ndarray of int, shape (N,), optional
        Class indices, for a conditional model.

    Returns
    -------
    dict
        Number of samples, shape of a sample, and SHA-256 of the values and of the class indices.
    """
    digest = hashlib.sha256()
    for block in iterate_blocks(x, default_batch_size(x.shape[1:])):
        digest.update(np.ascontiguousarray(block, dtype=np.float32).data)
    classes = {} if codes is None else {"classes_sha256": hashlib.sha256(codes.astype("<i8").data).hexdigest()}
    return {"samples": len(x), "sample_shape": list(x.shape[1:]), "sha256": digest.hexdigest(), **classes}


def check_same_data(
    run: Path, config: RunConfig, x: np.ndarray | SampleStream, codes: np.ndarray | None = None
) -> None:
    """Raise InputError unless x is what a run was trained on.

    Parameters
    ----------
    run : Path
        Folder of the run, for messages.
    config : RunConfig
        Content of ``config.json``.
    x : ndarray or SampleStream, shape (N, ...)
        Current training data.
    codes : ndarray of int, shape (N,), optional
        Class indices, for a conditional model.

    Raises
    ------
    InputError
        If the data differ, or if the config has no fingerprint to compare.
    """
    before, now = config["data"], fingerprint(x, codes)
    if not has_keys(before, now):
        raise InputError(f"{run / 'config.json'} has no complete fingerprint of the training data to compare.")
    changed = [key for key in now if before[key] != now[key]]
    if changed:
        differences = "; ".join(f"{key} was {before[key]} and is now {now[key]}" for key in changed)
        raise InputError(
            f"The data {before['name']} changed since {run} was trained: {differences}.",
            got=", ".join(f"{key} {now[key]}" for key in changed),
            expected=", ".join(f"{key} {before[key]}" for key in changed),
            fix="Restore the data, or train a new run.",
        )


def _with_absolute_path(name: str | None) -> str | None:
    """Make the path in the name of a data set absolute, if there is one."""
    if name is None:
        return None
    parts = name.split(":")
    for k in range(len(parts)):  # the longest path first, since its name may have colons
        path = ":".join(parts[k:])
        if path in registry.entries("vaeviz.datasets") or _is_word_of(parts[k - 1] if k else "", path):
            return name
        if Path(path).exists():
            return ":".join([*parts[:k], str(Path(path).resolve())])
    return name


def _is_word_of(loader: str, argument: str) -> bool:
    """Return True if the first parameter of a data set is annotated with this word, and so takes no path."""
    if loader not in registry.entries("vaeviz.datasets"):
        return False
    function: Any = registry.load("vaeviz.datasets", loader)
    first = next(iter(inspect.signature(function).parameters), "")
    return argument in get_args(get_type_hints(function).get(first))
