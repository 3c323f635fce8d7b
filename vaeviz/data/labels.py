"""Labels: ordered classes, or numbers along a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """Labels that index an ordered list of class names.

    Parameters
    ----------
    codes : np.ndarray, shape (N,)
        The index of each label in `categories`, negative for a missing label.
    categories : tuple of str
        The class names, in order.

    Examples
    --------
    >>> np.asarray(ClassLabels(np.array([1, 0, -1]), ("cat", "dog"))).tolist()
    ['dog', 'cat', '']
    """

    codes: np.ndarray
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Any:
        return np.asarray(self)[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the class name of each label, empty for a missing one."""
        return np.asarray([*self.categories, ""])[np.where(self.codes < 0, -1, self.codes)]


def check_labels(labels: Any, total: int) -> np.ndarray | ClassLabels:
    """Check that there is one label per sample.

    Parameters
    ----------
    labels : array_like, shape (N,) or (N, 1)
        Integers, strings or floats. `ClassLabels` and a pandas Categorical are returned as they are.
    total : int
        Number of samples.

    Returns
    -------
    np.ndarray or ClassLabels, shape (N,)
        The labels.

    Raises
    ------
    InputError
        If the labels have another length or more than one axis.
    """
    values: Any = labels
    if not _is_categorical(labels):
        values = labels.detach().cpu().numpy() if hasattr(labels, "detach") else np.asarray(labels)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise InputError(
                f"labels has shape {values.shape}, expected ({total},).",
                got=str(values.shape),
                expected=f"({total},)",
                fix="Pass one label per sample, or None.",
            )
    if len(values) != total:
        raise InputError(
            f"labels has {len(values)} entries but x has {total} samples.",
            got=str(len(values)),
            expected=str(total),
            fix="Pass one label per sample, or None.",
        )
    checked: np.ndarray | ClassLabels = values
    return checked


def has_classes(values: np.ndarray | ClassLabels) -> bool:
    """Return True if labels are classes, False if they are floating-point numbers.

    Parameters
    ----------
    values : np.ndarray or ClassLabels, shape (N,)
        Labels as `check_labels` returns them.

    Returns
    -------
    bool
        True for integers, strings and categories.
    """
    return _is_categorical(values) or np.asarray(values).dtype.kind != "f"


def factorize_labels(values: np.ndarray | ClassLabels) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode labels as indices into their sorted classes.

    Parameters
    ----------
    values : np.ndarray or ClassLabels, shape (N,)
        Labels as `check_labels` returns them.

    Returns
    -------
    codes : np.ndarray, shape (N,)
        The index of each label's class, -1 for a missing label.
    names : tuple of str
        The class names, in order.

    Examples
    --------
    >>> codes, names = factorize_labels(np.array(["b", "a", "", "b"]))
    >>> codes.tolist(), names
    ([1, 0, -1, 1], ('a', 'b'))
    """
    if _is_categorical(values):
        return np.asarray(values.codes), tuple(map(str, values.categories))
    array = np.asarray(values)
    if array.dtype.kind == "f":
        missing = np.isnan(array)
    elif array.dtype.kind in "OUS":
        missing = np.array([_is_missing(value) for value in array], dtype=bool)
    else:
        missing = np.zeros(len(array), dtype=bool)
    present = array[~missing]
    if array.dtype.kind == "O":
        present = np.array(present.tolist())  # numbers again, if only the missing labels were objects
    classes = np.unique(present)
    codes = np.full(len(array), -1, dtype=np.int32)
    codes[~missing] = np.searchsorted(classes, present)
    return codes, tuple(f"{value:g}" if isinstance(value, np.floating) else str(value) for value in classes)


def _is_categorical(labels: Any) -> TypeGuard[ClassLabels]:
    return hasattr(labels, "codes") and hasattr(labels, "categories")


def _is_missing(label: Any) -> bool:
    try:
        return label is None or label == "" or bool(label != label)
    except TypeError:  # pandas.NA
        return True
