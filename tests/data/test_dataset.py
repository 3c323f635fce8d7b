import numpy as np
import pytest

from vaeviz import Dataset, load_data
from vaeviz.errors import InputError, NoSuchSplit, UnknownName

X = np.random.default_rng(0).random((6, 2, 3), dtype=np.float32)


def test_rows_of_a_data_set_are_taken_together():
    data = Dataset(X, np.arange(6) % 2, ("a", "b"), np.arange(12).reshape(6, 2), "mine")
    some = data[[4, 1]]
    assert len(some) == 2
    np.testing.assert_array_equal(some.x, X[[4, 1]])
    assert some.labels.tolist() == [0, 1]
    assert some.factors.tolist() == [[8, 9], [2, 3]]
    assert (some.name, some.class_names) == ("mine", ("a", "b"))


def test_class_names_stand_in_for_integer_labels():
    labels = np.array([1, 0, 1])
    assert Dataset(X[:3], labels, ("a", "b")).named_labels()[:].tolist() == ["b", "a", "b"]
    assert Dataset(X[:3], labels).named_labels() is labels
    assert Dataset(X[:3]).named_labels() is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"x": X, "labels": np.arange(5)}, "mine: got 5 labels for 6 samples"),
        ({"x": X, "factors": np.zeros((7, 2))}, "mine: got 7 factors for 6 samples"),
        ({"x": X * np.nan}, "mine: x: NaN or infinite values in 6 of 6 rows"),
        ({"x": np.zeros((0, 2))}, "mine: x: got shape"),
        ({"x": X, "labels": np.array([0, 1, 2, 3, 4, -1]), "class_names": tuple("abcde")}, "class names"),
        ({"x": X, "labels": np.arange(6), "class_names": tuple("abcde")}, "class names"),
    ],
)
def test_parts_that_do_not_fit_are_an_error(fields, told):
    with pytest.raises(InputError, match=told):
        Dataset(**fields, name="mine")


def test_names_and_kind_stay_with_some_of_the_rows():
    data = Dataset(
        X[:, 0], factors=np.zeros((6, 2)), feature_names=["a", "b", "c"], factor_names=("up", "down"), kind="table"
    )
    assert data[:2].feature_names == ("a", "b", "c")
    assert data[:2].factor_names == ("up", "down")
    assert data[:2].kind == "table"


def test_columns_of_data_frames_are_names():
    pandas = pytest.importorskip("pandas")
    x, factors = (pandas.DataFrame(X[:, 0], columns=list(names)) for names in ("abc", "def"))
    data = Dataset(x, factors=factors)
    assert (data.feature_names, data.factor_names) == (("a", "b", "c"), ("d", "e", "f"))
    np.testing.assert_array_equal(data[[0, 5]].factors, X[[0, 5], 0])
    assert Dataset(x, feature_names="xyz").feature_names == ("x", "y", "z")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"x": X[:, 0], "feature_names": ("a", "b")}, "feature_names: got 2 names for samples of 3 values"),
        ({"x": X, "factors": np.zeros((6, 2)), "factor_names": ("a",)}, "factor_names: got 1 names for 2 factors"),
        ({"x": X, "kind": "point"}, "samples have 6 values, expected 2"),
        ({"x": X, "kind": "picture"}, "Unknown kind of sample 'picture'"),
    ],
)
def test_names_and_kinds_that_do_not_fit_are_an_error(fields, told):
    with pytest.raises(InputError, match=told):
        Dataset(**fields)


def halves(*, split="train"):
    return Dataset(X[:4] if split == "train" else X[4:], name=f"{split} half")


def whole(path, *, split="all", labels=None):
    if split != "all":
        raise NoSuchSplit("whole: there is only one")
    return Dataset(X, None if labels is None else np.arange(6), name=path)


def annotated(function, **annotations):
    function.__annotations__ |= annotations
    return function


@pytest.fixture(autouse=True)
def two_data_sets(registered):
    from vaeviz.data.dataset import Split

    annotated(halves, split=Split)
    annotated(whole, split=Split, labels=str | None)
    registered.add("vaeviz.datasets", "halves", halves)
    registered.add("vaeviz.datasets", "whole", whole)


def test_the_test_split_is_taken_where_there_is_one_else_everything():
    assert load_data("halves").name == "test half"
    assert load_data("halves", split="train").name == "train half"
    assert len(load_data("whole:FILE")) == 6
    with pytest.raises(NoSuchSplit):
        load_data("whole:FILE", split="test")


def test_what_follows_the_colon_is_the_argument():
    assert load_data("whole:a/b:c.npz", labels="y").name == "a/b:c.npz"
    assert load_data("whole:x", labels="y").labels is not None


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("halvs", {}, "Unknown data set 'halvs'. Did you mean 'halves'"),
        ("whole", {}, "missing 1 required positional argument.*write it as 'whole:ARGUMENT'"),
        ("halves:x", {}, "write it as 'halves'"),
        ("halves", {"labels": "y"}, "data set 'halves' takes no --labels"),
        ("halves", {"data_dir": "here"}, "data set 'halves' takes no --data-dir"),
        ("halves", {"split": "tset"}, r"halves\.split = 'tset': expected train\|test\|all"),
    ],
)
def test_data_that_cannot_be_had_is_an_error(name, settings, told):
    with pytest.raises(InputError, match=told):
        load_data(name, **settings)


def test_an_error_in_a_loader_is_not_taken_for_one_of_the_caller(registered):
    def careless(*, split: str = "train"):
        return len(3)

    registered.add("vaeviz.datasets", "careless", careless)
    with pytest.raises(TypeError, match="has no len"):
        load_data("careless")


def test_an_unknown_data_set_is_an_unknown_name():
    with pytest.raises(UnknownName):
        load_data("qqq")


def test_an_anndata_keeps_what_its_matrix_does_not_say():
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(np.arange(12, dtype=np.float32).reshape(4, 3))
    cells.obs["type"] = list("aabb")
    data = Dataset(cells)
    assert data.source is cells
    assert data.feature_names == tuple(cells.var_names)
    np.testing.assert_array_equal(data.x, cells.X)
    assert list(data[1:3].source.obs["type"]) == ["a", "b"]


def test_labels_in_a_column_are_labels():
    data = Dataset(np.ones((3, 2)), np.array([[0], [1], [0]]), ("a", "b"))
    assert data.labels.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"labels: got shape \(3, 2\)"):
        Dataset(np.ones((3, 2)), np.zeros((3, 2)))
