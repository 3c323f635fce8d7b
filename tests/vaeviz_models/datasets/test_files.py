"""Files become data sets with the values that they hold: ``npz:FILE``, ``npy:FILE`` and ``images:FOLDER``."""

import os
import pickle
import struct

import numpy as np
import pytest
from PIL import Image

from vaeviz.data.loading import load_data
from vaeviz.errors import GuessWarning, InputError, NoSuchSplit


@pytest.fixture
def npz(tmp_path):
    """Write arrays: ``npz(x=..., y=...)`` returns a function that loads them."""
    path = tmp_path / "own.npz"

    def write(**arrays):
        np.savez_compressed(path, **arrays)
        return lambda split="all", **settings: load_data(f"npz:{path}", split=split, **settings)

    write.path = path
    return write


@pytest.fixture
def values():
    return np.random.default_rng(0).random((6, 4))


def test_floats_are_kept(npz, values):
    data = npz(x=10 * values, y=np.arange(6))()
    np.testing.assert_allclose(data.x, 10 * values, rtol=1e-6)
    assert data.x.dtype == np.float32
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.name == "own"


def test_bytes_become_values_from_zero_to_one(npz):
    data = npz(x=np.array([[0, 51, 255]], np.uint8))()
    np.testing.assert_allclose(data.x, [[0, 0.2, 1]])
    assert data.labels is None


def test_names_factors_and_kind_are_loaded_with_the_arrays(npz, values):
    names = {"feature_names": list("abcd"), "factor_names": ["up"], "class_names": ["no", "yes"], "kind": "table"}
    data = npz(x=values, y=[0, 1] * 3, factors=values[:, :1], **names)()
    assert (data.feature_names, data.factor_names, data.class_names) == (tuple("abcd"), ("up",), ("no", "yes"))
    assert data.kind == "table"
    np.testing.assert_array_equal(data.factors, values[:, :1])


def test_numbers_are_not_taken_for_names(npz, values):
    data = npz(x=values, kind=np.arange(6), feature_names=np.arange(4))()
    assert (data.kind, data.feature_names) == (None, ())


def test_every_split_has_its_factors_and_the_names(npz, values):
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
def test_arrays_are_found_by_their_usual_names(name, label, npz, values):
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


def test_the_default_split_is_the_test_arrays_if_there_are_any(npz, values):
    assert len(npz(x_train=values[:4], x_test=values[4:])(None)) == 2
    assert len(npz(x=values)(None)) == 6


def test_a_missing_split_is_an_error(npz, values):
    with pytest.raises(NoSuchSplit) as raised:
        npz(x=values)("train")
    assert (raised.value.got, raised.value.expected) == ("x", "x_train")


def test_labels_are_selected_by_name(npz, values):
    read = npz(x=values, y=np.arange(6), color=np.array(list("rgbrgb")))
    assert read(labels="color").labels.tolist() == list("rgbrgb")
    with pytest.raises(InputError) as raised:
        read(labels="hue")
    assert (raised.value.got, raised.value.expected) == ("hue", "x, y, color")


def test_labels_selected_by_name_follow_the_split(npz, values):
    read = npz(x_train=values[:4], x_test=values[4:], age_train=np.arange(4.0), age_test=np.arange(2.0))
    assert read("test", labels="age").labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arrays", "got"),
    [
        ({"pixels": np.zeros((2, 3))}, "pixels"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, "2"),
        ({"x": np.full((3, 2), np.nan)}, "row 0"),
        ({"x": np.zeros(3)}, "(3,)"),
        ({"x": np.array([["a", "b"]])}, "<U1"),
        ({"x": np.ones((3, 4), np.complex64)}, "complex64"),
    ],
)
def test_arrays_that_are_not_samples_are_an_error(arrays, got, npz):
    with pytest.raises(InputError) as raised:
        npz(**arrays)()
    assert raised.value.got == got


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["x", "y"])
def test_objects_are_an_error_and_never_unpickled(name, npz, values, tmp_path):
    mark = tmp_path / "mark"
    trap = np.array([Trap(mark)] * 6, dtype=object)
    with pytest.raises(InputError, match="allow_pickle=False"):
        npz(**({"x": values} | {name: trap}))()
    assert not mark.exists()
    with np.load(npz.path, allow_pickle=True) as archive:
        assert archive[name].shape == (6,)
    assert mark.exists()  # the trap works if it is unpickled


