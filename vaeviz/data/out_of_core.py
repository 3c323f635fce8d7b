"""Samples that are read as they are needed: arrays that lie on disk or elsewhere, and batches that come again."""

from __future__ import annotations

import math
import mmap
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import InputError

MAX_BATCH_VALUES = 1 << 20
"""How many numbers a batch holds at most, where its size is not declared (4 MB in float32)."""

MAX_SCATTERED_ROWS = 16
"""How many scattered rows of a file are read before its pages are given back: each may bring a megabyte with it."""

MAX_SUBSAMPLE_VALUES = 1 << 24
"""How many numbers the few samples hold at most by which all are judged (64 MB in float32)."""


class SampleStream:
    """Samples (N, ...) of which only those are in memory that are being looked at.

    It has `shape`, `dtype`, `len` and rows (by slice, mask or indices) as an array does; ``np.asarray`` reads it whole.
    origin: what it stands for, see `same_samples`.
    """

    origin: Any
    shape: tuple[int, ...]
    dtype: np.dtype

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """All rows in order, `size` at a time."""
        raise NotImplementedError

    def _sorted_rows(self, rows: np.ndarray) -> np.ndarray:
        """Different rows, in ascending order."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = self._indices(rows)
        distinct, places = np.unique(wanted, return_inverse=True)
        return self._sorted_rows(distinct)[places.reshape(wanted.shape)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.concatenate(list(self.blocks(default_batch_size(self.shape[1:])))).astype(
            dtype or self.dtype, copy=False
        )

    def min(self) -> Any:
        return self._extremes[0]

    def max(self) -> Any:
        return self._extremes[1]

    @cached_property
    def some(self) -> np.ndarray:
        return _some_of(self)

    @cached_property
    def _extremes(self) -> tuple[Any, Any]:
        return _extremes_of(self)

    def _indices(self, rows: Any) -> np.ndarray:
        plain = isinstance(rows, np.ndarray) and rows.dtype.kind in "iu" and rows.size
        if plain and rows.min() >= 0 and rows.max() < len(self):
            return rows  # a batch of some should not cost as much as all
        return np.arange(len(self))[rows]


class StoredArray(SampleStream):
    """An array that lies on disk or elsewhere (memory-mapped, HDF5, zarr, dask), as float32 shares of `divisor`
    where one is given: bytes of 255."""

    def __init__(self, source: Any, divisor: int | None = None):
        self.source, self.divisor = source, divisor
        self.origin = source if divisor is None else self
        self.shape = tuple(map(int, source.shape))
        self.dtype = np.dtype(source.dtype if divisor is None else np.float32)
        if self.dtype.kind not in "fiub":
            raise InputError(f"got an array of {self.dtype}, expected an array of real numbers")

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        return (self._read(slice(start, start + size)) for start in range(0, len(self), size))

    def _sorted_rows(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows) or rows[-1] - rows[0] == len(rows) - 1:
            return self._read(slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0))
        few = MAX_SCATTERED_ROWS if _memory_map(self.source) else len(rows)
        return np.concatenate([self._read(rows[start : start + few]) for start in range(0, len(rows), few)])

    def _read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Rows in memory, and of a file nothing else."""
        values = np.array(self.source[rows], dtype=self.dtype)
        _release(self.source)
        return values if self.divisor is None else np.divide(values, np.float32(self.divisor), out=values)


