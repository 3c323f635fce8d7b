import numpy as np
import pytest
from scipy import integrate, stats

import vaeviz
from vaeviz import Decoder, InputError, Posterior, log_likelihood
from vaeviz.errors import GuessWarning
from vaeviz.model.decoder_likelihood import as_likelihood, decoder_likelihood, find_decoder, warn_of_mean_likelihood

RNG = np.random.default_rng(0)
X, Z = RNG.random((7, 3)), RNG.standard_normal((7, 3))


def probabilities(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bernoulli", (X * np.log(probabilities(Z)) + (1 - X) * np.log(1 - probabilities(Z))).sum(axis=1)),
        ("gaussian", stats.norm.logpdf(X, probabilities(Z)).sum(axis=1)),
        ("gaussian-fixed:0.1", stats.norm.logpdf(X, probabilities(Z), 0.1).sum(axis=1)),
    ],
)
def test_named_likelihoods_are_sums_in_nats(name, expected):
    np.testing.assert_allclose(log_likelihood(decoder_likelihood(probabilities, name), X, Z), expected, rtol=1e-4)


def test_logits_that_are_declared_are_converted():
    logits = decoder_likelihood(Decoder(lambda z: np.asarray(z), output="logits"), "bernoulli")
    np.testing.assert_allclose(logits(X, Z), decoder_likelihood(probabilities, "bernoulli")(X, Z), rtol=1e-4)


def test_extreme_logits_keep_their_precision():
    likelihood = decoder_likelihood(Decoder(lambda z: np.full((len(z), 2), 40), output="logits"), "bernoulli")
    np.testing.assert_allclose(likelihood(np.array([[0, 1]]), Z[:1]), [-40], rtol=1e-6)


def test_logits_that_are_not_declared_are_recognized_once_for_all_batches():
    likelihood = decoder_likelihood(lambda z: np.asarray(z) * 9, "bernoulli")
    declared = decoder_likelihood(Decoder(lambda z: np.asarray(z) * 9, output="logits"), "bernoulli")
    with pytest.warns(GuessWarning) as caught:
        np.testing.assert_allclose(likelihood(X, Z), declared(X, Z))
    assert 'output="logits"' in caught[0].message.fix.python
    inside = np.full((1, 3), 0.05)
    np.testing.assert_allclose(likelihood(X[:1], inside), declared(X[:1], inside))


@pytest.mark.parametrize("name", ["bernoulli", "gaussian"])
def test_the_output_of_the_size_of_a_sample_is_scored(name, recwarn):
    p = np.full((3, 4), 0.25)
    several = decoder_likelihood(lambda z: (np.zeros((len(z), 2)), p), name)
    alone = decoder_likelihood(lambda z: p, name)
    np.testing.assert_array_equal(several(np.ones((3, 4)), np.zeros((3, 1))), alone(np.ones((3, 4)), np.zeros((3, 1))))
    assert not recwarn
    with pytest.warns(GuessWarning, match="2 arrays"):
        decoder_likelihood(lambda z: (p, p / 2), name)(np.ones((3, 4)), np.zeros((3, 1)))


@pytest.mark.parametrize("scale", [1, 1.5])
def test_outputs_that_may_be_logits_or_a_tanh_are_an_error(scale):
    with pytest.raises(InputError) as caught:
        decoder_likelihood(lambda z: scale * np.tanh(z), "bernoulli")(X, Z)
    assert "logits" in caught.value.fix.python and "value_range" in caught.value.fix.python


def test_a_tanh_whose_range_is_declared_is_rescaled():
    likelihood = decoder_likelihood(Decoder(lambda z: np.tanh(z), value_range=(-1, 1)), "bernoulli")
    np.testing.assert_allclose(
        likelihood(X, Z), decoder_likelihood(lambda z: (1 + np.tanh(z)) / 2, "bernoulli")(X, Z), rtol=1e-4
    )


@pytest.mark.parametrize("p", [0.05, 0.4999, 0.5, 0.9])
def test_continuous_bernoulli_integrates_to_one(p):
    likelihood = decoder_likelihood(lambda z: np.full((len(z), 1), p), "continuous-bernoulli")
    total = integrate.quad(lambda x: np.exp(likelihood(np.array([[x]]), np.zeros((1, 2)))[0]), 0, 1)[0]
    assert total == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("is_logits", [True, False])
