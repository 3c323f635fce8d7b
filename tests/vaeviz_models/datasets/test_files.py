"""Data of one's own: ``npz:FILE`` and ``images:FOLDER``."""

import os
import pickle

import numpy as np
import pytest
from PIL import Image

from vaeviz.data.loading import load_data
from vaeviz.errors import InputError, NoSuchSplit


@pytest.fixture
def npz(tmp_path):
    """Write arrays, and read them back: ``npz(x=..., y=...)`` gives a reader of splits."""
    path = tmp_path / "own.npz"

    def write(**arrays):
        np.savez_compressed(path, **arrays)
        return lambda split="all", **settings: load_data(f"npz:{path}", split=split, **settings)

    write.path = path
    return write


@pytest.fixture
def values():
    return np.random.default_rng(0).random((6, 4))


def test_floats_are_kept_as_they_are(npz, values):
    data = npz(x=10 * values, y=np.arange(6))()
    np.testing.assert_allclose(data.x, 10 * values, rtol=1e-6)
    assert data.x.dtype == np.float32
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.name == "own"


def test_bytes_become_values_from_zero_to_one(npz):
    data = npz(x=np.array([[0, 51, 255]], np.uint8))()
    np.testing.assert_allclose(data.x, [[0, 0.2, 1]])
    assert data.labels is None


def test_names_factors_and_kind_are_read_with_the_arrays(npz, values):
    told = {"feature_names": list("abcd"), "factor_names": ["up"], "class_names": ["no", "yes"], "kind": "table"}
    data = npz(x=values, y=[0, 1] * 3, factors=values[:, :1], **told)()
    assert (data.feature_names, data.factor_names, data.class_names) == (tuple("abcd"), ("up",), ("no", "yes"))
    assert data.kind == "table"
    np.testing.assert_array_equal(data.factors, values[:, :1])


def test_what_is_no_text_is_no_name(npz, values):
    data = npz(x=values, kind=np.arange(6), feature_names=np.arange(4))()
    assert (data.kind, data.feature_names) == (None, ())


def test_factors_and_names_go_with_the_splits(npz, values):
    arrays = {
        "x_train": values[:4],
        "x_test": values[4:],
        "factors_train": values[:4, :2],
        "factors_test": values[4:, :2],
    }
    read = npz(**arrays, factor_names=["a", "b"], feature_names=list("wxyz"), kind="table")
    for split, count in (("train", 4), ("test", 2), ("all", 6)):
        data = read(split)
        assert data.factors.shape == (count, 2)
        assert (data.factor_names, data.feature_names, data.kind) == (("a", "b"), tuple("wxyz"), "table")


@pytest.mark.parametrize("name", ["x", "X", "data", "images", "arr_0"])
@pytest.mark.parametrize("label", ["y", "labels", "target"])
def test_usual_names(name, label, npz, values):
    data = npz(**{name: values, label: np.arange(6)})()
    assert data.x.shape == (6, 4)
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["x", "X", "images"])
def test_train_and_test_arrays_are_splits(name, npz, values):
    arrays = {f"{name}_train": values[:4], "y_train": [1, 2, 3, 4], f"{name}_test": values[4:], "y_test": [5, 6]}
    read = npz(**arrays)
    assert read("train").labels.tolist() == [1, 2, 3, 4]
    assert read("test").labels.tolist() == [5, 6]
    assert read("all").labels.tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(read("all").x, values, rtol=1e-6)


def test_without_a_split_the_test_arrays_are_taken_where_there_are_any(npz, values):
    assert len(npz(x_train=values[:4], x_test=values[4:])(None)) == 2
    assert len(npz(x=values)(None)) == 6


def test_a_split_that_is_not_there(npz, values):
    with pytest.raises(NoSuchSplit, match=r"holds x; expected an array named x_train"):
        npz(x=values)("train")


def test_labels_by_name(npz, values):
    read = npz(x=values, y=np.arange(6), color=np.array(list("rgbrgb")))
    assert read(labels="color").labels.tolist() == list("rgbrgb")
    with pytest.raises(InputError, match=r"has no array 'hue' for the labels; it holds x, y, color"):
        read(labels="hue")


def test_labels_by_name_go_by_split(npz, values):
    read = npz(x_train=values[:4], x_test=values[4:], age_train=np.arange(4.0), age_test=np.arange(2.0))
    assert read("test", labels="age").labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"pixels": np.zeros((2, 3))}, "holds pixels; expected an array named x"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, "got 2 labels for 3 samples"),
        ({"x": np.full((3, 2), np.nan)}, "NaN or infinite values in 3 of 3 rows"),
        ({"x": np.zeros(3)}, "expected (N, ...) with one row a sample"),
        ({"x": np.array([["a", "b"]])}, "cannot be read as plain arrays of numbers"),
    ],
)
def test_arrays_that_are_no_samples(arrays, message, npz):
    with pytest.raises(InputError) as error:
        npz(**arrays)()
    assert message in str(error.value)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["x", "y"])
def test_objects_are_refused_and_never_unpickled(name, npz, values, tmp_path):
    mark = tmp_path / "mark"
    trap = np.array([Trap(mark)] * 6, dtype=object)
    with pytest.raises(InputError, match=r"allow_pickle=False"):
        npz(**({"x": values} | {name: trap}))()
    assert not mark.exists()
    with np.load(npz.path, allow_pickle=True) as archive:
        assert archive[name].shape == (6,)
    assert mark.exists()  # the trap works