def test_a_pickle_is_an_error_and_never_unpickled(tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "own.npz"
    path.write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(InputError) as raised:
        load_data(f"npz:{path}")
    assert raised.value.expected == "an .npz file"
    assert not mark.exists()


def test_a_single_array_is_not_an_npz(tmp_path, values):
    np.save(tmp_path / "own.npy", values)
    with pytest.raises(InputError) as raised:
        load_data(f"npz:{tmp_path / 'own.npy'}")
    assert raised.value.expected == "an .npz file"


@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_a_truncated_npz_is_an_error(share, npz, values):
    npz(x=values)
    content = npz.path.read_bytes()
    npz.path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="truncated") as raised:
        load_data(f"npz:{npz.path}")
    assert raised.value.got == str(npz.path)


def test_an_npz_with_changed_bytes_is_an_error(npz, values):
    npz(x=np.tile(values, (50, 1)))
    content = bytearray(npz.path.read_bytes())
    for place in range(200, len(content) - 200, 7):
        content[place] ^= 0xFF
    npz.path.write_bytes(content)
    with pytest.raises(InputError, match="damaged") as raised:
        load_data(f"npz:{npz.path}")
    assert raised.value.got == str(npz.path)


def test_a_missing_npz_is_an_error(tmp_path):
    with pytest.raises(InputError, match="does not exist") as raised:
        load_data(f"npz:{tmp_path / 'own.npz'}")
    assert raised.value.got == str(tmp_path / "own.npz")


def test_npz_without_a_file_is_an_error_with_the_form_to_write():
    with pytest.raises(InputError) as raised:
        load_data("npz")
    assert raised.value.expected == "npz:ARGUMENT"


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


