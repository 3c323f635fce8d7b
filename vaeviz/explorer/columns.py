"""Columns that color the points: labels, factors, and numbers of each sample."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from vaeviz.analysis.class_structure import nearest_others
from vaeviz.analysis.factors import as_factors
from vaeviz.data.labels import check_labels, factorize_labels, name_classes
from vaeviz.drawing.colors import ClassNames, color_labels
from vaeviz.drawing.limits import robust_range
from vaeviz.explorer.scene_arrays import SceneArrays

LABEL = "label"  # name of the column of labels
DATE_UNIT = "days since 1970"  # of dates, which the front end shows as dates
SECONDS_PER_DAY = 24 * 60 * 60
N_NEIGHBORS = 10
MAX_FLOAT32_INTEGER = 1 << 24  # larger whole numbers, such as identifiers, would be rounded
MAX_COMPARED_SAMPLES = 50_000  # neighbors of more in ten dimensions take minutes


def label_column(
    arrays: SceneArrays,
    labels: Any,
    n_samples: int,
    palette: Any = None,
    class_names: ClassNames | None = None,
    *,
    name: str = LABEL,
) -> dict[str, Any]:
    """Return the column of labels, with the colors that figures give them.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the values.
    labels : array_like, shape (N,)
        Labels as `vaeviz.data.labels.check_labels` has them.
    n_samples : int
        Number of samples, N.
    palette : str, sequence or mapping, optional
        Colors of the classes, see `color_labels`.
    class_names : sequence of str or mapping, optional
        Names of the classes, see `color_labels`.
    name : str, default "label"
        Name of the column.

    Returns
    -------
    dict
        An entry of ``columns`` of a scene.
    """
    with warnings.catch_warnings():  # of characters that a font lacks; a page has others
        warnings.filterwarnings("ignore", "The font .* lacks", UserWarning)
        colors = color_labels(labels, n_samples, palette, class_names=class_names)
    values = check_labels(labels, n_samples)
    if class_names is not None:
        values = name_classes(values, class_names)
    if colors.mappable is not None:
        return number_column(arrays, name, as_numbers(values), unit=DATE_UNIT if colors.is_date else "")
    codes, names = factorize_labels(values)
    present = [names[code] for code in np.unique(codes[codes >= 0])]  # names as they are, not as matplotlib needs them
    return _class_column(arrays, name, colors.index, present, colors.colors)


def factor_column(arrays: SceneArrays, name: str, factors: Any, index: int, n_samples: int) -> dict[str, Any]:
    """Return the column of a known factor.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the values.
    name : str
        Name of the factor.
    factors : ndarray or DataFrame, shape (N, K)
        All factors.
    index : int
        Which of them.
    n_samples : int
        Number of samples, N.

    Returns
    -------
    dict
        An entry of ``columns`` of a scene.
    """
    column = factors.iloc[:, index] if hasattr(factors, "iloc") else factors.reshape(n_samples, -1)[:, index]
    (factor,) = as_factors(column.to_frame() if hasattr(column, "to_frame") else column, n_samples)
    if factor.numbers is not None:
        return number_column(arrays, name, factor.numbers)
    return label_column(arrays, column, n_samples, name=name)


def _class_column(
    arrays: SceneArrays, name: str, codes: np.ndarray, names: Sequence[str], colors: Sequence[Any]
) -> dict[str, Any]:
    from matplotlib.colors import to_hex

    values = arrays.add(f"column-{name}", codes, "int32")
    shown = [to_hex(color) for color in colors]
    return {"name": name, "kind": "classes", "values": values, "classes": list(names), "colors": shown}


def disagreement_column(arrays: SceneArrays, codes: np.ndarray, classes: np.ndarray) -> dict[str, Any]:
    """Return the column of the number of nearest codes that have another label, which finds mislabeled samples.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the values.
    codes : ndarray, shape (N, D)
        Codes.
    classes : ndarray of int, shape (N,)
        Classes, negative where a label is missing. Samples without a label do not count as neighbors.

    Returns
    -------
    dict
        An entry of ``columns`` of a scene.
    """
    labeled = np.flatnonzero(classes >= 0)
    k = min(N_NEIGHBORS, len(labeled) - 1)
    nearest = labeled[nearest_others(codes[labeled], k)]
    counts = np.full(len(classes), np.nan)
    counts[labeled] = (classes[nearest] != classes[labeled][:, None]).sum(axis=1)
    return number_column(arrays, "neighbors with another label", counts, unit=f"of {k}")


def number_column(arrays: SceneArrays, name: str, values: np.ndarray, unit: str = "") -> dict[str, Any]:
    """Return a column of numbers.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the values.
    name : str
        Name of the column.
    values : ndarray, shape (N,)
        Numbers, NaN where one is missing.
    unit : str, default ""
        Unit of the numbers.

    Returns
    -------
    dict
        An entry of ``columns`` of a scene. Its limits leave out a few numbers that are far out.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    limits = list(robust_range(known)) if len(known) else [0.0, 1.0]
    is_large = len(known) > 0 and (known % 1 == 0).all() and np.abs(known).max() > MAX_FLOAT32_INTEGER
    is_exact = is_large or unit == DATE_UNIT  # single precision would round dates to minutes
    stored = arrays.add(f"column-{name}", values, "float64" if is_exact else "float32")
    return {"name": name, "kind": "number", "values": stored, "limits": limits, "unit": unit}


def as_numbers(values: Any) -> np.ndarray:
    """Return continuous labels as float64; dates in days since 1970.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Numbers or dates, NaN or NaT where one is missing.

    Returns
    -------
    ndarray of float64, shape (N,)
        The numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return np.asarray((array - np.datetime64(0, "s")) / np.timedelta64(1, "s") / SECONDS_PER_DAY)
    return array.astype(np.float64)
