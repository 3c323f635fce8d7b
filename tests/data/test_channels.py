"""Channels are moved, not scrambled."""

from __future__ import annotations

import numpy as np
import pytest

import vaeviz
from vaeviz.data.channels import is_channels_first, match_shape
from vaeviz.errors import InputError

LAST = np.random.default_rng(0).random((4, 6, 5, 3))
FIRST = np.moveaxis(LAST, -1, 1)


def test_channels_move_in_both_directions():
    np.testing.assert_array_equal(match_shape(FIRST, (6, 5, 3)), LAST)
    np.testing.assert_array_equal(match_shape(LAST, (3, 6, 5)), FIRST)


def test_flat_samples_are_reshaped():
    np.testing.assert_array_equal(match_shape(LAST.reshape(4, -1), (6, 5, 3)), LAST)
    assert match_shape(LAST, (-1,)).shape == (4, 90)


def test_a_different_number_of_values_is_an_error():
    with pytest.raises(InputError) as raised:
        match_shape(LAST, (7, 5, 3))
    assert (raised.value.got, raised.value.expected) == ("(6, 5, 3)", "(7, 5, 3)")


@pytest.mark.parametrize(
    ("shape", "first"), [((3, 8, 8), True), ((1, 8, 8), True), ((8, 8, 3), False), ((8, 8), False)]
)
def test_channels_first_is_recognized_by_the_shape(shape, first):
    assert is_channels_first(shape) is first


def test_reconstructions_of_an_identity_model_are_equal_in_any_layout(ax):
    x = np.random.default_rng(1).random((10, 3, 8, 8)).astype(np.float32)
    encoder = vaeviz.Encoder(lambda x: x.reshape(len(x), -1), input_shape=(-1,))
    decoder = vaeviz.Decoder(lambda z: z.reshape(-1, 3, 8, 8), layout="channels_first", sample_shape=(8, 8, 3))
    vaeviz.reconstruction_pairs(encoder, decoder, x, n_samples=2, ax=ax)
    mosaic = np.asarray(ax.images[0].get_array())
    half = (len(mosaic) - 1) // 2
    np.testing.assert_allclose(mosaic[:half], mosaic[-half:], atol=1e-6)
