"""Kinds of samples, and their names."""

import numpy as np
import pytest

from vaeviz.data.sample_kind import as_images, as_signals, column_names, displayed_names, sample_kind
from vaeviz.errors import InputError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((28, 28), "image"),
        ((2, 2), "image"),
        ((8, 8, 1), "image"),
        ((8, 8, 3), "image"),
        ((8, 8, 4), "image"),
        ((784,), "image"),
        ((64,), "image"),
        ((63,), "signal"),
        ((49,), "signal"),
        ((32,), "signal"),
        ((1, 128), "signal"),
        ((1, 256), "signal"),
        ((1024, 1), "signal"),
        ((128, 1), "signal"),
        ((128, 2), "signal"),
        ((4, 64), "signal"),
        ((32, 3), "signal"),
        ((5, 64), "image"),
        ((4, 31), "image"),
        ((400, 20), "image"),
        ((32, 32, 3), "image"),
        ((4, 9, 7), "image"),
        ((31,), "table"),
        ((3,), "table"),
        ((1,), "table"),
        ((2,), "point"),
        ((1, 2), "point"),
    ],
)
def test_kind_follows_from_shape(shape, kind):
    assert sample_kind(shape) == kind


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((64,), "signal"),
        ((64,), "table"),
        ((28, 28), "signal"),
        ((28, 28), "spectrogram"),
        ((1, 33, 31), "spectrogram"),
        ((128, 2), "image"),
        ((9,), "image"),
        ((2,), "table"),
        ((3, 8, 8), "table"),
    ],
)
def test_explicit_kind_wins(shape, kind):
    assert sample_kind(shape, kind) == kind


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((3,), "point"),
        ((12,), "image"),
        ((5, 8, 8), None),
        ((5, 8, 8), "image"),
        ((8, 8), "picture"),
        ((2, 8, 8, 3), None),
        ((784,), "spectrogram"),
        ((8, 8, 3), "spectrogram"),
        ((5, 8, 8), "signal"),
    ],
)
def test_shape_that_does_not_fit_the_kind_is_an_error(shape, kind):
    with pytest.raises(InputError):
        sample_kind(shape, kind)


def test_images_drop_a_single_channel_and_vectors_become_square():
    assert as_images(np.zeros((2, 3, 8, 8, 1)), 2).shape == (2, 3, 8, 8)
    assert as_images(np.zeros((2, 3, 64)), 2).shape == (2, 3, 8, 8)
    assert as_images(np.zeros((2, 3, 6, 8, 3)), 2).shape == (2, 3, 6, 8, 3)


def test_named_vector_is_a_table_row():
    names = tuple("abcdefgh" * 8)
    assert sample_kind((64,), names=names) == "table"
    assert sample_kind((2,), names=("a", "b")) == "point"
    assert sample_kind((8, 8), names=names) == "image"
    assert sample_kind((64,), "signal", names) == "signal"


def test_longer_side_of_a_signal_is_time():
    assert as_signals(np.zeros((2, 3, 64)), 2).shape == (2, 3, 64, 1)
    assert as_signals(np.zeros((2, 3, 1, 64)), 2).shape == (2, 3, 64, 1)
    assert as_signals(np.zeros((2, 3, 5, 5)), 2).shape == (2, 3, 5, 5)
    channels = RNG.random((2, 3, 2, 64))
    np.testing.assert_array_equal(as_signals(channels, 2), np.swapaxes(channels, -1, -2))


def test_column_names_are_explicit_or_from_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"alcohol": [1.0], "ash": [2.0]})
    assert column_names(None, frame) == ("alcohol", "ash")
    assert column_names(["a", 1], frame) == ("a", "1")
    assert column_names(None, pandas.DataFrame(np.zeros((2, 3)))) == ()  # columns that were only counted
    assert column_names(None, np.zeros((2, 3))) == column_names(None) == column_names((), None) == ()


@pytest.mark.parametrize(
    ("kind", "shape", "count", "shown"),
    [
        ("table", (5,), 5, True),
        ("point", (2,), 2, True),
        ("signal", (64, 3), 3, True),
        ("signal", (3, 64), 3, True),
        ("signal", (64,), 1, True),
        ("signal", (64,), 64, False),
        ("image", (8, 8), 64, False),
        ("spectrogram", (8, 9), 8, False),
    ],
)
def test_names_are_shown_where_they_fit(kind, shape, count, shown):
    names = tuple(map(str, range(count)))
    assert displayed_names(names, kind, shape) == (names if shown else ())
    assert displayed_names((), kind, shape) == ()


@pytest.mark.parametrize(
    ("kind", "shape", "n_names"),
    [("table", (5,), 5), ("point", (2,), 2), ("signal", (64, 2), 2)],
)
def test_wrong_number_of_names_is_an_error(kind, shape, n_names):
    with pytest.raises(InputError, match=rf"feature_names.*{n_names}"):
        displayed_names(("a", "b", "c"), kind, shape)
