"""Convert arrays of other libraries to NumPy arrays, and value ranges to [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vaeviz.errors import InputError

NUMBER_KINDS = "fiub"  # NumPy's codes for floats, signed and unsigned integers, and booleans


def as_array(value: Any, name: str = "The value") -> np.ndarray:
    """Convert an array of any library to a NumPy array of real numbers.

    Parameters
    ----------
    value : array_like
        An array of NumPy, torch or JAX, a sparse matrix, nested lists, or an AnnData, whose matrix X is taken.
    name : str, default: "The value"
        What error messages call it.

    Returns
    -------
    np.ndarray
        The same object where `value` is a NumPy array already.

    Raises
    ------
    InputError
        For ragged lists, and for anything but real numbers.

    Examples
    --------
    >>> as_array([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if hasattr(value, "obs") and hasattr(value, "X"):
        value = value.X
    if isinstance(value, np.ma.MaskedArray):
        value = without_mask(value, name)
    if hasattr(value, "select_dtypes"):
        value = _numbers_of_frame(value, name)
    if getattr(value, "is_meta", False):
        raise InputError(f"{name} is a tensor on the meta device, which holds no numbers.", got="a meta tensor")
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value if str(value.layout) == "torch.strided" else value.to_dense()
        value = value.float().numpy() if value.is_floating_point() else value.numpy()
    elif hasattr(value, "toarray"):  # a sparse matrix
        value = value.toarray()
    kind = type(value).__name__
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(
            f"{name} is a ragged {kind}, not an array ({error}).", got=f"ragged {kind}", expected="an array"
        ) from None
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16 of JAX
        array = array.astype(np.float32)
    if array.dtype.kind not in NUMBER_KINDS:
        is_object = array.dtype == object
        found = f"of type {kind}" if is_object else f"an array of {array.dtype}"
        raise InputError(
            f"{name} is {found}, not an array of real numbers.",
            got=kind if is_object else f"array of {array.dtype}",
            expected="real numbers",
            fix=_mapping_fix(value, name) if isinstance(value, Mapping) and value else "",
        )
    return array


def _mapping_fix(parts: Mapping[Any, Any], name: str) -> str:
    """Return how to pass one part of a mapping that was passed. Empty for what a model returned."""
    return f"Pass one of its parts, such as {name}[{next(iter(parts))!r}]." if name.isidentifier() else ""


def as_matrix(value: Any, name: str) -> np.ndarray:
    """Convert an array of any library to a matrix of finite real numbers.

    Parameters
    ----------
    value : array_like, shape (N, D)
        Anything that `as_array` converts.
    name : str
        What error messages call it.

    Returns
    -------
    np.ndarray, shape (N, D)
        The matrix.

    Raises
    ------
    InputError
        If it is not a matrix with at least one column, or holds NaN or infinity.

    Examples
    --------
    >>> as_matrix([[1, 2], [3, 4]], "z").shape
    (2, 2)
    """
    matrix = np.asarray(as_array(value, name))
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise InputError(
            f"{name} has shape {matrix.shape}, expected a matrix (N, D).",
            got=f"shape {matrix.shape}",
            expected="(N, D)",
            fix=f"Pass {name}.reshape(len({name}), -1)." if matrix.ndim > 2 else "",
        )
    if not np.isfinite(matrix).all():
        raise InputError(f"{name} holds NaN or infinity.", got="NaN or infinity", expected="finite numbers")
    return matrix


def _numbers_of_frame(frame: Any, name: str) -> np.ndarray:
    """Return the values of a frame of pandas, whose columns may hold numbers of several types."""
    others = frame.columns.difference(frame.select_dtypes(["number", "bool"]).columns, sort=False)
    if len(others):
        listed = ", ".join(map(str, others[:5]))
        raise InputError(
            f"{name} has columns that do not hold numbers: {listed}{', ...' if len(others) > 5 else ''}.",
            got=listed,
            expected="columns of numbers",
            fix='Pass x.select_dtypes("number").',
        )
    array: np.ndarray = frame.to_numpy()
    return frame.to_numpy(dtype=np.float64, na_value=np.nan) if array.dtype == object else array


def fill_masked(values: np.ma.MaskedArray[Any, Any]) -> np.ndarray:
    """Replace the masked values of an array by None.

    Parameters
    ----------
    values : MaskedArray
        The array.

    Returns
    -------
    ndarray
        Objects if a value is masked, else the values as they are.

    Examples
    --------
    >>> fill_masked(np.ma.masked_greater([0, 1, 2], 1)).tolist()
    [0, 1, None]
    """
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    filled = np.asarray(values.data).astype(object)
    filled[np.ma.getmaskarray(values)] = None
    return filled


def without_mask(value: np.ma.MaskedArray[Any, Any], name: str) -> np.ndarray:
    """Return the values of a masked array.

    Parameters
    ----------
    value : MaskedArray
        The array.
    name : str
        What error messages call it.

    Returns
    -------
    ndarray
        Its values.

    Raises
    ------
    InputError
        If a value is masked.
    """
    n_masked = int(np.ma.getmaskarray(value).sum())
    if n_masked:
        raise InputError(
            f"{name} is a masked array with {n_masked} masked values.",
            got=f"{n_masked} masked values",
            expected="no masked values",
            fix=f"Pass {name if name.isidentifier() else 'x'}.filled(0), or leave the rows with masked values out.",
        )
    return np.asarray(value.data)


def rescale(values: np.ndarray, value_range: tuple[float, float], name: str = "x") -> np.ndarray:
    """Map a value range to [0, 1].

    Parameters
    ----------
    values : np.ndarray
        Real numbers of any type.
    value_range : tuple of float
        The values that become 0 and 1.
    name : str, default: "x"
        What error messages call the values.

    Returns
    -------
    np.ndarray
        The rescaled values, in float32.

    Raises
    ------
    InputError
        If a value is outside the range.

    Examples
    --------
    >>> rescale(np.array([0, 51, 255], np.uint8), (0, 255))
    array([0. , 0.2, 1. ], dtype=float32)
    """
    low, high = value_range
    if not low < high:
        raise InputError(
            f"value_range is ({low:g}, {high:g}), expected a lower and a higher number.",
            got=f"{low:g},{high:g}",
            expected="LOW,HIGH with LOW < HIGH",
        )
    if values.size and (values.min() < low or values.max() > high):
        raise InputError(
            f"{name} has values from {values.min():g} to {values.max():g}, outside the declared value_range "
            f"({low:g}, {high:g}).",
            got=f"{values.min():g} to {values.max():g}",
            expected=f"{low:g} to {high:g}",
        )
    wide = values.astype(np.result_type(values.dtype, np.float32))  # 32-bit integers need float64
    return ((wide - low) / (high - low)).astype(np.float32, copy=False)
