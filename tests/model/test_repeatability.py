"""Parts that sample, or use statistics of the whole batch, cause a warning that says which."""

import warnings

import numpy as np
import pytest

from vaeviz import Decoder, Encoder, GuessWarning, decode, encode

X = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
Z = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)


def noise(values):
    return np.random.default_rng().standard_normal(values.shape)


FUNCTIONS = {
    "steady": (lambda values: values, ""),
    "centered over the batch": (lambda values: values - values.mean(axis=0), "whole batch"),
    "scaled by the batch": (lambda values: values / values.std(axis=0), "whole batch"),
    "ranks in the batch": (lambda values: values.argsort(axis=0) / len(values), "whole batch"),
    "sampled": (lambda values: values + noise(values), "samples"),
}


def encode_with(function):
    return encode(lambda x: function(x[:, :2]), X)


def decode_with(function):
    return decode(lambda z: function(np.repeat(z, 3, axis=1)), Z)


@pytest.mark.parametrize("use", [encode_with, decode_with], ids=["encoder", "decoder"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_depends_on_the_batch_or_on_chance_causes_a_warning(name, use):
    function, finding = FUNCTIONS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use(function)
    guesses = [one.message.message for one in caught if issubclass(one.category, GuessWarning)]
    assert len(guesses) == bool(finding)
    assert all(finding in guess for guess in guesses)


def test_batch_normalization_in_a_function_of_torch_causes_a_warning():
    torch = pytest.importorskip("torch")
    with pytest.warns(GuessWarning, match="whole batch"):
        encode(lambda x: torch.nn.functional.batch_norm(torch.as_tensor(x), None, None, training=True)[:, :2], X)


def test_parts_of_one_batch_size_only_are_not_tried_with_another(recwarn):
    def fixed(values):
        if len(values) != len(X):
            raise ValueError("another size")
        return values[:, :2]

    encode(fixed, X)
    decode(fixed, np.repeat(Z, 3, axis=1)[:, :2])
    sizes = []
    encode(Encoder(lambda x: sizes.append(len(x)) or x[:, :2], batch_size=20), X)
    decode(Decoder(lambda z: sizes.append(len(z)) or z, batch_size=20), Z)
    assert set(sizes) == {20}
    assert not recwarn.list


def test_a_sampled_code_that_rarely_differs_causes_a_warning():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    rare = torch.distributions.Bernoulli(0.03)
    with pytest.warns(GuessWarning, match="samples"):
        encode(lambda x: torch.as_tensor(x[:, :1]) + rare.sample((len(x), 1)), np.repeat(X, 20, axis=0))


def test_an_encoder_that_is_steady_in_a_few_rows_is_not_called_twice_for_all():
    sizes = []

    def fn(values):
        sizes.append(len(values))
        return values[:, :2]

    encode(fn, X)
    assert sizes.count(len(X)) == 1


def test_means_that_depend_on_the_batch_cause_a_warning_beside_a_sampled_code():
    def fn(values):
        mean = values[:, :2] - values[:, :2].mean(axis=0)
        return {"mean": mean, "log_var": 0 * mean, "z": mean + noise(mean)}

    with pytest.warns(GuessWarning, match="whole batch"):
        encode(fn, X)
