"""Files that are made to fill the memory are an error before anything of their size is allocated."""

import gzip
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from vaeviz.data.history import read_history
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz_models.datasets import compression
from vaeviz_models.datasets.compression import check_expansion
from vaeviz_models.datasets.csv_file import csv
from vaeviz_models.datasets.idx import read_idx


@pytest.mark.parametrize(
    "shape",
    [(2**16, 2**16), (2**32 - 1,) * 8, (1,) * 200, (2**31, 2**31, 4), (0, 2**32 - 1, 2**32 - 1), (0,)],
    ids=["gigabytes", "eight axes", "200 axes", "wraps to 0", "no values of a large shape", "no values"],
)
@pytest.mark.parametrize("ending, pack", [("", bytes), (".gz", gzip.compress)], ids=["raw", "gzipped"])
def test_the_shape_of_an_idx_file_is_checked_first(shape, ending, pack, tmp_path):
    path = tmp_path / f"images{ending}"
    path.write_bytes(pack(b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(9)))
    with pytest.raises(InputError) as error:
        read_idx(path)
    assert error.value.message.startswith(str(path))


def test_an_idx_file_is_read_no_further_than_its_shape(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 10) + bytes(50_000_000)))
    with pytest.raises(InputError) as error:
        read_idx(path)
    assert error.value.expected == "10"


def test_an_npz_file_that_expands_too_far_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "MIN_CHECKED_BYTES", 1 << 20)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, x=np.zeros(1 << 22, np.uint8))
    with pytest.raises(InputError) as error:
        load_data(str(path))
    assert error.value.message.startswith(str(path))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # NumPy multiplies before it checks
@pytest.mark.parametrize("shape", ["(1 << 40,)", (2**62, 2**62), (2**32, 2**32), (2**40, 2), (-1, 4)], ids=str)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_a_shape_beyond_the_file_is_an_error(shape, ending, tmp_path):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64)
    path = tmp_path / f"x{ending}"
    if ending == ".npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        load_data(str(path))
    assert str(path) in error.value.message


def test_an_hdf5_file_of_nothing_is_not_read(tmp_path):
    anndata, h5py = pytest.importorskip("anndata"), pytest.importorskip("h5py")
    path = tmp_path / "cells.h5ad"
    anndata.AnnData(np.ones((3, 4), np.float32)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        attributes = dict(file["X"].attrs)
        del file["X"]
        file.create_dataset("X", (10**6, 10**5), np.float32, chunks=(1000, 1000))
        file["X"].attrs.update(attributes)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError) as error:
        load_data(str(path))
    assert error.value.message.startswith(str(path))


def test_a_picture_of_gigapixels_is_an_error(tmp_path):
    """Its header claims 65,535 × 65,535 pixels."""
    header = struct.pack(">IIBBBBB", 65_535, 65_535, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(InputError, match=r"large\.png"):
        load_data(str(tmp_path))


def test_pictures_that_expand_too_far_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "MIN_CHECKED_BYTES", 1 << 20)
    Image.new("L", (2000, 2000)).save(tmp_path / "black.png", optimize=True)
    with pytest.raises(InputError) as error:
        load_data(str(tmp_path))
    assert error.value.message.startswith(str(tmp_path))


@pytest.mark.no_cover
def test_a_table_of_many_columns_is_read(tmp_path):
    path = tmp_path / "wide.csv"
    n_columns = 5_000
    path.write_text("\n".join([",".join(f"g{i}" for i in range(n_columns)), *[",".join(["0.5"] * n_columns)] * 3]))
    assert csv(str(path)).x.shape == (3, n_columns)


def test_a_history_that_is_no_file_or_too_large_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(10**10)
    for name in ("pipe.csv", "large.csv"):
        with pytest.raises(InputError) as error:
            read_history(tmp_path / name)
        assert error.value.got == str(tmp_path / name)


def test_data_that_compress_well_are_read(tmp_path):
    check_expansion(tmp_path, 1 << 24, 100 << 24)
    check_expansion(tmp_path, 0, 1 << 20)


@pytest.mark.parametrize("name", ["x", "y", "factors", "kind"])
def test_what_is_not_an_array_in_an_npz_file_is_an_error(name, tmp_path):
    """NumPy returns the bytes of a file whose first bytes are damaged."""
    np.savez(tmp_path / "whole.npz", x=np.ones((4, 2)), y=np.arange(4), factors=np.ones((4, 1)), kind="table")
    path = tmp_path / "damaged.npz"
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole, zipfile.ZipFile(path, "w") as damaged:
        for entry in whole.namelist():
            data = whole.read(entry)
            damaged.writestr(entry, b"?" + data[1:] if entry == f"{name}.npy" else data)
    with pytest.raises(InputError) as error:
        load_data(str(path))
    assert error.value.got == str(path)