def test_a_bare_pickle_is_refused(tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "own.npz"
    path.write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(InputError, match=r"is truncated, or no .npz file"):
        load_data(f"npz:{path}")
    assert not mark.exists()


def test_a_single_array_is_no_npz(tmp_path, values):
    np.save(tmp_path / "own.npy", values)
    with pytest.raises(InputError, match=r"own.npy: is truncated, or no .npz file"):
        load_data(f"npz:{tmp_path / 'own.npy'}")


@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_a_truncated_npz(share, npz, values):
    npz(x=values)
    content = npz.path.read_bytes()
    npz.path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"own.npz: is truncated, or no .npz file"):
        load_data(f"npz:{npz.path}")


def test_an_npz_with_changed_bytes(npz, values):
    npz(x=np.tile(values, (50, 1)))
    content = bytearray(npz.path.read_bytes())
    for place in range(200, len(content) - 200, 7):
        content[place] ^= 0xFF
    npz.path.write_bytes(content)
    with pytest.raises(InputError, match=r"own.npz: is damaged"):
        load_data(f"npz:{npz.path}")


def test_an_npz_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match=r"own.npz does not exist"):
        load_data(f"npz:{tmp_path / 'own.npz'}")


def test_npz_without_a_file_says_how_to_write_it():
    with pytest.raises(InputError, match="write it as 'npz:ARGUMENT'"):
        load_data("npz")


@pytest.fixture
def paint(tmp_path):
    """Paint a picture of one gray level or color into the folder ``pictures``."""
    root = tmp_path / "pictures"

    def picture(name, color, *, mode="L", size=(5, 4)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, color).save(root / name)

    picture.root = root
    return picture


def read(paint, split="all"):
    return load_data(f"images:{paint.root}", split=split)


def test_pictures_are_read_in_order_of_name(paint):
    for name, gray in {"b.png": 255, "a.png": 51, "c.bmp": 0}.items():
        paint(name, gray)
    data = read(paint)
    assert data.x.shape == (3, 4, 5)
    np.testing.assert_allclose(data.x[:, 0, 0], [0.2, 1, 0])
    assert data.labels is None


def test_colors_are_the_last_axis(paint):
    paint("a.png", (255, 51, 0), mode="RGB")
    np.testing.assert_allclose(read(paint).x, np.broadcast_to(np.array([1, 0.2, 0]), (1, 4, 5, 3)), rtol=1e-6)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    levels = np.array([[0, 0x3300, 0xFFFF]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    np.testing.assert_allclose(load_data(f"images:{tmp_path}").x, [[[0, 0.2, 1]]])


def test_folders_are_labels(paint):
    for name in ("dog/a.png", "cat/a.png", "cat/b.png"):
        paint(name, 100)
    assert read(paint).labels.tolist() == ["cat", "cat", "dog"]


def test_folders_train_and_test_are_splits(paint):
    for name in ("train/cat/a.png", "train/dog/a.png", "test/dog/a.png"):
        paint(name, 100)
    assert read(paint, "train").labels.tolist() == ["cat", "dog"]
    assert read(paint, "test").labels.tolist() == ["dog"]
    assert len(read(paint, "all")) == 3


def test_folders_train_and_test_are_no_labels(paint):
    for name in ("train/a.png", "test/a.png"):
        paint(name, 100)
    assert read(paint, "all").labels is None
    assert read(paint, "train").labels is None


def test_a_folder_without_the_split(paint):
    paint("a.png", 100)
    with pytest.raises(NoSuchSplit, match="has no subfolder 'test'; use --split all"):
        read(paint, "test")


def test_pictures_of_different_sizes(paint):
    paint("a.png", 100)
    paint("b.png", 100, size=(6, 4))
    with pytest.raises(InputError, match=r"b.png: is 6 × 4 pixels, a.png is 5 × 4; give pictures of one size"):
        read(paint)


def test_a_picture_that_is_none(paint):
    paint("a.png", 100)
    (paint.root / "b.png").write_text("no picture")
    with pytest.raises(InputError, match=r"b.png: cannot be read as a picture"):
        read(paint)


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(InputError, match=r"found no .png, .jpg.* in "):
        load_data(f"images:{tmp_path}")


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="nowhere is no folder"):
        load_data(f"images:{tmp_path / 'nowhere'}")


def test_one_picture_in_color_makes_all_splits_color(paint):
    paint("train/a.png", 51)
    paint("train/b.png", (255, 51, 0), mode="RGB")
    paint("test/a.png", 51)
    assert read(paint, "train").x.shape == (2, 4, 5, 3)
    assert read(paint, "test").x.shape == (1, 4, 5, 3)


def test_pictures_of_floating_point_numbers_are_refused(tmp_path):
    Image.fromarray(np.full((4, 5), 0.5, np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(InputError, match=r"a\.tiff: holds floating-point numbers"):
        load_data(f"images:{tmp_path}")


def test_complex_numbers_are_refused(tmp_path):
    np.savez(tmp_path / "spectra.npz", x=np.ones((3, 4), np.complex64))
    with pytest.raises(InputError, match=r"spectra\.npz: cannot be read as .* numbers \(complex64, expected real"):
        load_data(f"npz:{tmp_path / 'spectra.npz'}")
