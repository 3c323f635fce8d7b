"""What encoding and decoding share: samples in, bounded batches, one row back for each row sent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaeviz.errors import InputError
from vaeviz.posterior import as_array

BATCH_VALUES = 1 << 20
"""How many numbers a batch holds at most, where its size is not declared (4 MB in float32)."""


def samples(x: Any, name: str, *, like: np.ndarray | None = None) -> np.ndarray:
    """`x` as an array (N, ...) of finite numbers; the same object if it is one already.

    Raises `InputError` if it is empty, has no sample axis, holds NaN, or is not as long as `like`.
    """
    try:
        array = x if isinstance(x, np.ndarray) and x.dtype.kind in "fiub" else as_array(x)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if array.ndim == 0 or (array.ndim == 1 and like is None):
        raise InputError(f"{name}: got shape {array.shape}, expected (N, ...) with one row a sample")
    if not array.size:
        raise InputError(f"{name}: got shape {array.shape}, which holds no values")
    if like is not None and len(array) != len(like):
        raise InputError(f"{name}: got {len(array)} rows for {len(like)} samples")
    _check_finite(array, name)
    return array


def batches(x: np.ndarray, size: int | None, *, doing: str) -> Iterator[slice]:
    """Slices of x in order, with a progress bar once they have taken more than two seconds."""
    from tqdm import tqdm

    size = size or min(1024, max(1, BATCH_VALUES // math.prod(x.shape[1:])))
    with tqdm(total=len(x), desc=doing, unit="sample", delay=2, leave=False, disable=None) as bar:
        for start in range(0, len(x), size):
            rows = slice(start, min(start + size, len(x)))
            yield rows
            bar.update(rows.stop - rows.start)


def filled(arrays: list[np.ndarray], size: int) -> list[np.ndarray]:
    """The arrays of a batch with their first row repeated at the end, until each has `size` rows."""
    missing = size - len(arrays[0])
    return [np.concatenate([array, np.repeat(array[:1], missing, axis=0)]) for array in arrays]


def one_row_each(returned: np.ndarray, rows: int) -> None:
    """`InputError` unless as many rows came back as were sent."""
    if returned.ndim == 0 or len(returned) != rows:
        raise InputError(f"got back shape {returned.shape}, expected ({rows}, ...): one row for each that was sent")
    if not returned.size:
        raise InputError(f"got back shape {returned.shape}, which holds no values")


def sent(batch: np.ndarray) -> str:
    return f"a batch of shape {batch.shape}"


def batch_hint(call: str, batch: np.ndarray, size: int) -> str:
    """What to try where a batch failed that is smaller than those before it."""
    return (
        f"; if it takes {size} rows at a time, write {call}(fn, batch_size={size}, pad=True)"
        if len(batch) < size
        else ""
    )


def told(error: Exception) -> str:
    """What a foreign callable did wrong, on one line."""
    reason = " ".join(str(error).split())[:300]
    return reason if isinstance(error, InputError) else f"raised {type(error).__name__}: {reason}"


def _check_finite(array: np.ndarray, name: str) -> None:
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    bad = np.flatnonzero(~finite)
    if len(bad):
        raise InputError(f"{name}: NaN or infinite values in {len(bad)} of {len(array)} rows, first in row {bad[0]}")
