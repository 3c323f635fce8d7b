"""Choose the columns of a table in blocks that hold the samples, and stack them to one array."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from vaeviz.data.arrays import NUMBER_KINDS
from vaeviz.errors import InputError


def choose_sample_columns(first: Mapping[str, Any], source: str, label_columns: Collection[str] = ()) -> list[str]:
    """Return the columns that are the samples, by their values in the first row.

    Parameters
    ----------
    first : mapping of str to array_like, shape (1, ...)
        The first row of each column.
    source : str
        What error messages call the table.
    label_columns : collection of str
        Columns that hold labels and no samples.

    Returns
    -------
    list of str
        The only column of arrays, images or lists of numbers; else the columns of numbers, which form a table.

    Raises
    ------
    InputError
        If no column, or more than one, can be the samples.
    """
    columns = {name: _dense(values) for name, values in first.items() if name not in label_columns}
    numeric = {name: values.ndim for name, values in columns.items() if values.dtype.kind in NUMBER_KINDS}
    arrays = [name for name, ndim in numeric.items() if ndim > 1]
    if len(arrays) > 1 or not numeric:
        listed = ", ".join(arrays or first) or "none"
        found = "several columns of arrays" if arrays else "no column of numbers"
        raise InputError(
            f"The {source} has {found}: {listed}.",
            got=listed,
            expected="one column of arrays, or columns of numbers",
            fix=f"Pass x.select_columns({[arrays[0], *label_columns]})." if arrays else "",
        )
    return arrays or list(numeric)


def stack_sample_columns(columns: Mapping[str, Any], names: list[str], source: str) -> np.ndarray:
    """Return the rows of the columns that are the samples as one array.

    Parameters
    ----------
    columns : mapping of str to array_like, shape (n, ...)
        Rows of all columns.
    names : list of str
        Columns that `choose_sample_columns` returned.
    source : str
        What error messages call the table.

    Returns
    -------
    ndarray, shape (n, ...)
        The values of a single column of arrays, else those of the columns side by side.

    Raises
    ------
    InputError
        If the rows have different shapes.
    """
    parts = [_dense(columns[name]) for name in names]
    if len({np.shape(part)[1:] for part in parts}) > 1 or any(part.dtype == object for part in parts):
        raise shapes_error(names, source)
    return np.asarray(parts[0] if parts[0].ndim > 1 else np.stack(parts, axis=1))


def shapes_error(names: list[str], source: str) -> InputError:
    """Return the error for samples of different shapes.

    Parameters
    ----------
    names : list of str
        The columns of the samples.
    source : str
        What the message calls the table.

    Returns
    -------
    InputError
        The error.
    """
    return InputError(
        f"Column {', '.join(names)} of the {source} has rows of different shapes.",
        got="rows of different shapes",
        expected="rows of one shape",
        fix="Resize the samples with x.map(...) first.",
    )


def _dense(values: Any) -> np.ndarray:
    """Return a column as an array, also if its cells are arrays or lists of one shape."""
    array: np.ndarray = np.asarray(values)
    if array.dtype != object or not len(array):
        return array
    try:
        return np.stack([np.asarray(value) for value in array])
    except ValueError:  # they differ in shape
        return array