def test_pictures_are_sorted_by_name(paint):
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
    levels = np.array([[0, 0x3333, 0xFFFF]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    np.testing.assert_allclose(load_data(f"images:{tmp_path}").x, [[[0, 0.2, 1]]], rtol=1e-6)


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


def test_folders_train_and_test_are_not_labels(paint):
    for name in ("train/a.png", "test/a.png"):
        paint(name, 100)
    assert read(paint, "all").labels is None
    assert read(paint, "train").labels is None


def test_a_folder_without_the_split_is_an_error(paint):
    paint("a.png", 100)
    with pytest.raises(NoSuchSplit) as raised:
        read(paint, "test")
    assert (raised.value.got, raised.value.fix.command_line) == ("test", "Add --split all.")


def test_pictures_of_different_sizes_are_an_error(paint):
    paint("a.png", 100)
    paint("b.png", 100, size=(6, 4))
    with pytest.raises(InputError, match=r"b\.png") as raised:
        read(paint)
    assert (raised.value.got, raised.value.expected) == ("6 × 4", "5 × 4")


def test_a_file_that_is_not_a_picture_is_an_error(paint):
    paint("a.png", 100)
    (paint.root / "b.png").write_text("no picture")
    with pytest.raises(InputError) as raised:
        read(paint)
    assert raised.value.got == str(paint.root / "b.png")


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(InputError) as raised:
        load_data(f"images:{tmp_path}")
    assert (raised.value.got, raised.value.fix.python) == ("no pictures", "")


def test_a_folder_of_idx_files_is_recognized(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(InputError) as raised:
        load_data(str(tmp_path))
    assert f'load_data("mnist", data_dir="{tmp_path}")' in raised.value.fix.python
    assert f"--data mnist --data-dir {tmp_path}" in raised.value.fix.command_line


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(InputError) as raised:
        load_data(f"images:{tmp_path / 'nowhere'}")
    assert raised.value.expected == "a folder of pictures"


def test_one_picture_in_color_makes_all_splits_color(paint):
    paint("train/a.png", 51)
    paint("train/b.png", (255, 51, 0), mode="RGB")
    paint("test/a.png", 51)
    assert read(paint, "train").x.shape == (2, 4, 5, 3)
    assert read(paint, "test").x.shape == (1, 4, 5, 3)


# Every type of number, against what the file holds

ARRAY_TYPES = [np.dtype(code) for code in "?bBhHiIqQefd"]


@pytest.mark.parametrize("dtype", ARRAY_TYPES, ids=str)
@pytest.mark.parametrize("loader", ["npz", "npy"])
def test_arrays_of_every_type_keep_their_values_and_bytes_are_divided_by_255(loader, dtype, tmp_path):
    path = tmp_path / f"own.{loader}"
    stored = np.array([[0, 1, 0], [100, 127, 1]]).astype(dtype)
    np.savez(path, x=stored) if loader == "npz" else np.save(path, stored)
    found = np.asarray(load_data(str(path)).x)
    expected = stored.astype(np.float64) / (255 if dtype == np.uint8 else 1)
    np.testing.assert_array_equal(found.astype(np.float32), expected.astype(np.float32))
    assert found.dtype == (dtype if loader == "npy" and dtype.kind == "f" else np.float32)


@pytest.mark.parametrize("dtype", ARRAY_TYPES[1:], ids=str)
@pytest.mark.parametrize("loader", ["npz", "npy"])
def test_arrays_of_every_type_are_rescaled_by_a_declared_range(loader, dtype, tmp_path):
    path = tmp_path / f"own.{loader}"
    stored = np.array([[0, 25, 100]], dtype)
    np.savez(path, x=stored) if loader == "npz" else np.save(path, stored)
    for data in (load_data(str(path), value_range=(0, 100)), load_data(f"{loader}:0,100:{path}")):
        np.testing.assert_array_equal(np.asarray(data.x), np.float32([[0, 0.25, 1]]))
    with pytest.raises(InputError) as raised:
        np.asarray(load_data(f"{loader}:0,50:{path}").x)
    assert raised.value.expected == "0 to 50"


@pytest.mark.parametrize("loader", ["npz", "npy"])
def test_bytes_of_0_and_1_need_a_declared_range(loader, tmp_path):
    path = tmp_path / f"own.{loader}"
    stored = np.array([[0, 1, 1]], np.uint8)
    np.savez(path, x=stored) if loader == "npz" else np.save(path, stored)
    with pytest.raises(InputError) as raised:
        load_data(str(path))
    assert f'load_data("{loader}:{path}", value_range=(0, 1))' in raised.value.fix.python
    assert f"--data {loader}:0,1:{path}" in raised.value.fix.command_line
    np.testing.assert_array_equal(np.asarray(load_data(f"{loader}:0,1:{path}").x), [[0, 1, 1]])


def test_text_in_a_npy_file_is_an_error(tmp_path):
    np.save(tmp_path / "own.npy", np.array([["a"]]))
    with pytest.raises(InputError, match=r"own\.npy") as raised:
        load_data(str(tmp_path / "own.npy"))
    assert raised.value.got == "<U1"


GRAY = np.array([[0, 51, 255]], np.uint8)
DEEP = np.array([[0, 13107, 65535]], np.uint16)


def frombytes(mode, pixels):
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


@pytest.mark.parametrize(
    ("picture", "name", "expected"),
    [
        (Image.fromarray(GRAY), "a.png", [[0, 0.2, 1]]),
        (frombytes("LA", np.stack([GRAY, np.full_like(GRAY, 255)], axis=-1)), "a.png", [[0, 0.2, 1]]),
        (Image.fromarray(GRAY > 50), "a.png", [[0, 1, 1]]),
        (Image.fromarray(GRAY > 50), "a.tif", [[0, 1, 1]]),
        (Image.fromarray(DEEP), "a.png", [[0, 0.2, 1]]),
        (Image.fromarray(DEEP), "a.tif", [[0, 0.2, 1]]),
        (frombytes("I;16B", DEEP.astype(">u2")), "a.tif", [[0, 0.2, 1]]),
        (Image.fromarray(GRAY).convert("P"), "a.png", [[[0] * 3, [0.2] * 3, [1] * 3]]),
        (frombytes("RGB", np.array([[[0, 51, 255]]], np.uint8)), "a.png", [[[0, 0.2, 1]]]),
        (frombytes("RGBA", np.array([[[0, 51, 255, 255]]], np.uint8)), "a.png", [[[0, 0.2, 1]]]),
        (frombytes("CMYK", np.array([[[255, 204, 0, 0]]], np.uint8)), "a.tif", [[[0, 0.2, 1]]]),
    ],
    ids=lambda value: getattr(value, "mode", value if isinstance(value, str) else ""),
)
def test_pictures_of_every_mode_have_the_values_that_the_file_holds(picture, name, expected, tmp_path, recwarn):
    picture.save(tmp_path / name)
    np.testing.assert_allclose(load_data(f"images:{tmp_path}").x, [expected], rtol=1e-6)
    assert not recwarn


@pytest.mark.parametrize("dtype", [np.int32, np.int16, np.uint32, np.float32], ids=lambda dtype: dtype.__name__)
def test_pictures_whose_mode_defines_no_white_need_a_declared_range(dtype, tmp_path):
    Image.fromarray(GRAY.astype(dtype)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif") as raised:
        load_data(str(tmp_path))
    assert f'load_data("images:{tmp_path}", value_range=(0, 255))' in raised.value.fix.python
    assert f"--data images:0,255:{tmp_path}" in raised.value.fix.command_line
    for data in (load_data(f"images:{tmp_path}", value_range=(0, 255)), load_data(f"images:0,255:{tmp_path}")):
        np.testing.assert_allclose(data.x, [[[0, 0.2, 1]]], rtol=1e-6)


def write_unsigned_tiff(path, levels):
    """Write 32-bit levels without a sample format, which Pillow cannot: they are unsigned."""
    content, (height, width) = levels.astype("<u4").tobytes(), levels.shape
    tags = {256: width, 257: height, 258: 32, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(content)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = b"II*\0" + struct.pack("<I", 8 + len(content))
    path.write_bytes(header + content + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0))


def test_the_whole_range_of_unsigned_32_bit_pictures_is_read(tmp_path):
    write_unsigned_tiff(tmp_path / "a.tif", np.array([[0, 2**31, 2**32 - 1]]))
    data = load_data(f"images:0,{2**32 - 1}:{tmp_path}")
    np.testing.assert_allclose(data.x, [[[0, 0.5, 1]]], rtol=1e-6)


@pytest.mark.parametrize(("levels", "high"), [(GRAY.astype(np.uint16), 255), (DEEP // 17, 4095)])
def test_dark_16_bit_pictures_need_a_declared_range(levels, high, tmp_path):
    Image.fromarray(levels).save(tmp_path / "a.png")
    with pytest.raises(InputError) as raised:
        load_data(str(tmp_path))
    assert f"value_range=(0, {high})" in raised.value.fix.python
    data = load_data(f"images:{tmp_path}", value_range=(0, high))
    np.testing.assert_allclose(data.x[0, 0], levels[0] / high, rtol=1e-6)
    data = load_data(f"images:{tmp_path}", value_range=(0, 65535))
    np.testing.assert_allclose(data.x[0, 0], levels[0] / 65535, rtol=1e-6)


def test_values_outside_the_declared_range_of_pictures_are_an_error(paint):
    paint("a.png", 100)
    with pytest.raises(InputError, match=r"a\.png") as raised:
        load_data(f"images:0,50:{paint.root}")
    assert raised.value.expected == "0 to 50"


def test_black_pictures_need_no_declared_range(paint):
    paint("a.png", 0)
    assert (read(paint).x == 0).all()


def test_transparency_is_left_out_with_a_warning(paint):
    paint("a.png", (255, 51, 0, 100), mode="RGBA")
    with pytest.warns(GuessWarning, match=r"a\.png"):
        assert read(paint).x.shape == (1, 4, 5, 3)
