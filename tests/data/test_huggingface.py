"""A datasets.Dataset of Hugging Face is read in rows, with its labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

import vaeviz
from vaeviz import Encoder, cache_encoding, encode
from vaeviz.data.labels import ClassLabels, labels_for
from vaeviz.data.out_of_core import StoredArray, as_samples
from vaeviz.data.sample_kind import check_same_columns, column_names
from vaeviz.errors import InputError

datasets = pytest.importorskip("datasets")

N = 40


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (N, 8, 8), dtype=np.uint8)


@pytest.fixture
def dataset(pictures):
    columns = {"image": list(pictures), "label": [k % 3 for k in range(N)], "id": [str(k) for k in range(N)]}
    features = {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog", "owl"]),
        "id": datasets.Value("string"),
    }
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


@pytest.fixture
def encoder():
    return Encoder(lambda x: x.reshape(len(x), -1)[:, :2], returns="mean")


def test_images_are_read_as_from_an_array(dataset, pictures, encoder):
    samples = as_samples(dataset, "x")
    assert isinstance(samples, StoredArray)
    assert samples.shape == (N, 8, 8)
    np.testing.assert_array_equal(samples[[5, 1]], pictures[[5, 1]] / np.float32(255))
    np.testing.assert_array_equal(encode(encoder, dataset).mean, encode(encoder, pictures).mean)


def test_class_labels_come_with_the_samples(dataset):
    for labels in (labels_for(dataset, None), vaeviz.Dataset(dataset).labels):
        assert isinstance(labels, ClassLabels)
        assert labels.categories == ("cat", "dog", "owl")
        assert labels.codes.tolist() == [k % 3 for k in range(N)]


def test_an_encoding_of_a_dataset_is_cached(dataset, encoder):
    cached = cache_encoding(encoder, dataset)
    assert encode(cached, dataset) is encode(cached, dataset)


def test_columns_of_numbers_form_a_table():
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0], "b": [3, 4], "name": ["x", "y"]})
    np.testing.assert_array_equal(np.asarray(as_samples(table, "x")), [[1, 3], [2, 4]])


def test_columns_of_a_table_name_the_features():
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0], "b": [3, 4], "name": ["x", "y"]})
    assert vaeviz.Dataset(table).feature_names == ("a", "b")


def test_images_have_no_names_of_features(dataset):
    assert not vaeviz.Dataset(dataset).feature_names


def test_a_frame_with_a_method_of_that_name_keeps_its_columns(monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "select_columns", pd.DataFrame.filter, raising=False)  # as pyjanitor does
    assert column_names(None, pd.DataFrame({"a": [1.0]})) == ("a",)


def test_columns_in_another_order_than_those_of_the_training_are_refused():
    frame = pd.DataFrame(np.random.default_rng(0).standard_normal((N, 3)), columns=["a", "b", "c"])
    model = PCA(2).fit(frame)
    table = datasets.Dataset.from_pandas(frame)
    labeled = table.add_column("label", [0, 1] * (N // 2)).cast_column("label", datasets.ClassLabel(names=["x", "y"]))
    wrong = (
        table.select_columns(["b", "a", "c"]),
        table.rename_columns({"b": "d"}),
        labeled.add_column("d", [1.0] * N),
    )
    for given in wrong:
        with pytest.raises(InputError) as raised:
            encode(model, given)
        line = raised.value.fix.python.removeprefix("Pass ").split(", where")[0].split(" if")[0]
        fixed = eval(line, {"x": given, "model": model})  # what a user would paste
        np.testing.assert_allclose(encode(model, fixed).mean, model.transform(frame), atol=1e-5)
        assert (labels_for(fixed, None) is None) == (labels_for(given, None) is None)


def test_other_samples_have_the_columns_of_the_samples():
    table = datasets.Dataset.from_dict({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    check_same_columns(table, table)
    for given, line in (
        (table.select_columns(["b", "a"]), "other_x.select_columns(['a', 'b'])"),
        (table.add_column("c", [0.0, 0.0]), "other_x.select_columns(['a', 'b'])"),
        (table.rename_columns({"b": "c"}), "other_x.rename_columns({'c': 'b'})"),
    ):
        with pytest.raises(InputError) as raised:
            check_same_columns(table, given)
        assert line in raised.value.fix.python
    with pytest.raises(InputError) as raised:
        check_same_columns(table, table.select_columns(["a"]))
    assert "rename" not in raised.value.fix.python


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda data: data.add_column("other", [[1.0, 2.0]] * N), "image, other"),
        (lambda data: data.select_columns("id"), "id"),
        (lambda data: data.with_transform(lambda batch: batch), "a transform"),
        (lambda data: data.select([]), "no rows"),
    ],
)
def test_other_datasets_are_refused(dataset, change, got):
    with pytest.raises(InputError) as raised:
        as_samples(change(dataset), "x")
    assert raised.value.got == got


def test_rows_of_different_shapes_are_refused(encoder):
    ragged = datasets.Dataset.from_dict({"x": [[1.0] * (1 + k % 2) for k in range(10)]})
    with pytest.raises(InputError, match="Column x"):
        encode(encoder, ragged)
