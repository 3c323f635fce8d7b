"""Collect rows that arrive one block at a time, in memory or, if they are many, in a temporary file."""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np

from vaeviz.errors import InputError

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

        Raises
        ------
        InputError
            If the temporary file cannot be written.
        """
        self._blocks.append(block)
        self._n_rows, self._n_bytes = self._n_rows + len(block), self._n_bytes + block.nbytes
        self._row_shape, self._dtype = block.shape[1:], block.dtype
        if self._n_bytes > MAX_BYTES_IN_MEMORY:
            try:
                self._write_blocks()
            except OSError as error:
                raise InputError(
                    f"A temporary file for an array of more than {self._n_bytes:,} bytes cannot be written "
                    f"({error.strerror}).",
                    got=str(error.strerror),
                    expected="space for a temporary file",
                    fix="Set the environment variable TMPDIR to a folder on a disk with more space.",
                ) from error

    def _write_blocks(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this call)
            self._closer = weakref.finalize(self, self._file.close)
        for held in self._blocks:
            self._file.write(np.ascontiguousarray(held).data)
        self._file.flush()
        self._blocks = []

    def to_array(self) -> np.ndarray:
        """Return all rows, and forget them.

        Returns
        -------
        ndarray, shape (N, ...)
            An array in memory, or a memory-mapped one.
        """
        shape = (self._n_rows, *self._row_shape)
        assert math.prod(shape) * self._dtype.itemsize == self._n_bytes
        if self._file is None:
            array, stop = np.empty(shape, self._dtype), self._n_rows
            while self._blocks:  # each is released as soon as it is copied, so that all rows are never in memory twice
                block = self._blocks.pop()
                array[stop - len(block) : stop] = block
                stop -= len(block)
            return array
        rows = np.memmap(self._file, self._dtype, "r+", shape=shape)
        opened = Path(f"/proc/{os.getpid()}/fd/{self._file.fileno()}")  # by which joblib maps it in other processes
        if opened.exists():
            vars(rows).update(filename=opened)
        self._closer.detach()
        weakref.finalize(rows, self._file.close)
        return rows
