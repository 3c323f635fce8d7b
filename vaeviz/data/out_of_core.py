"""Samples that are read as they are needed: arrays on disk or elsewhere, and batches that can be read again."""

from __future__ import annotations

import itertools
import math
import mmap
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from vaeviz.data.arrays import NUMBER_KINDS, as_array, rescale
from vaeviz.data.huggingface import HuggingFaceSamples, is_huggingface_dataset
from vaeviz.data.ray_dataset import RayRows, is_ray_dataset, ray_rows
from vaeviz.data.sample_kind import SampleKind, column_names
from vaeviz.data.value_ranges import BYTE_RANGE, are_gray_levels
from vaeviz.errors import Fix, InputError

MAX_BATCH_VALUES = 1 << 20  # 4 MB in float32; bounds a batch whose size is not declared
MAX_BATCH_SAMPLES = 1024  # bounds a batch of small samples
MAX_ROW_VALUES = 1 << 16  # 512 KB in float64, which stay in the cache of a processor
MAX_SCATTERED_ROWS = 16  # of a file, read before their pages are released: each may keep a megabyte in memory
MAX_SUBSAMPLE_VALUES = 1 << 24  # 64 MB in float32; bounds the subsample that ranges are estimated from
MAX_SUBSAMPLE_ROWS = 1000  # more rows hardly change an estimated range
MAX_REASON_LENGTH = 300  # of a message of another library; the cause is often at its end
DATASET_BATCH = 128  # samples that are read from a torch Dataset before they are stacked


