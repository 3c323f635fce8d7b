import numpy as np
import pytest
from scipy import integrate, stats

import vaeviz
from vaeviz import Decoder, InputError, log_likelihood
from vaeviz.model.decoder_likelihood import decoder_likelihood

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
