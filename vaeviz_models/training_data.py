"""Where the samples of a training lie, and how a batch of them is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaeviz.streams import Stored, Stream, is_streamed


@dataclass(frozen=True, eq=False)
class InMemory:
    """Samples as one tensor (N, *sample) on the device."""

    x: Tensor

    def __len__(self) -> int:
        return len(self.x)

    @property
    def device(self) -> torch.device:
        return self.x.device

    def shuffled(self, order: Tensor, size: int) -> Iterator[Tensor]:
        """Batches of `size` in that order."""
        for rows in order.to(self.x.device).split(size):
            yield self.x.index_select(0, rows)

    def in_order(self, size: int) -> Iterator[Tensor]:
        """Batches of `size` as they lie."""
        return iter(self.x.split(size))


@dataclass(frozen=True, eq=False)
class OnDisk:
    """Samples that stay where they are (memory-mapped, HDF5, zarr): no more than a batch of them is in memory.

    x: (N, *sample). rows: which of them are meant, in ascending order.
    """

    x: Stream
    rows: np.ndarray
    device: torch.device

    def __len__(self) -> int:
        return len(self.rows)

    def shuffled(self, order: Tensor, size: int) -> Iterator[Tensor]:
        """Batches of `size` in that order."""
        for rows in order.split(size):
            yield self._read(self.rows[rows.numpy()])

    def in_order(self, size: int) -> Iterator[Tensor]:
        """Batches of `size` as they lie."""
        for start in range(0, len(self), size):
            yield self._read(self.rows[start : start + size])

    def _read(self, rows: np.ndarray) -> Tensor:
        return _tensor(self.x[rows]).to(self.device)


def located(x: np.ndarray | Stream, device: torch.device, rows: np.ndarray | None = None) -> InMemory | OnDisk:
    """Samples x, or the `rows` of them alone, for the device: moved there, or left on disk where x lies on disk."""
    if is_streamed(x):
        stream = x if isinstance(x, Stream) else Stored(x)
        return OnDisk(stream, np.arange(len(x)) if rows is None else rows, device)
    return InMemory(_tensor(x if rows is None else x[rows]).to(device))


def _tensor(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
