"""A datasets.Dataset of Hugging Face is read in rows, with its labels."""

import numpy as np
import pytest

import vaeviz
from vaeviz import Encoder, cache_encoding, encode
from vaeviz.data.labels import ClassLabels, labels_for
from vaeviz.data.out_of_core import StoredArray, as_samples
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