class Batches(SampleStream):
    """Samples that come in batches, the same ones in the same order each time they are asked for.

    source: what can be iterated again and again (a DataLoader that does not shuffle, an object with ``__iter__``), or a
        function that returns a new iterator each time it is called. A batch is an array (n, ...), or a tuple or list
        whose first part is that; a second part of n labels is kept, anything else is left out.

    How many samples there are is known after the first pass; until then `len` makes one. Raises `InputError` for an
    iterator, which can be read only once, for batches that do not fit together, and where they come otherwise than
    before (a loader that shuffles): a picture would then not belong to its code.
    """

    def __init__(self, source: Iterable | Callable[[], Iterable]):
        if isinstance(source, Iterator):
            raise InputError(
                f"got a {type(source).__name__}, which can be read only once, and samples are read several times; give "
                "what makes it, vaeviz.Batches(lambda: ...), or an object whose __iter__ begins anew"
            )
        if not callable(source) and not hasattr(source, "__iter__"):
            raise InputError(f"got {type(source).__name__}, expected batches, or a function that returns them")
        sampler = type(getattr(source, "sampler", None)).__name__
        if "Random" in sampler:
            raise InputError(
                f"got a {type(source).__name__} that shuffles ({sampler}), and samples are read several times and must "
                "come alike; make one with shuffle=False"
            )
        self.source = self.origin = source
        self._total: int | None = None
        self._sample: tuple[tuple[int, ...], np.dtype] | None = None
        self._checksums: list[int] = []
        self._labels: list[np.ndarray | None] = []

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.sample_shape)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample, for which the first batch is enough."""
        return self._a_sample[0]

    @property
    def dtype(self) -> np.dtype:
        return self._a_sample[1]

    @property
    def is_counted(self) -> bool:
        """Whether it is known how many samples there are."""
        return self._total is not None

    @property
    def labels(self) -> np.ndarray | None:
        """The labels (N,) that came with the samples, or None."""
        if not len(self) or any(part is None for part in self._labels):
            return None
        return np.concatenate(self._labels)

    def __len__(self) -> int:
        if self._total is None:
            for _ in self:
                pass
        return self._total

    def __iter__(self) -> Iterator[np.ndarray]:
        """One pass over the batches (n, ...), each held against the pass before."""
        total = count = 0
        for batch in self._passed():
            x, labels = _parted(batch, count)
            self._check(x, labels, count)
            total, count = total + len(x), count + 1
            yield x
        if not total:
            raise InputError(_otherwise(0, "is missing") if self._checksums else "batches: got none, or empty ones")
        if count < len(self._checksums):
            raise InputError(_otherwise(count, "is missing"))
        self._total = total

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        held: list[np.ndarray] = []
        count = 0
        for batch in self:
            held.append(batch.copy())  # a source may fill the same array again
            count += len(batch)
            if count >= size:
                rows = np.concatenate(held) if len(held) > 1 else held[0]
                full = count - count % size
                yield from (rows[start : start + size] for start in range(0, full, size))
                held, count = [rows[full:]], count - full
        if count:
            yield np.concatenate(held)

    def _sorted_rows(self, rows: np.ndarray) -> np.ndarray:
        found, start = [], 0
        for batch in self:
            inside = rows[(rows >= start) & (rows < start + len(batch))]
            found.append(batch[inside - start])
            start += len(batch)
            if not len(rows) or start > rows[-1]:
                break
        return np.concatenate(found)

    def _indices(self, rows: Any) -> np.ndarray:
        first_few = isinstance(rows, slice) and rows.start is rows.step is None and (rows.stop or -1) > 0
        if first_few and not self.is_counted:  # nobody waits for all
            return np.arange(sum(map(len, _first(self, rows.stop))))[rows]
        return super()._indices(rows)

    def _passed(self) -> Iterator[Any]:
        """The source's batches; what goes wrong in it is told with its name."""
        try:
            yield from self.source() if callable(self.source) else self.source
        except InputError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"reading batches raised {type(error).__name__}: {reason}") from error

    @property
    def _a_sample(self) -> tuple[tuple[int, ...], np.dtype]:
        if self._sample is None:
            next(iter(self))
        return self._sample

    def _check(self, x: np.ndarray, labels: np.ndarray | None, count: int) -> None:
        if self._sample is None:
            self._sample = x.shape[1:], x.dtype
        if x.shape[1:] != self._sample[0]:
            raise InputError(
                f"batch {count} holds samples of shape {x.shape[1:]}, those before are of {self._sample[0]}"
            )
        if x.dtype != self._sample[1]:
            raise InputError(f"batch {count} holds numbers of type {x.dtype}, those before are of {self._sample[1]}")
        checksum = zlib.crc32(np.ascontiguousarray(x), len(x))
        if count < len(self._checksums):
            if self._checksums[count] != checksum:
                raise InputError(_otherwise(count, "holds other values"))
            return
        if self._total is not None:
            raise InputError(_otherwise(count, "was not there before"))
        self._checksums.append(checksum)
        self._labels.append(labels)


def as_samples(x: Any, name: str) -> np.ndarray | SampleStream:
    """`x` as an array, the same object if it is one already, or as a `Stream` that is read as it is needed.

    The values are not looked at. Raises `InputError` for what is no samples, an iterator among them.
    """
    if isinstance(x, SampleStream) or (isinstance(x, np.ndarray) and x.dtype.kind in "fiub"):
        return x
    try:
        if isinstance(x, Iterator) or _comes_in_batches(x):
            return Batches(x)
        return StoredArray(x) if _lies_elsewhere(x) else as_array(x)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def is_same_source(a: Any, b: Any) -> bool:
    """Whether two objects are the same samples, by identity: the very array, or streams of the very source."""
    return _origin(a) is _origin(b)


def sample_shape(x: np.ndarray | SampleStream) -> tuple[int, ...]:
    """The shape of one of the samples."""
    return x.sample_shape if isinstance(x, Batches) else x.shape[1:]


def known_length(x: np.ndarray | SampleStream) -> int | None:
    """N, or None where only a pass over all batches would tell."""
    return None if isinstance(x, Batches) and not x.is_counted else len(x)


