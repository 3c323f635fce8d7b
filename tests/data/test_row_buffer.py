"""Rows that arrive in blocks, in memory or in a temporary file."""

import numpy as np
import pytest

from vaeviz.data import row_buffer
from vaeviz.data.row_buffer import RowBuffer


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
