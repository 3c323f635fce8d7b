"""Labels as the condition of a model: the names of their classes, and each sample's place among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.errors import InputError
from vaeviz.model.conditions import summarize_names


def classes_of(labels: Any) -> tuple[str, ...]:
    """The names of all classes of labels (N,), in order. `InputError` for labels that are none, or continuous."""
    return factorize_labels(_checked(labels, "the data"))[1]


def class_codes(labels: Any, classes: Sequence[str], *, of: str = "the data") -> np.ndarray:
    """The place of each label (N,) among the `classes`, (N,) int64.

    Raises `InputError` for labels that are none, missing, continuous, or not among the classes.
    """
    codes, names = factorize_labels(_checked(labels, of))
    if (codes < 0).any():
        missing = int((codes < 0).sum())
        raise InputError(f"{of}: {missing} of {len(codes)} samples have no label, and the model needs each one's")
    present = np.unique(codes)
    unknown = [names[code] for code in present if names[code] not in classes]
    if unknown:
        raise InputError(f"{of}: label {unknown[0]!r} is none of the model's classes: {summarize_names(classes)}")
    places = np.full(len(names), -1)
    places[present] = [list(classes).index(names[code]) for code in present]
    return places[codes]


def _checked(labels: Any, of: str) -> Any:
    if labels is None:
        raise InputError(f"{of}: no labels, which a conditional model takes as its condition; give labeled data")
    values = check_labels(labels, len(labels))
    if not has_classes(values):
        raise InputError(
            f"{of}: the labels are continuous ({values.dtype}), and this model takes a class as its condition"
        )
    return values
