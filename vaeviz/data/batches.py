"""What encoding and decoding share: samples in, bounded batches, one row back for each row sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import (
    Batches,
    SampleStream,
    as_samples,
    default_batch_size,
    is_out_of_core,
    iterate_blocks,
    known_length,
    sample_shape,
)
from vaeviz.errors import InputError


def check_samples(x: Any, name: str, *, reference: np.ndarray | SampleStream | None = None) -> np.ndarray | SampleStream:
    """`x` as an array (N, ...) of finite numbers, the same object if it is one already, or as a `Stream` of them.

    Raises `InputError` if it is empty, has no sample axis, holds NaN, or is not as long as `reference`. What does not lie
    in memory is looked at as it is read, by `batches`.
    """
    array = as_samples(x, name)
    if isinstance(array, Batches) and reference is None:
        return array
    if array.ndim == 0 or (array.ndim == 1 and reference is None):
        raise InputError(f"{name}: got shape {array.shape}, expected (N, ...) with one row a sample")
    if not array.size:
        raise InputError(f"{name}: got shape {array.shape}, which holds no values")
    if reference is not None and len(array) != len(reference):
        raise InputError(f"{name}: got {len(array)} rows for {len(reference)} samples")
    if not is_out_of_core(array):
        _check_finite(array, name)
    return array


def iterate_batches(
    x: np.ndarray | SampleStream, size: int | None, *, desc: str | None, name: str = "x"
) -> Iterator[tuple[slice, np.ndarray]]:
    """(which rows, these rows) of x in order, with a progress bar once they have taken more than two seconds.

    Of what does not lie in memory each row is looked at, see `samples`. desc: what the bar says; None for no bar.
    """
    from tqdm import tqdm

    size = size or default_batch_size(sample_shape(x))
    quiet = True if desc is None else None  # None: where nobody looks
    start = 0
    with tqdm(total=known_length(x), desc=desc, unit="sample", delay=2, leave=False, disable=quiet) as bar:
        for batch in iterate_blocks(x, size):
            if is_out_of_core(x):
                _check_finite(batch, name, start)
            rows = slice(start, start + len(batch))
            yield rows, batch
            start = rows.stop
            bar.update(len(batch))


def pad_batch(arrays: list[np.ndarray], size: int) -> list[np.ndarray]:
    """The arrays of a batch with their first row repeated at the end, until each has `size` rows."""
    missing = size - len(arrays[0])
    return [np.concatenate([array, np.repeat(array[:1], missing, axis=0)]) for array in arrays]


def check_row_count(returned: np.ndarray, rows: int) -> None:
    """`InputError` unless as many rows came back as were sent."""
    if returned.ndim == 0 or len(returned) != rows:
        raise InputError(f"got back shape {returned.shape}, expected ({rows}, ...): one row for each that was sent")
    if not returned.size:
        raise InputError(f"got back shape {returned.shape}, which holds no values")


def describe_batch(batch: np.ndarray) -> str:
    return f"a batch of shape {batch.shape}"


def batch_size_hint(call: str, batch: np.ndarray, size: int) -> str:
    """What to try where a batch failed that is smaller than those before it."""
    return (
        f"; if it takes {size} rows at a time, write {call}(fn, batch_size={size}, pad=True)"
        if len(batch) < size
        else ""
    )


def one_line(error: Exception) -> str:
    """What a foreign callable did wrong, on one line."""
    reason = " ".join(str(error).split())[:300]
    return reason if isinstance(error, InputError) else f"raised {type(error).__name__}: {reason}"


def _check_finite(array: np.ndarray, name: str, start: int | None = None) -> None:
    """`InputError` with the first row that is not finite; start: the row of a stream that the first of these is."""
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        if np.isfinite(array.sum(dtype=np.result_type(array, np.float32))):
            return
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    bad = np.flatnonzero(~finite)
    if len(bad) and start is None:
        raise InputError(f"{name}: NaN or infinite values in {len(bad)} of {len(array)} rows, first in row {bad[0]}")
    if len(bad):
        raise InputError(f"{name}: NaN or infinite values, first in row {start + bad[0]}")