def is_out_of_core(x: np.ndarray | SampleStream) -> bool:
    """Whether x lies elsewhere than in memory."""
    return isinstance(x, SampleStream) or _memory_map(x) is not None


def iterate_blocks(x: np.ndarray | SampleStream, size: int) -> Iterator[np.ndarray]:
    """All rows of x in order, `size` at a time; of what lies elsewhere no more than those are in memory."""
    if is_out_of_core(x):
        return (x if isinstance(x, SampleStream) else StoredArray(x)).blocks(size)
    return (x[start : start + size] for start in range(0, len(x), size))


def take_rows(x: np.ndarray | SampleStream, rows: Any) -> np.ndarray:
    """Some rows of x, by slice, mask or indices, in memory."""
    return (StoredArray(x) if _memory_map(x) else x)[rows]


def default_batch_size(shape: tuple[int, ...]) -> int:
    """How many samples of that shape are sent at once where nothing else is declared."""
    return min(1024, max(1, MAX_BATCH_VALUES // math.prod(shape)))


def subsample(x: np.ndarray | SampleStream) -> np.ndarray:
    """Some of the samples, evenly taken, by which all are judged: about a thousand, fewer of large ones."""
    return x.some if isinstance(x, SampleStream) else _some_of(x)


def data_range(x: np.ndarray | SampleStream) -> tuple[float, float]:
    """The lowest and the highest of all values."""
    return (x.min(), x.max()) if isinstance(x, SampleStream) else _extremes_of(x)


def subsample_stride(total: int, shape: tuple[int, ...]) -> int:
    """Every which of `total` samples of that shape is among `some` of them."""
    return max(1, total // min(1000, max(1, MAX_SUBSAMPLE_VALUES // math.prod(shape))))


def _some_of(x: Any) -> np.ndarray:
    return take_rows(x, slice(None, None, subsample_stride(len(x), x.shape[1:])))


def _extremes_of(x: Any) -> tuple[Any, Any]:
    ends = [(block.min(), block.max()) for block in iterate_blocks(x, default_batch_size(x.shape[1:]))]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _first(x: Batches, count: int) -> Iterator[np.ndarray]:
    """Batches until they hold `count` samples."""
    for batch in x:
        yield batch
        count -= len(batch)
        if count <= 0:
            return


def _parted(batch: Any, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(samples, labels or None) of a batch."""
    if isinstance(batch, Mapping):
        names = list(batch)
        first = names[0] if names else "x"
        raise InputError(
            f"batch {count} has parts named {', '.join(map(str, names))}, expected an array, or (array, labels); "
            f"say which: vaeviz.Batches(lambda: (batch[{first!r}] for batch in loader))"
        )
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    try:
        x = as_array(parts[0] if len(parts) else parts)
    except InputError as error:
        raise InputError(f"batch {count}: {error}") from None
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise InputError(f"batch {count}: got shape {x.shape}, expected (n, ...) with one row a sample")
    return x, _labels_in(parts[1], len(x)) if len(parts) > 1 else None


def _labels_in(part: Any, rows: int) -> np.ndarray | None:
    labels = part.detach().cpu().numpy() if hasattr(part, "detach") else np.asarray(part)
    return labels if labels.shape == (rows,) else None


def _otherwise(count: int, how: str) -> str:
    return (
        f"batch {count} {how} when read again: samples are read several times and must come alike; "
        "a DataLoader wants shuffle=False and no random augmentation"
    )


def _comes_in_batches(x: Any) -> bool:
    is_array = any(hasattr(x, name) for name in ("__array__", "shape", "detach", "toarray"))
    return hasattr(x, "__iter__") and not is_array and not isinstance(x, (Sequence, Mapping, Set))


def _lies_elsewhere(x: Any) -> bool:
    """Arrays of h5py, zarr, dask and xarray are read by slices; all of them speak of their chunks."""
    return all(hasattr(x, name) for name in ("chunks", "shape", "dtype", "__getitem__"))


def _origin(x: Any) -> Any:
    return x.origin if isinstance(x, SampleStream) else x


def _memory_map(x: Any) -> tuple[mmap.mmap, str] | None:
    """(the map, its mode) of a file that an array is, or is a view of."""
    mode = ""
    while isinstance(x, np.ndarray):
        mode = x.mode if isinstance(x, np.memmap) else mode
        x = x.base
    return (x, mode) if isinstance(x, mmap.mmap) and mode else None


def _release(source: Any) -> None:
    """Give back the memory of the pages of a file that were read, which count as this process's until others need it.

    Not of a copy-on-write map, whose changes would be lost.
    """
    mapped, mode = _memory_map(source) or (None, "")
    if mode in ("r", "r+", "w+") and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