class SampleStream(ABC):
    """Samples of which only the rows in use are in memory.

    A stream has `shape`, `dtype`, `len` and rows (by slice, mask or indices) as an array has. ``np.asarray`` reads all
    of it. `origin` is the object that it reads from, see `is_same_source`. `divides_bytes` is True if it divides bytes
    by 255 because of their type, see `as_samples`.
    """

    origin: Any
    divides_bytes: bool = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({type(self.origin).__name__}, shape={self.shape})"

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape ``(N, ...)`` of all samples."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @abstractmethod
    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Iterate over all rows in order.

        Parameters
        ----------
        size : int
            Number of rows per block; the last may have fewer.

        Yields
        ------
        np.ndarray, shape (size, ...)
            The next rows.
        """

    @abstractmethod
    def _read_sorted(self, rows: np.ndarray) -> np.ndarray:
        """Read distinct rows in ascending order."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = self._row_indices(rows)
        distinct, places = np.unique(wanted, return_inverse=True)
        return self._read_sorted(distinct)[places.reshape(wanted.shape)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        blocks = list(self.blocks(default_batch_size(self.shape[1:])))
        return np.concatenate(blocks).astype(dtype or self.dtype, copy=False)

    def min(self) -> Any:
        """Return the smallest value. The first call reads all samples.

        Returns
        -------
        number
            The value, in the type of the samples.
        """
        return self._extremes[0]

    def max(self) -> Any:
        """Return the largest value. The first call reads all samples.

        Returns
        -------
        number
            The value, in the type of the samples.
        """
        return self._extremes[1]

    @cached_property
    def _subsample(self) -> np.ndarray:
        return _evenly_spaced_rows(self)

    @cached_property
    def _extremes(self) -> tuple[Any, Any]:
        return _find_extremes(self)

    def _row_indices(self, rows: Any) -> np.ndarray:
        """Convert a slice, mask or indices to indices from 0 to N - 1."""
        is_index = isinstance(rows, np.ndarray) and rows.dtype.kind in "iu" and rows.size
        if is_index and rows.min() >= 0 and rows.max() < len(self):
            return np.asarray(rows)  # a batch of rows must not cost an array of N numbers
        return np.asarray(np.arange(len(self))[rows])


class StoredArray(SampleStream):
    """An array on disk or elsewhere: memory-mapped, HDF5, zarr, dask, xarray, Hugging Face or Ray.

    Parameters
    ----------
    source : array_like, shape (N, ...)
        The array, which can be read by slices and by ascending indices.
    value_range : tuple of float, optional
        The values that become 0 and 1 as they are read, in float32, e.g. ``(0, 255)``. None leaves values as they are.
    dtype : dtype, optional
        Type to read values as; None keeps that of `source`. Not used with `value_range`.

    Raises
    ------
    InputError
        If the array does not hold real numbers, or a value that is read is outside `value_range`.
    """

    def __init__(
        self, source: Any, value_range: tuple[float, float] | None = None, *, dtype: DTypeLike | None = None
    ) -> None:
        self.source, self.value_range = source, value_range
        self._stored_dtype = np.dtype(source.dtype)
        if self._stored_dtype.kind not in NUMBER_KINDS:
            raise InputError(
                f"The array holds {self._stored_dtype}, not real numbers.",
                got=str(self._stored_dtype),
                expected="real numbers",
            )
        if any(np.isnan(size) for size in source.shape):  # of dask, after a selection by a mask
            raise InputError(
                f"The array has shape {source.shape}, whose sizes are unknown.",
                got=str(source.shape),
                expected="a known shape",
                fix="Write x = x.compute_chunk_sizes().",
            )
        self._shape = tuple(map(int, source.shape))
        self._dtype = np.dtype(np.float32 if value_range is not None else dtype or self._stored_dtype)
        has_same_values = value_range is None or (value_range == BYTE_RANGE and self._stored_dtype == np.uint8)
        self.origin = source if has_same_values else self  # `as_samples` reads bytes in this range, too

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape ``(N, ...)`` of all samples."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that are read."""
        return self._dtype

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Iterate over all rows in order.

        Parameters
        ----------
        size : int
            Number of rows per block; the last may have fewer.

        Yields
        ------
        np.ndarray, shape (size, ...)
            The next rows.
        """
        return (self._read_rows(slice(start, start + size)) for start in range(0, len(self), size))

    def _read_sorted(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return self._read_rows(slice(0))
        if rows[-1] - rows[0] == len(rows) - 1:
            return self._read_rows(slice(int(rows[0]), int(rows[-1]) + 1))
        step = MAX_SCATTERED_ROWS if _memory_map(self.source) else len(rows)
        return np.concatenate([self._read_rows(rows[start : start + step]) for start in range(0, len(rows), step)])

    def _read_rows(self, rows: slice | np.ndarray) -> np.ndarray:
        """Copy rows into memory and release the pages of the file that hold them."""
        if self.value_range is None:
            values = np.array(self.source[rows], dtype=self.dtype)
        else:
            values = rescale(np.array(self.source[rows]), self.value_range)
        _release_pages(self.source)
        return values


class Batches(SampleStream):
    """Samples in batches that are the same, in the same order, on every pass.

    The number of samples is known after the first pass; `len` makes one if it has to.

    Parameters
    ----------
    source : iterable or callable
        An object that can be iterated several times (a DataLoader that does not shuffle, an object with ``__iter__``),
        or a function that returns a new iterator with each call. A batch is an array ``(n, ...)``, or a tuple or list
        that starts with one. If its second part is one label per sample, `labels` keeps it; other parts are ignored.
    value_range : tuple of float, optional
        The values that become 0 and 1 as they are read, in float32. None leaves values as they are.

    Raises
    ------
    InputError
        For an iterator, which can be read only once, for batches that do not fit together, and for batches that
        differ from those of an earlier pass, e.g. of a loader that shuffles: codes would belong to other samples.

    Examples
    --------
    >>> batches = Batches(lambda: (np.full((2, 3), k) for k in range(5)))
    >>> batches.shape
    (10, 3)
    """

    def __init__(
        self,
        source: Iterable[Any] | Callable[[], Iterable[Any]],
        *,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        kind = type(source).__name__
        if isinstance(source, Iterator):
            raise InputError(
                f"A {kind} can be read only once, but samples are read several times.",
                got=kind,
                expected="an object that can be iterated again, or a function",
                fix="Write vaeviz.Batches(lambda: ...) with a function that returns a new iterator.",
            )
        if not (callable(source) or hasattr(source, "__iter__") or _is_sample_source(source)):
            raise InputError(
                f"Batches needs an iterable or a function that returns one, not {kind}.",
                got=kind,
                expected="an iterable, or a function that returns one",
            )
        sampler = type(getattr(source, "sampler", None)).__name__
        if "Random" in sampler:
            raise InputError(
                f"The {kind} shuffles ({sampler}), but samples are read several times in the same order.",
                got=sampler,
                expected="the same order on every pass",
                fix=f"Write {kind}(..., shuffle=False).",
            )
        self.source = self.origin = source
        self.value_range = value_range
        self._n_samples: int | None = None
        self._sample_spec: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._checksums: list[int] = []
        self._labels: list[np.ndarray | None] = []

    def __repr__(self) -> str:
        return super().__repr__() if self.is_counted else f"Batches({type(self.origin).__name__})"  # reads nothing

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape ``(N, ...)`` of all samples."""
        return (len(self), *self.sample_shape)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, read from the first batch."""
        return self._first_spec()[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._first_spec()[1]

    @property
    def is_counted(self) -> bool:
        """True once a pass has counted the samples."""
        return self._n_samples is not None

    @property
    def labels(self) -> np.ndarray | None:
        """Labels ``(N,)`` that came with the samples, or None."""
        n_samples = len(self)
        labels = [part for part in self._labels if part is not None]
        return np.concatenate(labels) if sum(map(len, labels)) == n_samples else None

    def __len__(self) -> int:
        if self._n_samples is None:
            self._n_samples = sum(map(len, self))
        return self._n_samples

    def __iter__(self) -> Iterator[np.ndarray]:
        n_samples = n_batches = 0
        for batch in self._iterate_source():
            x, labels = _split_batch(batch, n_batches)
            x = x if self.value_range is None else rescale(x, self.value_range, f"Batch {n_batches}")
            self._compare_with_earlier(x, labels, n_batches)
            n_samples, n_batches = n_samples + len(x), n_batches + 1
            yield x
        if n_batches < len(self._checksums):
            raise _changed_batch(n_batches, "is missing")
        if not n_samples:
            raise InputError("The batches hold no samples.", got="no samples", expected="at least one sample")
        self._n_samples = n_samples

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Iterate over all rows in order.

        Parameters
        ----------
        size : int
            Number of rows per block, whatever the size of the batches; the last block may have fewer.

        Yields
        ------
        np.ndarray, shape (size, ...)
            The next rows.
        """
        held: list[np.ndarray] = []
        n_held = 0
        for batch in self:
            held.append(batch.copy())  # a source may fill the same array again
            n_held += len(batch)
            if n_held >= size:
                rows = np.concatenate(held) if len(held) > 1 else held[0]
                full = n_held - n_held % size
                yield from (rows[start : start + size] for start in range(0, full, size))
                held, n_held = [rows[full:]], n_held - full
        if n_held:
            yield np.concatenate(held)

    def _read_sorted(self, rows: np.ndarray) -> np.ndarray:
        found, start = [], 0
        for batch in self:
            inside = rows[(rows >= start) & (rows < start + len(batch))]
            found.append(batch[inside - start])
            start += len(batch)
            if not len(rows) or start > rows[-1]:
                break
        return np.concatenate(found)

    def _row_indices(self, rows: Any) -> np.ndarray:
        is_head = isinstance(rows, slice) and rows.start is rows.step is None and (rows.stop or -1) > 0
        if is_head and not self.is_counted:  # the first few rows need no pass over all batches
            return np.asarray(np.arange(self._count_up_to(rows.stop))[rows])
        return super()._row_indices(rows)

    def _count_up_to(self, n_rows: int) -> int:
        """Return the number of samples in the first batches that hold `n_rows`."""
        total = 0
        for batch in self:
            total += len(batch)
            if total >= n_rows:
                break
        return total

    def _iterate_source(self) -> Iterator[Any]:
        try:
            yield from _iterate_isolated(self._open_source)
        except InputError:
            raise
        except Exception as error:
            reason = shorten(str(error))
            raise InputError(f"Reading the batches raised {type(error).__name__}: {reason}") from error

    def _open_source(self) -> Iterator[Any]:
        source = self.source() if callable(self.source) else self.source
        return _group_samples(source) if _is_sample_source(source) else iter(source)

    def _first_spec(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return the shape and type of a sample, from the first batch."""
        if self._sample_spec is None:
            first = next(iter(self))
            self._sample_spec = first.shape[1:], first.dtype
        return self._sample_spec

    def _compare_with_earlier(self, x: np.ndarray, labels: np.ndarray | None, index: int) -> None:
        """Compare a batch with the batches before it, and with its values on earlier passes."""
        shape, dtype = self._sample_spec = self._sample_spec or (x.shape[1:], x.dtype)
        if (x.shape[1:], x.dtype) != (shape, dtype):
            got, expected = f"{x.shape[1:]} {x.dtype}", f"{shape} {dtype}"
            raise InputError(
                f"Batch {index} has samples of shape and type {got}, and those before it {expected}.",
                got=got,
                expected=expected,
            )
        checksum = zlib.crc32(np.ascontiguousarray(x).data, len(x))
        if index < len(self._checksums):
            if self._checksums[index] != checksum:
                raise _changed_batch(index, "has other values")
            return
        if self._n_samples is not None:
            raise _changed_batch(index, "is new")
        self._checksums.append(checksum)
        self._labels.append(labels)


def as_samples(x: Any, name: str, *, kind: SampleKind | None = None) -> np.ndarray | SampleStream:
    """Convert samples to an array, or to a stream if they are not in memory.

    Bytes are divided by 255 as they are read, unless they are declared as a table, signals or points. Masks of 0 and 1
    and booleans keep their values. `check_samples` checks the values.

    Parameters
    ----------
    x : array_like, shape (N, ...)
        An array of any library, a memory-mapped, HDF5, zarr, dask or xarray array, a DataLoader, a torch Dataset, a
        `datasets.Dataset`, a Ray Dataset, `Batches`, or a `vaeviz.Dataset`.
    name : str
        What error messages call it.
    kind : str, optional
        The kind of the samples, if it is declared.

    Returns
    -------
    np.ndarray or SampleStream, shape (N, ...)
        The same object if it is one of these already, and does not hold bytes or booleans.

    Raises
    ------
    InputError
        For anything else, such as an iterator, which can be read only once, and if there are no samples.

    Examples
    --------
    >>> pictures = np.full((2, 8, 8), 51, np.uint8)
    >>> as_samples(pictures, "x")[0].max()
    np.float32(0.2)
    """
    if is_dataset(x):
        x, kind = x.x, x.kind
    samples = _as_array_or_stream(x, name)
    if hasattr(x, "obs") and isinstance(samples, np.ndarray):
        cells = StoredArray(samples, dtype=np.float32)
        cells.origin = x  # from which an encoder may read more than the matrix
        return cells
    if not isinstance(samples, Batches) and (samples.ndim == 0 or not samples.size):
        shape = str(samples.shape)
        raise InputError(f"{name} has shape {shape}, which holds no samples.", got=shape, expected="(N, ...)")
    if samples.dtype not in (np.uint8, np.bool_):
        return samples
    names = column_names(None, x)
    is_gray = are_gray_levels(_first_values(samples), kind, names, name)
    if isinstance(samples, Batches) and not is_gray:
        return samples
    converted: Batches | StoredArray
    if isinstance(samples, Batches):
        converted = Batches(samples.source, value_range=BYTE_RANGE)
    else:
        source = samples.source if isinstance(samples, StoredArray) else samples
        converted = StoredArray(source, BYTE_RANGE if is_gray else None, dtype=np.float32)
        converted.origin = _origin(samples)
    converted.divides_bytes = is_gray
    return converted


def is_dataset(x: Any) -> bool:
    """Return True if an object is a `vaeviz.Dataset`.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        True if it has `x` and `named_labels`.
    """
    return hasattr(x, "named_labels") and hasattr(x, "x")


def _as_array_or_stream(x: Any, name: str) -> np.ndarray | SampleStream:
    if isinstance(x, SampleStream):
        return x
    if isinstance(x, np.ndarray) and type(x) in (np.ndarray, np.memmap) and x.dtype.kind in NUMBER_KINDS:
        return x  # not a matrix or a masked array
    try:
        if _is_chunked_array(x):
            return StoredArray(x)
        if (table := _table_in_blocks(x)) is not None:
            rows = StoredArray(table)
            rows.origin = x
            return rows
        return Batches(x) if isinstance(x, Iterator) or _is_batch_source(x) else as_array(x, name)
    except InputError as error:
        message = error.message if error.message.startswith(name) else f"{name}: {error.message}"
        raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from None


def _table_in_blocks(x: Any) -> HuggingFaceSamples | RayRows | None:
    if is_huggingface_dataset(x):
        return HuggingFaceSamples(x)
    return ray_rows(x) if is_ray_dataset(x) else None


def block_columns(x: Any) -> tuple[str, ...] | None:
    """Return the names of the columns that are the features of a dataset of Hugging Face or Ray.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    tuple of str
        The names; empty if a column holds several features, or if reading the dataset fails. None for other objects.
    """
    try:
        table = _table_in_blocks(x)
    except InputError:  # `as_samples` raises it again, with the name of the argument
        return ()
    if table is None:
        return None
    return tuple(table.names) if table.shape[1:] == (len(table.names),) else ()


def _first_values(samples: np.ndarray | SampleStream) -> np.ndarray:
    """Return evenly spaced samples, or those of the first batch where more would take a pass over all."""
    return next(iter(samples)) if isinstance(samples, Batches) else subsample(samples)


def is_same_source(a: Any, b: Any) -> bool:
    """Return True if two objects are the same samples by identity.

    Parameters
    ----------
    a, b : array_like
        Samples, as arrays or streams.

    Returns
    -------
    bool
        True for the same array, and for streams that read the same object.
    """
    return _origin(a) is _origin(b)


def sample_shape(x: np.ndarray | SampleStream) -> tuple[int, ...]:
    """Return the shape of one sample.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples. Only the first batch of `Batches` is read.

    Returns
    -------
    tuple of int
        The shape without N.
    """
    return x.sample_shape if isinstance(x, Batches) else x.shape[1:]


def known_length(x: np.ndarray | SampleStream) -> int | None:
    """Return the number of samples, or None if it takes a pass over all batches.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples.

    Returns
    -------
    int or None
        N, if it is known.
    """
    return None if isinstance(x, Batches) and not x.is_counted else len(x)


def is_out_of_core(x: np.ndarray | SampleStream) -> bool:
    """Return True if samples are not in memory.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples.

    Returns
    -------
    bool
        True for streams, and for arrays that are memory-mapped or views of one that is.
    """
    return isinstance(x, SampleStream) or _memory_map(x) is not None


def iterate_blocks(x: np.ndarray | SampleStream, size: int) -> Iterator[np.ndarray]:
    """Iterate over all rows in order, with one block in memory.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples.
    size : int
        Number of rows per block; the last may have fewer.

    Returns
    -------
    iterator of np.ndarray, shape (size, ...)
        The rows. `iterate_batches` also checks them and shows progress.
    """
    if is_out_of_core(x):
        return (x if isinstance(x, SampleStream) else StoredArray(x)).blocks(size)
    return (x[start : start + size] for start in range(0, len(x), size))


def iterate_rows(matrix: np.ndarray) -> Iterator[np.ndarray]:
    """Iterate over the rows of a matrix in blocks that are small enough to be summed quickly.

    Parameters
    ----------
    matrix : ndarray, shape (N, D)
        Rows in memory, or memory-mapped.

    Returns
    -------
    iterator of np.ndarray, shape (n, D)
        The rows. Those of a memory-mapped matrix are copies, and their pages are released.
    """
    return iterate_blocks(matrix, max(1, MAX_ROW_VALUES // max(1, matrix.shape[-1])))


def take_rows(x: np.ndarray | SampleStream, rows: Any) -> np.ndarray:
    """Read some rows into memory.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples.
    rows : slice, int or array_like
        A slice, a mask ``(N,)``, or indices.

    Returns
    -------
    np.ndarray
        The rows.
    """
    return np.asarray((StoredArray(x) if _memory_map(x) else x)[rows])


def default_batch_size(shape: tuple[int, ...]) -> int:
    """Return the number of samples per batch if no size is declared.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.

    Returns
    -------
    int
        At most 1,024 samples and about a million values.
    """
    return min(MAX_BATCH_SAMPLES, max(1, MAX_BATCH_VALUES // math.prod(shape)))


def subsample(x: np.ndarray | SampleStream) -> np.ndarray:
    """Take evenly spaced samples, from which ranges are estimated.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples.

    Returns
    -------
    np.ndarray
        About 1,000 samples, fewer if they are large.
    """
    return x._subsample if isinstance(x, SampleStream) else _evenly_spaced_rows(x)


def subsample_stride(n_samples: int, shape: tuple[int, ...]) -> int:
    """Return the distance between the rows that `subsample` takes.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    shape : tuple of int
        Shape of one sample.

    Returns
    -------
    int
        The distance, 1 or more.
    """
    return max(1, n_samples // min(MAX_SUBSAMPLE_ROWS, max(1, MAX_SUBSAMPLE_VALUES // math.prod(shape))))


def data_range(x: np.ndarray | SampleStream) -> tuple[float, float]:
    """Return the smallest and the largest value.

    Parameters
    ----------
    x : np.ndarray or SampleStream, shape (N, ...)
        Samples, all of which are read.

    Returns
    -------
    low, high : float
        The values.
    """
    return (x.min(), x.max()) if isinstance(x, SampleStream) else _find_extremes(x)


def _evenly_spaced_rows(x: np.ndarray | SampleStream) -> np.ndarray:
    return take_rows(x, slice(None, None, subsample_stride(len(x), x.shape[1:])))


def _find_extremes(x: np.ndarray | SampleStream) -> tuple[Any, Any]:
    extremes = [(block.min(), block.max()) for block in iterate_blocks(x, default_batch_size(x.shape[1:]))]
    return min(low for low, _ in extremes), max(high for _, high in extremes)


def shorten(reason: str) -> str:
    """Return a message on one line, without its middle if it is long: the cause is often at the end.

    Parameters
    ----------
    reason : str
        The message of another library.

    Returns
    -------
    str
        The message, at most about 300 characters.
    """
    line = " ".join(reason.split())
    if len(line) <= MAX_REASON_LENGTH:
        return line
    return f"{line[: MAX_REASON_LENGTH // 3]} ... {line[-2 * MAX_REASON_LENGTH // 3 :]}"


def _split_batch(batch: Any, index: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the samples of a batch, and its labels or None."""
    if isinstance(batch, Mapping):
        names = [str(name) for name in batch]
        fix = f"Write vaeviz.Batches(lambda: (batch[{names[0] if names else 'x'!r}] for batch in loader))."
        listed = ", ".join(names) or "none"
        raise InputError(
            f"Batch {index} is a dictionary with the keys {listed}, expected an array, or an array and labels.",
            got=listed,
            expected="an array, or (array, labels)",
            fix=fix,
        )
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    x = as_array(parts[0] if len(parts) else parts, f"Batch {index}")
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise InputError(
            f"Batch {index} has shape {x.shape}, expected (n, ...) with one row per sample.",
            got=str(x.shape),
            expected="(n, ...)",
        )
    return x, _labels_of_batch(parts[1], len(x)) if len(parts) > 1 else None


def _iterate_isolated(open_source: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Iterate over a source with a random state of torch of its own: a DataLoader draws from the global one."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield from open_source()
        return
    state, iterator = torch.random.get_rng_state(), None
    while True:
        state_outside = torch.random.get_rng_state()
        torch.random.set_rng_state(state)
        try:
            iterator = open_source() if iterator is None else iterator
            batch = next(iterator)
        except StopIteration:
            return
        finally:
            state = torch.random.get_rng_state()
            torch.random.set_rng_state(state_outside)
        yield batch


def _group_samples(dataset: Any) -> Iterator[Any]:
    """Yield batches of a torch Dataset: stacked samples, with their labels if its items are pairs."""
    is_indexed = hasattr(dataset, "__len__") and not _is_of_torch_class(dataset, "IterableDataset")
    items = (dataset[index] for index in range(len(dataset))) if is_indexed else iter(dataset)
    while group := list(itertools.islice(items, DATASET_BATCH)):
        if isinstance(group[0], (tuple, list)):
            samples, *others = zip(*group)
            yield np.stack([as_array(sample) for sample in samples]), *(np.asarray(part) for part in others[:1])
        else:  # a mapping is refused with the names of its parts, see `_split_batch`
            yield group[0] if isinstance(group[0], Mapping) else np.stack([as_array(sample) for sample in group])


def _labels_of_batch(part: Any, n_rows: int) -> np.ndarray | None:
    labels = np.asarray(part.detach().cpu().numpy() if hasattr(part, "detach") else part)
    return labels if labels.shape == (n_rows,) else None


def _changed_batch(index: int, difference: str) -> InputError:
    return InputError(
        f"Batch {index} {difference} on a later pass. Batches must be identical on every pass.",
        got=f"batch {index} {difference}",
        expected="identical batches",
        fix=Fix("Use shuffle=False and no random augmentation in a DataLoader."),
    )


def _is_batch_source(x: Any) -> bool:
    """Return True for DataLoaders and other objects that are iterated in batches, and for torch Datasets."""
    is_array = any(hasattr(x, name) for name in ("__array__", "shape", "detach", "toarray"))
    is_iterable = hasattr(x, "__iter__") and not isinstance(x, (Sequence, Mapping, Set))
    return not is_array and (is_iterable or _is_sample_source(x))


def _is_sample_source(x: Any) -> bool:
    """Return True for torch Datasets, and for other objects with a length and samples by index alone."""
    if _is_of_torch_class(x, "Dataset"):
        return True
    is_array = any(hasattr(x, name) for name in ("__array__", "shape", "__iter__"))
    return hasattr(x, "__len__") and hasattr(x, "__getitem__") and not is_array and not isinstance(x, type)


def _is_of_torch_class(x: Any, name: str) -> bool:
    return any((kind.__module__, kind.__name__) == ("torch.utils.data.dataset", name) for kind in type(x).__mro__)


def _is_chunked_array(x: Any) -> bool:
    """Return True for arrays of h5py, zarr, dask and xarray, all of which have an attribute `chunks`."""
    return all(hasattr(x, name) for name in ("chunks", "shape", "dtype", "__getitem__"))


def _origin(x: Any) -> Any:
    x = x.x if is_dataset(x) else x
    return x.origin if isinstance(x, SampleStream) else x


def _memory_map(x: Any) -> tuple[mmap.mmap, str] | None:
    """Return the memory map, and its mode, of which an array is a view."""
    mode = ""
    while isinstance(x, np.ndarray):
        mode = x.mode if isinstance(x, np.memmap) else mode
        x = x.base
    return (x, mode) if isinstance(x, mmap.mmap) and mode else None


def _release_pages(source: Any) -> None:
    """Release the pages of a file that were read, which count as memory of this process until others need it.

    A copy-on-write map is left alone, since its changes would be lost.
    """
    mapped, mode = _memory_map(source) or (None, "")
    if mapped is not None and mode in ("r", "r+", "w+") and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
