"""Labels as class codes and names."""

import numpy as np
import pytest

from vaeviz.data.labels import MAX_LABEL_RANGE, ClassLabels, check_labels, factorize_labels
from vaeviz.errors import InputError


@pytest.mark.parametrize(
    ("labels", "codes", "names"),
    [
        ([2, 0, 2], [1, 0, 1], ("0", "2")),
        ([10, 9, 100], [1, 0, 2], ("9", "10", "100")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([True, False], [1, 0], ("False", "True")),
        ([0.5, np.nan, 2.0], [0, -1, 1], ("0.5", "2")),
        (["b", "", "a"], [1, -1, 0], ("a", "b")),
        (np.array(["b", None, "a"], dtype=object), [1, -1, 0], ("a", "b")),
        (np.array([3, None, 10, np.nan], dtype=object), [0, -1, 1, -1], ("3", "10")),
        ([np.nan, np.nan], [-1, -1], ()),
    ],
)
def test_labels_become_codes_and_sorted_names(labels, codes, names):
    found_codes, found_names = factorize_labels(np.asarray(labels))
    assert (found_codes.tolist(), found_names) == (codes, names)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([7, 3, 3, 250], np.uint8),
        np.array([-128, 127, 0], np.int8),
        np.array([2**63, 2**63 + 5], np.uint64),
        np.array([-(2**31) - 1, -(2**31) + 2]),
        np.array([5, 5 + MAX_LABEL_RANGE, 6]),
        np.random.default_rng(0).integers(-3, 40, 1000),
    ],
)
def test_integers_of_any_type_have_the_codes_of_their_sorted_values(labels, monkeypatch):
    monkeypatch.setattr("vaeviz.data.labels.LABEL_BLOCK", 7)
    classes, codes = np.unique(labels, return_inverse=True)
    found_codes, found_names = factorize_labels(labels)
    np.testing.assert_array_equal(found_codes, codes)
    assert found_names == tuple(map(str, classes.tolist()))


@pytest.mark.parametrize(
    "labels",
    [np.zeros((3, 2)), 5, [1, 2], ["a"] * 4],
)
def test_labels_with_the_wrong_shape_are_an_error(labels):
    with pytest.raises(InputError):
        check_labels(labels, 3)


def test_missing_values_of_pandas_are_missing():
    pandas = pytest.importorskip("pandas")
    for labels in (pandas.Series([10, None, 9], dtype="Int64"), pandas.Series([10, None, 9], dtype=object)):
        codes, names = factorize_labels(check_labels(labels, 3))
        assert (codes.tolist(), names) == ([1, -1, 0], ("9", "10"))
    codes, names = factorize_labels(check_labels(pandas.Series(["b", None, "a"]), 3))
    assert (codes.tolist(), names) == ([1, -1, 0], ("a", "b"))


def test_labels_may_be_a_column_or_a_tensor():
    torch = pytest.importorskip("torch")
    assert check_labels([[1], [2]], 2).tolist() == [1, 2]
    assert check_labels(torch.tensor([1, 2]), 2).tolist() == [1, 2]


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a\x1b[31m", "b"]),
        ["a\x1b[31m", "b"],
        ClassLabels(np.array([0, 1]), ("a\x1b[31m", "b")),
        np.array([b"a\x1b[31m", b"b"]),
    ],
)
def test_names_of_classes_have_no_control_characters(labels):
    assert factorize_labels(check_labels(labels, 2))[1] == ("a\N{REPLACEMENT CHARACTER}[31m", "b")
