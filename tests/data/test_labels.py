"""Labels of every type: each is a class, a number, a date, or an error that helps."""

import datetime
import enum

import numpy as np
import pandas as pd
import pytest

import vaeviz
from vaeviz.data.labels import ClassLabels, check_labels, factorize_labels, has_classes, labels_for, name_classes
from vaeviz.drawing.colors import color_labels
from vaeviz.errors import InputError

NA = pd.NA
CLASSES = {
    "categories keep their order": (pd.Categorical(["b", "a", None], ["b", "a"], ordered=True), "b a", [0, 1, -1]),
    "categories of a series": (pd.Series(pd.Categorical(["b", "a", "b"], ["b", "a"])), "b a", [0, 1, 0]),
    "one column of a frame": (pd.DataFrame({"y": pd.Categorical(["b", "a"], ["b", "a"])}), "b a", [0, 1]),
    "nullable integers": (pd.Series([10, NA, 9], dtype="Int64"), "9 10", [1, -1, 0]),
    "nullable integers without gaps": (pd.Series([10, 9], dtype="Int64"), "9 10", [1, 0]),
    "nullable booleans": (pd.Series([True, NA, False], dtype="boolean"), "False True", [1, -1, 0]),
    "nullable strings": (pd.Series(["b", NA, "a"], dtype="string"), "a b", [1, -1, 0]),
    "bytes": (np.array([b"b", b"\xc3\xa4", b""]), "b ä", [0, 1, -1]),
    "bytes as objects": (np.array([b"b", None, b"a"], dtype=object), "a b", [1, -1, 0]),
    "masked integers": (np.ma.masked_equal([10, 9, 3], 3), "9 10", [1, 0, -1]),
    "masked texts": (np.ma.array(["b", "a", "c"], mask=[0, 0, 1]), "a b", [1, 0, -1]),
    "texts and numbers": (np.array(["a", 2, 10], dtype=object), "2 10 a", [2, 0, 1]),
    "one-hot rows": (np.eye(3)[[2, 0, 1]], "0 1 2", [2, 0, 1]),
    "one-hot columns with names": (pd.DataFrame({"cat": [0, 1], "dog": [1, 0]}), "cat dog", [1, 0]),
    "members of an enumeration": (np.array(list(enum.Enum("Kind", "a b")), dtype=object), "Kind.a Kind.b", [0, 1]),
}


@pytest.mark.parametrize(("labels", "names", "codes"), CLASSES.values(), ids=list(CLASSES))
def test_classes_of_every_type_have_names_and_codes(labels, names, codes):
    values = check_labels(labels, len(codes))
    assert has_classes(values)
    found, found_names = factorize_labels(values)
    assert (found.tolist(), found_names) == (codes, tuple(names.split()))


@pytest.mark.parametrize(
    "labels",
    [
        np.repeat(np.arange(10.0), 2),
        np.repeat([0, 1, np.nan, 3], 2),
        pd.Series([1, 2, None] * 3),
        [1.0, 2.0, None, 1.0, 2.0],
    ],
    ids=["floats", "with NaN", "pandas", "with None"],
)
def test_few_whole_numbers_in_floating_point_are_classes(labels):
    values = check_labels(labels, len(labels))
    assert has_classes(values)
    codes, names = factorize_labels(values)
    assert all(name.isdecimal() for name in names)
    missing = [index for index, label in enumerate(labels) if label is None or label != label]
    assert np.flatnonzero(codes < 0).tolist() == missing
    colors = color_labels(labels, len(labels))
    assert (colors.names, colors.mappable) == (names, None)


def test_whole_numbers_are_declared_continuous():
    assert color_labels(np.repeat(np.arange(10.0), 2), 20, continuous=True).mappable is not None


@pytest.mark.parametrize(
    "labels",
    [np.repeat([0, 0.5, 1], 2), np.repeat(np.arange(21.0), 2), np.arange(10.0), [np.inf, 0.5]],
    ids=["fractions", "many", "all different", "infinite"],
)
def test_other_floats_are_a_scale(labels):
    assert not has_classes(check_labels(labels, len(labels)))


