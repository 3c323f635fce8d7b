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
    "noise from a fixed seed": (lambda values: values + np.random.default_rng(0).random(values.shape), "fixed seed"),
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


def test_rows_that_depend_on_their_neighbors_are_encoded_in_one_batch():
    """An encoder with a window over time fails on fewer rows than its window."""

    def smooth(x):
        return np.stack([np.convolve(column, np.ones(5) / 5, mode="valid") for column in np.pad(x, ((2, 2), (0, 0))).T])

    def windowed(x):
        if len(x) < 5:
            raise ValueError("fewer rows than the window")
        return smooth(x[:, :2]).T

    with pytest.warns(GuessWarning, match=r"vaeviz\.Encoder\(fn, batch_size=len\(x\)\)"):
        encode(windowed, X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(encode(Encoder(windowed, batch_size=len(X)), X).mean, windowed(X), atol=1e-6)


class PassesItsMode:
    """A model whose methods receive the mode, as those of Flax, Haiku and Keras do."""

    def encode(self, x, train=True):
        return x[:, :2] - (x[:, :2].mean(axis=0) if train else 1.0)

    def decode(self, z, *, is_training, deterministic=False):
        assert deterministic
        return np.repeat(z, 3, axis=1) + (np.random.default_rng().random() if is_training else 0)

    def __call__(self, x, training):
        return self.decode(self.encode(x, training), is_training=training, deterministic=True)


def test_a_function_that_receives_its_mode_runs_in_eval_mode():
    model = PassesItsMode()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        posterior = encode(model, X)
        decoded = decode(Decoder(model.decode, output="values"), posterior)
    np.testing.assert_array_equal(posterior.mean, X[:, :2] - 1)
    np.testing.assert_array_equal(decoded, np.repeat(posterior.mean, 3, axis=1))


def test_samples_may_have_the_name_of_a_mode():
    np.testing.assert_array_equal(encode(lambda train: train[:, :2], X).mean, X[:, :2])
