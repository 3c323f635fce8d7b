"""A data set keeps its samples, labels, factors and names together."""

import numpy as np
import pytest

from vaeviz import Dataset
from vaeviz.analysis.factors import as_factors
from vaeviz.errors import InputError, UnknownName
from vaeviz.model.collect_inputs import collect_inputs

X = np.random.default_rng(0).random((6, 2, 3), dtype=np.float32)


def test_selected_rows_keep_their_labels_and_factors():
    data = Dataset(X, np.arange(6) % 2, ("a", "b"), np.arange(12).reshape(6, 2), "mine")
    selected = data[[4, 1]]
    assert len(selected) == 2
    np.testing.assert_array_equal(selected.x, X[[4, 1]])
    assert selected.labels.tolist() == [0, 1]
    assert selected.factors.tolist() == [[8, 9], [2, 3]]
    assert (selected.name, selected.class_names) == ("mine", ("a", "b"))


def test_named_labels_show_class_names():
    labels = np.array([1, 0, 1])
    assert Dataset(X[:3], labels, ("a", "b")).named_labels()[:].tolist() == ["b", "a", "b"]
    assert Dataset(X[:3], labels).named_labels() is labels
    assert Dataset(X[:3]).named_labels() is None


@pytest.mark.parametrize(
    ("fields", "field", "got", "expected"),
    [
        ({"x": X, "labels": np.arange(5)}, "labels", "5", "6"),
        ({"x": X, "labels": np.zeros((6, 2))}, "labels", "(6, 2)", "(6,)"),
        ({"x": X, "factors": np.zeros((7, 2))}, "factors", "7", "6"),
        ({"x": X * np.nan}, "x", "row 0", "finite values"),
        ({"x": np.zeros((0, 2))}, "x", "(0, 2)", "(N, ...)"),
        ({"x": np.zeros(3)}, "x", "(3,)", "(N, ...)"),
        ({"x": X, "labels": [0, 1, 2, 3, 4, -1], "class_names": tuple("abcde")}, "class_names", "labels of int64", "4"),
        ({"x": X, "labels": np.arange(6), "class_names": tuple("abcde")}, "class_names", "labels of int64", "4"),
    ],
)
def test_parts_that_do_not_match_raise_an_error(fields, field, got, expected):
    with pytest.raises(InputError) as raised:
        Dataset(**fields, name="mine")
    assert raised.value.message.startswith(f"mine: {field} ")
    assert raised.value.got == got
    assert raised.value.expected.endswith(expected)


def test_names_and_kind_stay_with_selected_rows():
    data = Dataset(
        X[:, 0], factors=np.zeros((6, 2)), feature_names=["a", "b", "c"], factor_names=("up", "down"), kind="table"
    )
    assert data[:2].feature_names == ("a", "b", "c")
    assert data[:2].factor_names == ("up", "down")
    assert data[:2].kind == "table"


def test_columns_of_data_frames_become_names():
    pandas = pytest.importorskip("pandas")
    x, factors = (pandas.DataFrame(X[:, 0], columns=list(names)) for names in ("abc", "def"))
    data = Dataset(x, factors=factors)
    assert (data.feature_names, data.factor_names) == (("a", "b", "c"), ("d", "e", "f"))
    np.testing.assert_array_equal(data[[0, 5]].factors, X[[0, 5], 0])
    assert Dataset(x, feature_names=tuple("xyz")).feature_names == ("x", "y", "z")


def test_masked_factors_are_missing():
    factors = Dataset(X, factors=np.ma.masked_equal(np.arange(6), 2)).factors
    np.testing.assert_array_equal(factors, [0, 1, np.nan, 3, 4, 5])


def test_factors_of_a_data_frame_keep_their_classes():
    pandas = pytest.importorskip("pandas")
    factors = pandas.DataFrame({"color": list("rgbrgb"), "size": np.arange(6) / 2})
    data = Dataset(X, factors=factors)
    assert data.factor_names == ("color", "size")
    assert data[[5, 0]].factors["color"].tolist() == ["b", "r"]
    assert data[np.arange(6) > 3].factors["size"].tolist() == [2, 2.5]
    supplied = collect_inputs(None, data, {})["factors"]
    assert [factor.is_nominal for factor in as_factors(supplied, 6)] == [True, False]


@pytest.mark.parametrize(
    ("fields", "error", "got", "expected"),
    [
        ({"x": X[:, 0], "feature_names": ("a", "b")}, InputError, "2", "3"),
        ({"x": X, "factors": np.zeros((6, 2)), "factor_names": ("a",)}, InputError, "1", "2"),
        ({"x": X, "kind": "point"}, InputError, "(2, 3)", "(2,)"),
        ({"x": X, "kind": "picture"}, UnknownName, "picture", "image, point, signal, spectrogram, table"),
    ],
)
def test_names_and_kinds_that_do_not_match_raise_an_error(fields, error, got, expected):
    with pytest.raises(error) as raised:
        Dataset(**fields)
    assert (raised.value.got, raised.value.expected) == (got, expected)


def test_an_anndata_is_kept_as_the_source():
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(np.arange(12, dtype=np.float32).reshape(4, 3))
    cells.obs["type"] = list("aabb")
    data = Dataset(cells)
    assert data.source is cells
    assert data.feature_names == tuple(cells.var_names)
    np.testing.assert_array_equal(data.x, cells.X)
    assert list(data[1:3].source.obs["type"]) == ["a", "b"]


def test_a_column_of_labels_becomes_a_vector():
    data = Dataset(np.ones((3, 2)), np.array([[0], [1], [0]]), ("a", "b"))
    assert data.labels.tolist() == [0, 1, 0]
