"""Data sets are found by name, and their loaders called with the arguments that they declare."""

import numpy as np
import pytest

from vaeviz import Dataset, load_data
from vaeviz.data.dataset import Split
from vaeviz.errors import InputError, NoSuchSplit, UnknownName

X = np.random.default_rng(0).random((6, 3), dtype=np.float32)


def halves(*, split: Split = "train"):
    return Dataset(X[:4] if split == "train" else X[4:], name=f"{split} half")


def whole(path, *, split: Split = "all", labels: str | None = None, value_range: tuple[float, float] | None = None):
    if split != "all":
        raise NoSuchSplit("whole has no splits.")
    return Dataset(X, None if labels is None else np.arange(6), name=f"{path} {value_range}")


def without_options():
    return Dataset(X, name="without options")


@pytest.fixture(autouse=True)
def loaders(registered):
    for name, loader in {"halves": halves, "whole": whole, "without-options": without_options}.items():
        registered.add("vaeviz.datasets", name, loader)


def test_the_default_is_the_test_split_if_there_is_one_and_everything_otherwise():
    assert load_data("halves").name == "test half"
    assert load_data("halves", split="train").name == "train half"
    assert len(load_data("whole:FILE")) == 6
    assert load_data("without-options").name == "without options"
    with pytest.raises(NoSuchSplit):
        load_data("whole:FILE", split="test")


def test_the_text_after_the_colon_is_the_argument():
    assert load_data("whole:a/b:c.npz", labels="y").name == "a/b:c.npz None"
    assert load_data("whole:x", labels="y").labels is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("whole:0,255:a.npz", "a.npz (0.0, 255.0)"),
        ("whole:-1.5,1e3:a:b", "a:b (-1.5, 1000.0)"),
        ("whole:0,x:a", "0,x:a None"),
        ("whole:0,255", "0,255 None"),
    ],
)
def test_a_value_range_may_precede_the_argument(text, name):
    assert load_data(text).name == name


def test_two_value_ranges_are_an_error():
    with pytest.raises(InputError, match="value_range"):
        load_data("whole:0,255:a", value_range=(0, 1))


def test_a_value_range_may_be_passed_from_python():
    assert load_data("whole:a", value_range=(0, 255)).name == "a (0.0, 255.0)"
    with pytest.raises(InputError) as raised:
        load_data("halves", value_range=(0, 255))
    assert raised.value.got == "value_range"


@pytest.mark.parametrize(("name", "form"), [("whole", "whole:ARGUMENT"), ("halves:x", "halves")])
def test_a_missing_or_extra_argument_is_explained(name, form):
    with pytest.raises(InputError) as raised:
        load_data(name)
    assert (raised.value.got, raised.value.expected) == (name, form)
    assert form in raised.value.fix.python
    assert f"--data {form}" in raised.value.fix.command_line


@pytest.mark.parametrize(("option", "value"), [("labels", "y"), ("data_dir", "here")])
def test_an_option_that_a_data_set_does_not_have_is_an_error(option, value):
    with pytest.raises(InputError) as raised:
        load_data("halves", **{option: value})
    assert raised.value.got == option
    assert f"--{option.replace('_', '-')}" in raised.value.fix.command_line
    assert "--" not in str(raised.value)


def test_an_unknown_split_is_an_error():
    with pytest.raises(InputError, match="split") as raised:
        load_data("halves", split="tset")
    assert "tset" in str(raised.value)


@pytest.mark.parametrize(
    "message", ["object of type 'int' has no len()", "f() missing 1 required positional argument: 'path'"]
)
def test_errors_of_a_loader_are_passed_on_unchanged(registered, message):
    error = TypeError(message)

    def careless(*, split: Split = "train"):
        raise error

    registered.add("vaeviz.datasets", "careless", careless)
    with pytest.raises(TypeError) as raised:
        load_data("careless")
    assert raised.value is error


def test_an_unknown_data_set_is_an_unknown_name():
    with pytest.raises(UnknownName) as raised:
        load_data("halvs")
    assert raised.value.got == "halvs"
    assert "halves" in raised.value.fix.python


def test_a_dash_is_allowed_in_the_name_of_a_data_set(registered):
    registered.add("vaeviz.datasets", "halves-v2", halves)
    assert load_data("halves-v2", split="train").name == "train half"


def test_a_file_of_another_type_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(InputError) as raised:
        load_data(str(tmp_path / "notes.txt"))
    assert raised.value.got == ".txt"
    assert ".npy" in raised.value.expected


def test_the_name_of_a_file_may_have_colons(tmp_path):
    np.save(tmp_path / "a:0.3:b.npy", X)
    np.testing.assert_array_equal(load_data(str(tmp_path / "a:0.3:b.npy")).x, X)


@pytest.mark.parametrize("name", ["wines.tsv", "wines/pictures"])
def test_a_missing_file_is_not_reported_as_a_misspelled_data_set(name):
    with pytest.raises(InputError) as raised:
        load_data(name)
    assert not isinstance(raised.value, UnknownName)
    assert raised.value.got == name


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that `load_data` can import."""

    def write(content):
        (tmp_path / "own_data.py").write_text(f"import numpy as np\n{content}")
        monkeypatch.delitem(__import__("sys").modules, "own_data", raising=False)
        monkeypatch.syspath_prepend(tmp_path)

    return write


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("data = np.ones((4, 2))", None),
        ("data = (np.ones((4, 2)), list('aabb'))", list("aabb")),
        ("def data():\n    return np.ones((4, 2)), np.arange(4)", [0, 1, 2, 3]),
        ("from vaeviz import Dataset\ndata = Dataset(np.ones((4, 2)), np.arange(4))", [0, 1, 2, 3]),
    ],
)
def test_an_object_of_a_module_is_a_data_set(module, content, labels):
    module(content)
    data = load_data("own_data:data")
    assert data.x.shape == (4, 2)
    assert (None if data.labels is None else data.labels.tolist()) == labels
    with pytest.raises(NoSuchSplit) as raised:
        load_data("own_data:data", split="train")
    assert (raised.value.got, raised.value.expected) == ("train", "all")
