"""Where the samples of a training lie, and how a batch of them is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaeviz.data.out_of_core import SampleStream, StoredArray, is_out_of_core


@dataclass(frozen=True, eq=False)
class MemoryLoader:
    """Samples as one tensor (N, *sample) on the device, and for a conditional model the codes (N,) of their classes.

    A batch is (x,) or (x, codes).
    """

    x: Tensor
    codes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def device(self) -> torch.device:
        return self.x.device

    @property
    def parts(self) -> list[Tensor]:
        return [self.x] if self.codes is None else [self.x, self.codes]

    def shuffled(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, ...]]:
        """Batches of `size` in that order."""
        for rows in order.to(self.x.device).split(size):
            yield tuple(part.index_select(0, rows) for part in self.parts)

    def in_order(self, size: int) -> Iterator[tuple[Tensor, ...]]:
        """Batches of `size` as they lie."""
        return zip(*(part.split(size) for part in self.parts))


@dataclass(frozen=True, eq=False)
class DiskLoader:
    """Samples that stay where they are (memory-mapped, HDF5, zarr): no more than a batch of them is in memory.

    x: (N, *sample). rows: which of them are meant, in ascending order. codes: (N,) the classes of all, for a
    conditional model.
    """

    x: SampleStream
    rows: np.ndarray
    device: torch.device
    codes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def shuffled(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, ...]]:
        """Batches of `size` in that order."""
        for rows in order.split(size):
            yield self._read(self.rows[rows.numpy()])

    def in_order(self, size: int) -> Iterator[tuple[Tensor, ...]]:
        """Batches of `size` as they lie."""
        for start in range(0, len(self), size):
            yield self._read(self.rows[start : start + size])

    def _read(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        parts = [_tensor(self.x[rows])] + ([] if self.codes is None else [torch.from_numpy(self.codes[rows])])
        return tuple(part.to(self.device) for part in parts)


def make_loader(
    x: np.ndarray | Tensor | SampleStream,
    device: torch.device,
    rows: np.ndarray | None = None,
    codes: np.ndarray | None = None,
) -> MemoryLoader | DiskLoader:
    """Samples x, or the `rows` of them alone, for the device: moved there, or left on disk where x lies on disk.

    codes: (N,) the classes of x, for a conditional model.
    """
    if isinstance(x, Tensor):
        x = (x if rows is None else x[torch.from_numpy(rows)]).to(torch.float32)
    elif is_out_of_core(x):
        stream = x if isinstance(x, SampleStream) else StoredArray(x)
        return DiskLoader(stream, np.arange(len(x)) if rows is None else rows, device, codes)
    x = x if isinstance(x, Tensor) else _tensor(x if rows is None else x[rows])
    codes = None if codes is None else torch.from_numpy(codes if rows is None else codes[rows]).to(device)
    return MemoryLoader(x.to(device), codes)


def _tensor(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
