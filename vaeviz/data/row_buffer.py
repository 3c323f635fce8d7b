"""Collect rows that arrive one block at a time, in memory or, if they are many, in a temporary file."""

from __future__ import annotations

import math
import tempfile
from typing import IO, Any

import numpy as np

MAX_BYTES_IN_MEMORY = 1 << 30  # of one array; a larger one is in a temporary file


class RowBuffer:
    """Rows of one array, added one block at a time.

    Up to a gigabyte is kept in memory. Above that, rows are written to an unnamed file in the folder for temporary
    files (``TMPDIR``), which is deleted with the array.

    Examples
    --------
    >>> rows = RowBuffer()
    >>> rows.append(np.zeros((2, 3)))
    >>> rows.append(np.ones((1, 3)))
    >>> rows.to_array().shape
    (3, 3)
    """

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._n_rows = self._n_bytes = 0
        self._row_shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype(np.float32)
        self._file: IO[bytes] | None = None

    def append(self, block: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        block : ndarray, shape (n, ...)
            The rows. All blocks have the same type and shape of a row.
        """
        self._blocks.append(block)
        self._n_rows, self._n_bytes = self._n_rows + len(block), self._n_bytes + block.nbytes
        self._row_shape, self._dtype = block.shape[1:], block.dtype
        if self._n_bytes > MAX_BYTES_IN_MEMORY:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this call)
            for held in self._blocks:
                self._file.write(np.ascontiguousarray(held).data)
            self._blocks = []

    def to_array(self) -> np.ndarray:
        """Return all rows.

        Returns
        -------
        ndarray, shape (N, ...)
            An array in memory, or a memory-mapped one.
        """
        if self._file is None:
            return np.concatenate(self._blocks)
        self._file.flush()
        shape = (self._n_rows, *self._row_shape)
        assert math.prod(shape) * self._dtype.itemsize == self._n_bytes
        return np.memmap(self._file, self._dtype, "r+", shape=shape)
