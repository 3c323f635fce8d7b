"""Read a `datasets.Dataset` of Hugging Face as one array of samples, one batch of rows at a time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from vaeviz.data.arrays import NUMBER_KINDS
from vaeviz.errors import InputError


def is_huggingface_dataset(x: Any) -> bool:
    """Return True for a `datasets.Dataset`.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        Whether it is one. This does not import the library.
    """
    datasets = sys.modules.get("datasets")
    return datasets is not None and isinstance(x, getattr(datasets, "Dataset", ()))


class HuggingFaceSamples:
    """The samples of a `datasets.Dataset`, whose rows are read from its memory-mapped Arrow files.

    Parameters
    ----------
    dataset : datasets.Dataset
        The data. The samples are its only column of arrays, images or lists of numbers. Without such a column, its
        columns of numbers form a table.

    Raises
    ------
    InputError
        If no column, or more than one, can be the samples.
    """

    def __init__(self, dataset: Any) -> None:
        if dataset.format["type"] == "custom":
            raise InputError(
                "The datasets.Dataset has a transform, so what its rows contain is unknown.",
                got="a transform",
                expected="columns",
                fix='Write vaeviz.Batches(lambda: (batch["image"] for batch in x.iter(256))), with your column.',
            )
        if not len(dataset):
            raise InputError("The datasets.Dataset has no rows.", got="no rows", expected="at least one row")
        arrays, numbers = _sample_columns(dataset)
        if len(arrays) > 1 or not arrays + numbers:
            listed = ", ".join(arrays or dataset.column_names) or "none"
            found = "several columns of arrays" if arrays else "no column of numbers"
            raise InputError(
                f"The datasets.Dataset has {found}: {listed}.",
                got=listed,
                expected="one column of arrays, or columns of numbers",
                fix=f"Pass x.select_columns({[arrays[0], *_label_columns(dataset)]})." if arrays else "",
            )
        self.names = arrays or numbers
        self._rows = dataset.with_format("numpy", columns=self.names)
        first = self[:1]
        self.shape = (len(dataset), *first.shape[1:])
        self.dtype = first.dtype

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return rows by a slice or by indices, shape (n, ...)."""
        columns = self._rows[rows]
        parts = [columns[name] for name in self.names]
        if len({np.shape(part)[1:] for part in parts}) > 1 or any(part.dtype == object for part in parts):
            names = ", ".join(self.names)
            raise InputError(
                f"Column {names} of the datasets.Dataset has rows of different shapes.",
                got="rows of different shapes",
                expected="rows of one shape",
                fix="Resize the samples with x.map(...) first.",
            )
        return np.asarray(parts[0] if parts[0].ndim > 1 else np.stack(parts, axis=1))


def class_labels(dataset: Any) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """Return the labels of a `datasets.Dataset`.

    Parameters
    ----------
    dataset : datasets.Dataset
        The data.

    Returns
    -------
    codes : ndarray of int, shape (N,)
        Index of the class of each sample; −1 for a missing one.
    names : tuple of str
        Names of the classes. None instead of both unless exactly one column is a ClassLabel.
    """
    columns = _label_columns(dataset)
    if len(columns) != 1:
        return None
    codes = dataset.with_format("numpy", columns=columns)[:][columns[0]]
    missing = np.isnan(codes) if codes.dtype.kind == "f" else codes < 0
    return np.where(missing, -1, codes).astype(np.int64), tuple(dataset.features[columns[0]].names)


def _label_columns(dataset: Any) -> list[str]:
    return [name for name, feature in dataset.features.items() if type(feature).__name__ == "ClassLabel"]


def _sample_columns(dataset: Any) -> tuple[list[str], list[str]]:
    """Return the columns of arrays and those of numbers, by their values in the first row."""
    own = set(dataset.format["columns"]) - set(_label_columns(dataset))
    first = dataset.with_format("numpy")[:1]
    columns = {name: first[name] for name in dataset.column_names if name in own}
    numeric = {name: np.ndim(value) for name, value in columns.items() if np.asarray(value).dtype.kind in NUMBER_KINDS}
    return [name for name, ndim in numeric.items() if ndim > 1], [name for name, ndim in numeric.items() if ndim == 1]