def test_categorical_accepts_codes_and_one_hot_vectors(is_logits):
    logits = RNG.standard_normal((5, 4, 3)).astype(np.float32)
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    classes = RNG.integers(3, size=(5, 4))
    likelihood = decoder_likelihood(Decoder(lambda z: logits if is_logits else p, output="values"), "categorical")
    expected = np.log(np.take_along_axis(p, classes[..., None], axis=-1)).sum(axis=(1, 2))
    for x in (classes, np.eye(3)[classes]):
        np.testing.assert_allclose(likelihood(x, np.zeros((5, 2))), expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["poisson", "gaussian-fixed:", "gaussian-fixed:-1", "gaussian-fixed:wide"])
def test_other_names_are_errors(name):
    with pytest.raises(InputError) as caught:
        decoder_likelihood(probabilities, name)
    assert caught.value.got == name


def test_bernoulli_needs_values_between_zero_and_one():
    with pytest.raises(InputError) as caught:
        decoder_likelihood(Decoder(lambda z: np.asarray(z) + 5, output="values"), "bernoulli")(X, Z)
    assert "logits" in caught.value.fix.python


@pytest.mark.parametrize("x", [[[0.5]], [[-1]], [[3]], [[[1]]]])
def test_samples_that_are_not_classes_are_an_error(x):
    with pytest.raises(InputError):
        decoder_likelihood(Decoder(lambda z: np.full((1, 1, 3), 1 / 3), output="values"), "categorical")(x, Z[:1])


def test_a_name_uses_the_decoder_of_the_model():
    pair = {"encoder": lambda x: (x, np.zeros_like(x)), "decoder": probabilities}
    expected = decoder_likelihood(probabilities, "bernoulli")(X, Z)
    np.testing.assert_allclose(as_likelihood("bernoulli", pair)(X, Z), expected)
    encoder, _ = vaeviz.open(pair)
    np.testing.assert_allclose(as_likelihood("bernoulli", find_decoder(encoder))(X, Z), expected)
    with pytest.raises(InputError) as caught:
        as_likelihood("bernoulli", None)
    assert "decoder_likelihood" in caught.value.fix.python and "--decoder" in caught.value.fix.command_line


def log_bernoulli(x, z):
    return x * np.log(probabilities(z)) + (1 - x) * np.log(1 - probabilities(z))


MEANS = {
    "bernoulli": lambda x, z: log_bernoulli(x, z).mean(axis=1),
    "gaussian": lambda x, z: stats.norm.logpdf(x, probabilities(z), 0.3).mean(axis=1),
    "squared error": lambda x, z: -((x - probabilities(z)) ** 2).mean(axis=1),
    "half a squared error": lambda x, z: -((x - probabilities(z)) ** 2).mean(axis=1) / 2,
}
SUMS = {
    "bernoulli": lambda x, z: log_bernoulli(x, z).sum(axis=1),
    "gaussian": lambda x, z: stats.norm.logpdf(x, probabilities(z), 0.3).sum(axis=1),
    "squared errors": lambda x, z: -((x - probabilities(z)) ** 2).sum(axis=1),
    "unrelated": lambda x, z: -np.abs(z).sum(axis=1),
}


@pytest.mark.parametrize("name", MEANS)
def test_a_mean_over_the_values_is_flagged(name):
    with pytest.warns(GuessWarning, match=r"\b3\b") as caught:
        warn_of_mean_likelihood(MEANS[name], Decoder(probabilities), X, Posterior(Z))
    assert "sum" in caught[0].message.fix.python


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_over_the_values_is_not_flagged(name, recwarn):
    warn_of_mean_likelihood(SUMS[name], Decoder(probabilities), X, Posterior(Z))
    assert not len(recwarn)


def test_a_mean_of_one_value_is_its_sum(recwarn):
    decoder = Decoder(lambda z: probabilities(z)[:, :1])
    likelihood = lambda x, z: log_bernoulli(x, z[:, :1]).mean(axis=1)  # noqa: E731
    warn_of_mean_likelihood(likelihood, decoder, X[:, :1], Posterior(Z))
    assert not len(recwarn)


def test_bounds_accept_a_named_likelihood():
    from vaeviz.analysis.importance_bound import importance_bound
    from vaeviz.analysis.linear_vae import linear_vae

    model = linear_vae(np.diag([4.0, 2.0, 0.5]), 2, noise=1.0)
    x = RNG.standard_normal((10, 3))
    mean, log_var = model.encode(x)
    posterior = vaeviz.Posterior(mean, np.exp(log_var / 2), "normal")
    decoder = Decoder(model.decode, output="values")
    bound = importance_bound(decoder_likelihood(decoder, "gaussian"), x, posterior, n_draws=5)
    np.testing.assert_allclose(bound.values[:, -1], model.log_evidence(x), atol=1e-3)
