"""Labels: classes in an order, or numbers along a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """Labels that are places among named classes, whose order they keep.

    codes: (N,) integers, negative for a missing label. categories: the names, in order.
    """

    codes: np.ndarray
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Any:
        """The names of some samples."""
        return np.asarray(self)[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The names, (N,), empty for a missing label."""
        return np.asarray([*self.categories, ""])[np.where(self.codes < 0, -1, self.codes)]


def check_labels(labels: Any, total: int) -> np.ndarray | ClassLabels:
    """`labels` as `total` rows; `InputError` if they are of another length or rank.

    What has `codes` and `categories` (`ClassLabels`, a pandas Categorical) stays what it is.
    """
    values = labels
    if not _is_categorical(labels):
        values = labels.detach().cpu().numpy() if hasattr(labels, "detach") else np.asarray(labels)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise InputError(f"labels: got shape {values.shape}, expected ({total},), one label a sample")
    if len(values) != total:
        raise InputError(f"labels: got {len(values)} labels for {total} samples")
    return values


def has_classes(values: np.ndarray | ClassLabels) -> bool:
    """Whether labels are classes: all but floating-point numbers."""
    return _is_categorical(values) or values.dtype.kind != "f"


def factorize_labels(values: np.ndarray | ClassLabels) -> tuple[np.ndarray, tuple[str, ...]]:
    """(codes (N,), names): each label's place among the classes, in their order; −1 for a missing label."""
    if _is_categorical(values):
        return np.asarray(values.codes), tuple(map(str, values.categories))
    if values.dtype.kind == "f":
        missing = np.isnan(values)
    elif values.dtype.kind in "OUS":
        missing = np.array([_is_missing(value) for value in values], dtype=bool)
    else:
        missing = np.zeros(len(values), dtype=bool)
    kept = values[~missing]
    if values.dtype.kind == "O":
        kept = np.array(kept.tolist())  # numbers again, where only the missing ones were none
    found = np.unique(kept)
    codes = np.full(len(values), -1, dtype=np.int32)
    codes[~missing] = np.searchsorted(found, kept)
    return codes, tuple(_written(value) for value in found)


def _is_categorical(labels: Any) -> bool:
    return hasattr(labels, "codes") and hasattr(labels, "categories")


def _is_missing(label: Any) -> bool:
    try:
        return label is None or label == "" or bool(label != label)
    except TypeError:  # pandas.NA
        return True


def _written(value: Any) -> str:
    if isinstance(value, np.floating):
        return f"{value:g}"
    return str(value)
