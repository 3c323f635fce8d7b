"""Check samples and iterate over them in batches, as encoding and decoding need them."""

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
    shorten,
)
from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import InputError

PROGRESS_DELAY = 2  # seconds; shorter work shows no progress bar


def check_samples(
    x: Any, name: str, *, reference: np.ndarray | SampleStream | None = None, kind: SampleKind | None = None
) -> np.ndarray | SampleStream:
    """Convert samples to an array or a stream, and check their shape and values.

    Parameters
    ----------
    x : array_like, shape (N, ...)
        Samples, see `as_samples`.
    name : str
        What error messages call them.
    reference : np.ndarray or SampleStream, shape (N, ...), optional
        Samples for which `x` must have one row each. If it is given, `x` may have the shape ``(N,)``.
    kind : str, optional
        The kind of the samples, if it is declared.

    Returns
    -------
    np.ndarray or SampleStream, shape (N, ...)
        The same object if it is one of these already. The values of samples that are not in memory are checked as
        they are read, by `iterate_batches`.

    Raises
    ------
    InputError
        If the samples are empty, have no sample axis, hold NaN or infinite values, or do not match `reference`.

    Examples
    --------
    >>> check_samples([[0.0, 1.0], [2.0, 3.0]], "x").shape
    (2, 2)
    """
    samples = as_samples(x, name, kind=kind)
    if isinstance(samples, Batches) and reference is None:
        return samples  # its shape is known after a pass over all batches
    shape = samples.shape
    if samples.ndim == 1 and reference is None:
        raise InputError(
            f"{name} has shape {shape}, expected (N, ...) with one row per sample.",
            got=str(shape),
            expected="(N, ...)",
            fix=f"If it is one sample, pass {name}[None].",
        )
    if reference is not None and len(samples) != len(reference):
        raise InputError(
            f"{name} has {len(samples)} rows for {len(reference)} samples.",
            got=str(len(samples)),
            expected=str(len(reference)),
        )
    if not is_out_of_core(samples):
        check_finite(np.asarray(samples), name)
    return samples


def iterate_batches(
    x: np.ndarray | SampleStream, size: int | None, *, desc: str | None, name: str = "x"
) -> Iterator[tuple[slice, np.ndarray]]:
    """Iterate over all samples in order, with a progress bar if it takes long.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples as `check_samples` returns them.
    size : int or None
        Number of samples per batch; None takes `default_batch_size`.
    desc : str or None
        Text of the progress bar; None for no bar. It is hidden unless stderr is a terminal.
    name : str, default: "x"
        What error messages call the samples.

    Yields
    ------
    rows : slice
        The rows of the batch.
    batch : np.ndarray, shape (size, ...)
        The samples; the last batch may have fewer.

    Raises
    ------
    InputError
        If samples that are not in memory hold NaN or infinite values.
    """
    from tqdm import tqdm

    size = size or default_batch_size(sample_shape(x))
    is_checked_here = is_out_of_core(x)
    disable = True if desc is None else None  # None: hidden unless stderr is a terminal
    start = 0
    with tqdm(
        total=known_length(x), desc=desc, unit="sample", delay=PROGRESS_DELAY, leave=False, disable=disable
    ) as bar:
        for batch in iterate_blocks(x, size):
            if is_checked_here:
                check_finite(batch, name, start)
            rows = slice(start, start + len(batch))
            yield rows, batch
            start = rows.stop
            bar.update(len(batch))


def pad_batch(arrays: list[np.ndarray], size: int) -> list[np.ndarray]:
    """Pad the arrays of a batch with copies of their first rows.

    Parameters
    ----------
    arrays : list of np.ndarray, shape (n, ...)
        Arrays with the same number of rows.
    size : int
        Number of rows that each has afterwards.

    Returns
    -------
    list of np.ndarray, shape (size, ...)
        The padded arrays.
    """
    missing = size - len(arrays[0])
    return [np.concatenate([array, np.repeat(array[:1], missing, axis=0)]) for array in arrays]


def check_row_count(returned: np.ndarray, n_rows: int) -> None:
    """Check that a callable returned one row per sample that it received.

    Parameters
    ----------
    returned : np.ndarray
        What the callable returned.
    n_rows : int
        Number of samples that it received.

    Raises
    ------
    InputError
        If the number of rows differs, or the array holds no values.
    """
    got = str(returned.shape)
    if returned.ndim == 0 or len(returned) != n_rows:
        raise InputError(
            f"It returned shape {got}, expected ({n_rows}, ...) with one row per sample.",
            got=got,
            expected=f"({n_rows}, ...)",
        )
    if not returned.size:
        raise InputError(f"It returned shape {got}, which holds no values.", got=got, expected=f"({n_rows}, ...)")


def one_line(error: Exception) -> str:
    """Return the error of a callable on one line.

    Parameters
    ----------
    error : Exception
        What the callable raised.

    Returns
    -------
    str
        The type and the message, without its middle if it is long; for our own errors the message alone.
    """
    reason, kind = shorten(str(error)), type(error).__name__
    if isinstance(error, InputError):
        return reason
    return f"raised {kind}: {reason}" if reason else f"raised {kind} without a message."


def check_finite(array: np.ndarray, name: str, start: int | None = None) -> None:
    """Check that all values are finite.

    Parameters
    ----------
    array : np.ndarray, shape (n, ...)
        The values, of any type.
    name : str
        What error messages call them.
    start : int, optional
        The row of a stream at which `array` begins.

    Raises
    ------
    InputError
        If a value is NaN or infinite.
    """
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        if np.isfinite(array.sum(dtype=np.result_type(array, np.float32))):
            return  # a sum takes no memory, and is finite only if all values are
    bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if not len(bad):
        return
    first = int(bad[0]) + (start or 0)
    where = f"in {len(bad)} of {len(array)} rows, first in row {first}" if start is None else f"first in row {first}"
    raise InputError(f"{name} has NaN or infinite values, {where}.", got=f"row {first}", expected="finite values")
