"""Read a `datasets.Dataset` of Hugging Face as one array of samples, one batch of rows at a time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from vaeviz.data.sample_columns import choose_sample_columns, stack_sample_columns
from vaeviz.errors import InputError

SOURCE = "datasets.Dataset"


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
        labels = label_columns(dataset)
        first = dataset.with_format("numpy")[:1]
        own = {name: first[name] for name in dataset.column_names if name in dataset.format["columns"]}
        self.names = choose_sample_columns(own, SOURCE, labels)
        self._rows = dataset.with_format("numpy", columns=self.names)
        first_row = self[:1]
        self.shape = (len(dataset), *first_row.shape[1:])
        self.dtype = first_row.dtype

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return rows by a slice or by indices, shape (n, ...)."""
        return stack_sample_columns(self._rows[rows], self.names, SOURCE)


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
    columns = label_columns(dataset)
    if len(columns) != 1:
        return None
    codes = dataset.with_format("numpy", columns=columns)[:][columns[0]]
    missing = np.isnan(codes) if codes.dtype.kind == "f" else codes < 0
    return np.where(missing, -1, codes).astype(np.int64), tuple(dataset.features[columns[0]].names)


def label_columns(dataset: Any) -> list[str]:
    """Return the names of the columns of a `datasets.Dataset` that hold class labels.

    Parameters
    ----------
    dataset : datasets.Dataset
        The data.

    Returns
    -------
    list of str
        Names of the columns of type ClassLabel.
    """
    return [name for name, feature in dataset.features.items() if type(feature).__name__ == "ClassLabel"]
