"""Rows that arrive in blocks, in memory or in a temporary file."""

import errno
import sys
import tempfile

import numpy as np
import pytest

from vaeviz.data import row_buffer
from vaeviz.data.row_buffer import RowBuffer
from vaeviz.errors import InputError


@pytest.mark.parametrize("max_bytes", [0, 100, 1 << 20])
def test_rows_are_the_same_in_memory_and_in_a_file(max_bytes, monkeypatch):
    monkeypatch.setattr(row_buffer, "MAX_BYTES_IN_MEMORY", max_bytes)
    x = np.arange(90, dtype=np.float32).reshape(30, 3)
    rows = RowBuffer()
    for block in (x[:4], x[4:4], x[4:21, ::-1][:, ::-1], x[21:]):
        rows.append(block)
    joined = rows.to_array()
    np.testing.assert_array_equal(joined, x)
    assert isinstance(joined, np.memmap) == (max_bytes < x.nbytes)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_rows_in_a_file_can_be_mapped_by_name(monkeypatch):
    monkeypatch.setattr(row_buffer, "MAX_BYTES_IN_MEMORY", 0)
    rows = RowBuffer()
    rows.append(np.arange(6.0).reshape(3, 2))
    joined = rows.to_array()
    del rows
    np.testing.assert_array_equal(np.memmap(joined.filename, np.float64, "r", shape=(3, 2)), joined)


def test_a_full_disk_is_an_error_that_helps(monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(row_buffer, "MAX_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(InputError, match=r"No space left.*TMPDIR"):
        RowBuffer().append(np.ones((2, 2)))
