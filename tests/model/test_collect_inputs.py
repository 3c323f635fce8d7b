"""Inputs by name, from a model, a data set and what is given."""

import numpy as np
import pytest

from vaeviz.data.dataset import Dataset
from vaeviz.errors import InputError
from vaeviz.model.collect_inputs import collect_inputs
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


class Pair:
    def encode(self, x):
        return x.reshape(len(x), -1)[:, :2]

    def decode(self, z):
        return np.repeat(z, 8, axis=1)


def data():
    return Dataset(np.ones((6, 4, 4), np.float32), np.arange(6), factors=np.arange(6))


def test_a_data_set_supplies_samples_labels_and_factors():
    found = collect_inputs(Pair(), data(), {})
    assert set(found) == {"encoder", "decoder", "x", "labels", "factors"}


def test_labels_and_factors_are_dropped_with_their_samples():
    others = np.zeros((6, 4, 4), np.float32)
    found = collect_inputs(Pair(), data(), {"x": others})
    assert found["x"] is others
    assert not {"labels", "factors"} & set(found)
    labels = np.arange(6)[::-1]
    assert collect_inputs(Pair(), data(), {"x": others, "labels": labels})["labels"] is labels


def test_a_condition_for_an_unconditional_model_is_an_error():
    with pytest.raises(InputError, match=r"Pair\.encode and Pair\.decode") as caught:
        collect_inputs(Pair(), data(), {"condition": np.arange(6)})
    assert "--condition" in caught.value.fix.command_line
    found = collect_inputs(None, data(), {"decoder": lambda z, y: z, "condition": np.arange(6)})
    assert "condition" in found


def test_the_likelihood_of_a_model_is_never_that_of_another_decoder():
    encoder, decoder = Encoder(lambda x: x), Decoder(lambda z: z, latent_shape=(2,))
    model = Model(encoder, decoder, {"likelihood": "gaussian"})
    assert collect_inputs(model, None, {"decoder": decoder})["likelihood"].decoder.fn is decoder.fn
    other = Decoder(lambda z: 2 * z, latent_shape=(2,))
    assert "likelihood" not in collect_inputs(model, None, {"decoder": other})
    found = collect_inputs(model, None, {"decoder": other, "likelihood": "bernoulli"})
    assert found["likelihood"].decoder.fn is other.fn
