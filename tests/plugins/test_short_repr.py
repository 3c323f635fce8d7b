"""Representations and signatures of public classes as a notebook shows them."""

import inspect

import numpy as np

import vaeviz
import vaeviz_models
from vaeviz import Batches, Dataset, Embedding, Posterior

ROWS = np.zeros((300, 2), dtype=np.float32)


def test_arrays_are_represented_by_their_shape():
    assert repr(Posterior(ROWS, ROWS, "normal")) == (
        "Posterior(mean=<float32 array (300, 2)>, std=<float32 array (300, 2)>, prior='normal')"
    )
    assert repr(Embedding(ROWS, "pca", 4)) == "Embedding(points=<float32 array (300, 2)>, engine='pca', size=4)"
    model = vaeviz.linear_vae(np.diag([2.0, 1, 0.5]), 1)
    assert "eigenvalues=[2.0, 1.0, 0.5], eigenvectors=<float64 array (3, 3)>" in repr(model)


def test_the_representation_of_batches_reads_none():
    def fail():
        raise AssertionError("The batches were read.")

    assert repr(Batches(fail)) == "Batches(function)"
    read = Batches([ROWS])
    assert (len(read), repr(read)) == (300, "Batches(list, shape=(300, 2))")
    assert repr(Dataset(read)) == "Dataset(x=Batches(list, shape=(300, 2)), name='data')"


def test_a_signature_shows_only_what_a_user_can_pass():
    for package in (vaeviz, vaeviz_models):
        for name in package.__all__:
            for parameter in inspect.signature(getattr(package, name)).parameters.values():
                assert not parameter.name.startswith("_"), name
                assert "0x" not in repr(parameter.default), name
                assert parameter.kind is not parameter.VAR_POSITIONAL or name == "seeded"
