"""Labels as the condition of a model: names of classes, and the class index of each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vaeviz.data.labels import ClassLabels, check_labels, factorize_labels, has_classes
from vaeviz.errors import Fix, InputError
from vaeviz.model.conditions import summarize_names


def classes_of(labels: Any) -> tuple[str, ...]:
    """Return the names of all classes, in order.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Integers, strings or categories.

    Returns
    -------
    tuple of str
        Names of the classes.

    Raises
    ------
    InputError
        If labels is None or continuous.

    Examples
    --------
    >>> classes_of(["dog", "cat", "dog"])
    ('cat', 'dog')
    """
    return factorize_labels(_check_class_labels(labels, "The data"))[1]


def class_codes(labels: Any, classes: Sequence[str], *, owner: str = "The data") -> np.ndarray:
    """Return the index of each label among the classes of a model.

    Parameters
    ----------
    labels : array_like, shape (N,)
        Integers, strings or categories.
    classes : sequence of str
        Names of the model's classes, in order.
    owner : str, default "The data"
        What has these labels, for messages.

    Returns
    -------
    ndarray of int64, shape (N,)
        Class indices.

    Raises
    ------
    InputError
        If labels is None, continuous, incomplete, or contains a class that the model does not have.

    Examples
    --------
    >>> class_codes(["dog", "cat", "dog"], ("cat", "dog"))
    array([1, 0, 1])
    """
    codes, names = factorize_labels(_check_class_labels(labels, owner))
    n_missing = int((codes < 0).sum())
    if n_missing:
        raise InputError(
            f"{owner}: {n_missing} of {len(codes)} samples have no label, but the model needs a class for each sample.",
            got=f"{n_missing} missing labels",
            fix="Remove these samples or complete their labels.",
        )
    present = np.unique(codes)
    unknown = [names[code] for code in present if names[code] not in classes]
    if unknown:
        raise InputError(
            f"{owner}: label {unknown[0]!r} is not a class of the model. Its classes are {summarize_names(classes)}.",
            got=unknown[0],
            expected=", ".join(classes),
        )
    indices = np.full(len(names), -1)
    indices[present] = [list(classes).index(names[code]) for code in present]
    return np.asarray(indices[codes])


def _check_class_labels(labels: Any, owner: str) -> np.ndarray | ClassLabels:
    if labels is None:
        raise InputError(
            f"{owner}: there are no labels, but a conditional model needs them as its condition.",
            got="None",
            expected="one class label per sample",
            fix=Fix(
                "Pass one label per sample as condition.", "Choose labeled data, or name the labels with --labels."
            ),
        )
    values = check_labels(labels, len(labels))
    if not has_classes(values):
        dtype = np.asarray(values).dtype
        raise InputError(
            f"{owner}: the labels are continuous ({dtype}), but this model needs class labels.",
            got=str(dtype),
            expected="integers or strings",
        )
    return values