def test_names_of_classes_in_floating_point():
    data = vaeviz.Dataset(np.zeros((4, 2)), [0.0, 1.0, 0.0, 1.0], class_names=("cat", "dog"))
    assert data.named_labels()[:].tolist() == ["cat", "dog", "cat", "dog"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cluster 10", "cluster 2", "cluster 1"], ["cluster 1", "cluster 2", "cluster 10"]),
        (["10", "9", "-1", "0.5"], ["-1", "0.5", "9", "10"]),
        (["a1b10", "a1b9", "a01b1", "a"], ["a", "a01b1", "a1b9", "a1b10"]),
        (["b", "B", "a", "2"], ["2", "B", "a", "b"]),
    ],
)
def test_texts_are_in_natural_order(names, expected):
    assert list(factorize_labels(np.array(names))[1]) == expected


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([0.5, None, 2], dtype="Float64"),
        np.array([0.5, None, 2], dtype=object),
        pd.Series([0.5, np.nan, 2]),
    ],
)
def test_nullable_floats_are_numbers(labels):
    values = check_labels(labels, 3)
    assert not has_classes(values)
    np.testing.assert_array_equal(values, [0.5, np.nan, 2])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["2024-01-01", "NaT", "2024-01-03"], "datetime64[D]"),
        [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)],
        pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-03"])),
        pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-03"], utc=True)),
    ],
)
def test_dates_are_on_a_scale(labels):
    values = check_labels(labels, 3)
    assert not has_classes(values)
    assert values.dtype.kind == "M"
    assert np.isnat(values).tolist() == [False, True, False]
    assert values[2] - values[0] == np.timedelta64(2, "D")


@pytest.mark.parametrize(
    ("labels", "token"),
    [
        ([{"a": 1}, {"b": 2}], "dict"),
        (np.array([[1], [1, 2]], dtype=object), "list"),
        (np.array([1, 2], "timedelta64[D]"), "timedelta64"),
        (np.array([1j, 2j]), "complex"),
        (np.full((2, 3), 1 / 3), "(2, 3)"),
    ],
)
def test_what_is_neither_class_nor_number_is_an_error(labels, token):
    with pytest.raises(InputError) as caught:
        check_labels(labels, 2)
    assert token in caught.value.got
    assert caught.value.fix.python


def test_scores_have_a_fix_that_works():
    scores = np.array([[0.2, 0.8], [0.9, 0.1]])
    with pytest.raises(InputError) as caught:
        check_labels(scores, 2)
    assert "labels.argmax(axis=1)" in caught.value.fix.python
    assert check_labels(scores.argmax(axis=1), 2).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "names", "codes", "categories"),
    [
        ([0, 2, 0], ("cat", "dog", "cow"), [0, 2, 0], ["cat", "dog", "cow"]),
        ([1, 2, 2], ("one", "two"), [0, 1, 1], ["one", "two"]),
        ([True, False, True], ("no", "yes"), [1, 0, 1], ["no", "yes"]),
        (["low", "high", ""], ("low", "middle", "high"), [0, 2, -1], ["low", "middle", "high"]),
        ([0, 1, 1], (), [0, 1, 1], ["0", "1"]),
        ([0, 1, 1], {0: "cat"}, [0, 1, 1], ["cat", "1"]),
        ([0, 1, 1], {"1": "dog"}, [0, 1, 1], ["0", "dog"]),
    ],
)
def test_names_and_order_of_classes(labels, names, codes, categories):
    named = name_classes(check_labels(labels, 3), names)
    assert isinstance(named, ClassLabels)
    assert (named.codes.tolist(), list(named.categories)) == (codes, categories)


@pytest.mark.parametrize("names", [("a", "b"), {"3": "c"}])
def test_names_that_do_not_fit_are_an_error(names):
    with pytest.raises(InputError) as caught:
        name_classes(np.array([0, 1, 2]), names)
    assert "class_names" in caught.value.message


def test_labels_of_a_loader_or_a_dataset_come_with_it():
    x = np.zeros((4, 2), np.float32)
    batches = [(x[:2], np.array([0, 1])), (x[2:], np.array([1, 1]))]
    assert labels_for(vaeviz.Batches(batches), None).tolist() == [0, 1, 1, 1]
    assert labels_for(vaeviz.Dataset(x, np.array([0, 1, 1, 0]), ("cat", "dog")), None)[:].tolist()[:2] == ["cat", "dog"]
    assert labels_for(vaeviz.Batches(batches), [3, 3, 3, 3]) == [3, 3, 3, 3]
    assert labels_for(x, None) is None


def test_labels_of_a_torch_loader_come_with_it():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.zeros(5, 2), torch.tensor([0, 1, 2, 1, 0]))
    assert labels_for(torch.utils.data.DataLoader(data, batch_size=2), None).tolist() == [0, 1, 2, 1, 0]


def test_tensors_of_every_kind_are_labels():
    torch = pytest.importorskip("torch")
    for tensor in (torch.tensor([1.0, 2.0], dtype=torch.bfloat16), torch.tensor([1, 2]).to_sparse()):
        assert check_labels(tensor, 2).tolist() == [1, 2]
    with pytest.raises(InputError) as caught:
        check_labels(torch.empty(2, device="meta"), 2)
    assert caught.value.got == "a meta tensor"
