import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz_models.datasets.idx import FILES, read_idx

REAL = Path(__file__).parents[4] / "shared" / "data" / "mnist"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"the MNIST files are not in {REAL}")


def idx(values):
    """The bytes of an IDX file."""
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def images():
    return np.arange(5 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(5, 28, 28)


@pytest.fixture
def folder(images, tmp_path):
    """The four files of a tiny MNIST, gzipped: five images to train, five to test."""
    for split in FILES.values():
        for name, values in zip(split, (images, np.array([3, 1, 4, 1, 5], np.uint8))):
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(values)))
    return tmp_path


@pytest.mark.parametrize("ending, pack", [("", bytes), (".gz", gzip.compress)], ids=["raw", "gzipped"])
def test_what_was_written_is_read(ending, pack, images, tmp_path):
    path = tmp_path / f"images{ending}"
    path.write_bytes(pack(idx(images)))
    np.testing.assert_array_equal(read_idx(path), images)


@pytest.mark.parametrize("count", [0, 3, 10, 1000, -1])
def test_a_truncated_raw_file(count, images, tmp_path):
    path = tmp_path / "images"
    path.write_bytes(idx(images)[:count])
    with pytest.raises(InputError) as error:
        read_idx(path)
    assert str(error.value).startswith(f"{path}: is ")


def test_a_truncated_raw_file_is_counted(images, tmp_path):
    path = tmp_path / "images"
    path.write_bytes(idx(images)[:-20])
    with pytest.raises(InputError, match="is truncated, it holds 3,900 of 3,920 values; get it again"):
        read_idx(path)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_gzip_file(share, images, tmp_path):
    path = tmp_path / "images.gz"
    content = gzip.compress(idx(images))
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as error:
        read_idx(path)
    assert str(error.value).startswith(f"{path}: is damaged or truncated")


def test_a_gzip_file_with_a_changed_byte(images, tmp_path):
    path = tmp_path / "images.gz"
    content = bytearray(gzip.compress(idx(images)))
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged or truncated"):
        read_idx(path)


def test_a_file_that_only_claims_to_be_gzipped(images, tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(idx(images))
    with pytest.raises(InputError, match="is damaged or truncated"):
        read_idx(path)


@pytest.mark.parametrize("start", [b"\0\0\x0d\x01", b"\x89PNG", b"<htm"], ids=["floats", "a picture", "a web page"])
def test_a_file_of_another_kind(start, tmp_path):
    path = tmp_path / "images"
    path.write_bytes(start + bytes(100))
    with pytest.raises(InputError) as error:
        read_idx(path)
    assert str(error.value) == f"{path}: is no IDX file of bytes, it starts with {start!r}"


def test_gray_levels_become_values_from_zero_to_one(folder, images):
    data = load_data("mnist", split="train", data_dir=folder)
    assert data.x.dtype == np.float32
    assert data.labels.tolist() == [3, 1, 4, 1, 5]
    np.testing.assert_array_equal(data.x, images / np.float32(255))


def test_all_is_train_and_test(folder):
    assert len(load_data("mnist", split="all", data_dir=folder)) == 10


def test_files_may_lie_in_a_folder_of_the_sets_name(folder):
    (folder / "mnist").mkdir()
    for path in folder.glob("*.gz"):
        path.rename(folder / "mnist" / path.name)
    assert len(load_data("mnist", split="test", data_dir=folder)) == 5


@pytest.mark.parametrize(
    "name, labels",
    [
        ("fashion-mnist", ["Dress", "Trouser", "Coat", "Trouser", "Sandal"]),
        ("kmnist", ["tsu", "ki", "na", "ki", "ha"]),
        ("mnist", [3, 1, 4, 1, 5]),
    ],
)
def test_classes_have_names(name, labels, folder):
    assert np.asarray(load_data(name, split="test", data_dir=folder).named_labels()).tolist() == labels


def test_images_and_labels_of_different_lengths(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(4, np.uint8))))
    with pytest.raises(InputError, match="got 4 labels for 5 samples"):
        load_data("mnist", split="test", data_dir=folder)


def test_missing_files_are_named_with_their_folder_and_where_to_get_them(tmp_path):
    with pytest.raises(InputError) as error:
        load_data("mnist", split="train", data_dir=tmp_path)
    message = str(error.value)
    assert f"found neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte in {tmp_path}, " in message
    assert "or in mnist or MNIST/raw there" in message
    assert "https://" in message
    assert "leave --data-dir out to download" in message


@real
@pytest.mark.parametrize(
    "split, counts",
    [
        ("train", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_the_real_mnist(split, counts):
    data = load_data("mnist", split=split, data_dir=REAL)
    assert data.x.shape == ({"train": 60_000, "test": 10_000}[split], 28, 28)
    assert data.x.dtype == np.float32
    assert (data.x.min(), data.x.max()) == (0, 1)
    assert np.bincount(data.labels).tolist() == counts
    assert data.class_names == ()


@real
def test_the_real_mnist_has_its_published_mean_and_spread():
    x = load_data("mnist", split="train", data_dir=REAL).x
    assert x.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert x.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
