"""Shared by the tests of adapters: digits, and a check that a model's figures can be drawn."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from vaeviz.model.adapters.keras_model import choose_backend

matplotlib.use("agg")
choose_backend()  # before anything imports Keras, which would want tensorflow

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("adapters")
            item.add_marker("no_cover")  # the lines of adapters are not counted


@pytest.fixture(scope="session")
def images():
    """(40, 8, 8) digits in [0, 1]."""
    from sklearn.datasets import load_digits

    return (load_digits().images[:40] / 16).astype(np.float32)


@pytest.fixture
def draws(check_declaration):
    """Draw what a model allows, as a script would, check what `inspect` says, and return codes and decoded codes."""
    import vaeviz

    def drawn(model, x, *, size):
        ax = vaeviz.latent_scatter(model, x)
        assert ax.has_data()
        posterior = vaeviz.encode(model, x)
        assert posterior.size == size
        decoded = vaeviz.decode(model, posterior, reference=x)
        assert decoded.shape == x.shape
        vaeviz.reconstruction_pairs(model, model, x)
        check_declaration(model, x)
        return posterior, decoded

    yield drawn
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def strict():
    """Every warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def mark(tmp_path):
    """A file that code hidden in a doctored file would leave, and an object whose unpickling leaves it."""
    path = tmp_path / "it_ran"

    class Leaves:
        def __reduce__(self):
            return (open, (str(path), "w"))

    return path, Leaves()
