from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import vaeviz
from vaeviz.analysis.importance_bound import effective_size, group_bounds, group_sizes
from vaeviz.analysis.linear_vae import fitted_linear_vae, linear_vae
from vaeviz.analysis.rate_distortion import measure_rate_point
from vaeviz.errors import InputError

EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def x():
    """(5000, 6) samples whose covariance has exactly those eigenvalues."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((5000, 6))
    white = (white - white.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T, bias=True))).T
    basis, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    return 0.5 + white * np.sqrt(EIGENVALUES) @ basis.T


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("noise", [None, 0.25])
def test_closed_forms_agree_with_the_samples(x, beta, noise):
    model = fitted_linear_vae(x, 4, noise=noise, beta=beta)
    mean, log_var = model.encode(x)
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)
    near = {"rtol": 0, "atol": 1e-9}
    np.testing.assert_allclose(model.eigenvalues, EIGENVALUES, **near)
    np.testing.assert_allclose(kl.mean(axis=0), model.kl, **near)
    np.testing.assert_allclose(mean.var(axis=0), model.mean_variance, **near)
    np.testing.assert_allclose(np.exp(log_var[0]), model.posterior_variance, **near)
    np.testing.assert_allclose(model.log_evidence(x).mean(), model.mean_log_likelihood, **near)
    at_mean = model.log_likelihood(x, mean).mean()  # and the spread of z costs tr(WᵀW Σ) / 2σ²
    spread = (model.weights**2 * model.posterior_variance).sum() / (2 * model.noise)
    np.testing.assert_allclose(at_mean - spread, -model.distortion, **near)


def test_active_dimensions_are_those_above_the_cutoff(x):
    model = fitted_linear_vae(x, 4, noise=0.5, beta=3)
    assert model.active.tolist() == [True, True, False, False]
    np.testing.assert_allclose(model.kl, 0.5 * np.log([4 / 1.5, 2 / 1.5, 1, 1]))


def test_bound_is_tight_for_every_sample_at_beta_1(x):
    model = fitted_linear_vae(x, 3)
    mean, log_var = model.encode(x)
    z = mean + np.exp(log_var / 2) * np.random.default_rng(1).standard_normal(mean.shape)
    log_prior = -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1)
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi)).sum(axis=1)
    log_weight = model.log_likelihood(x, z) + log_prior - log_q
    np.testing.assert_allclose(log_weight, model.log_evidence(x), atol=1e-9)  # no variance at all
    assert model.elbo == pytest.approx(model.mean_log_likelihood, abs=1e-9)
    assert model.noise == pytest.approx(0.2)
    tipping = -0.5 * (6 * np.log(2 * np.pi) + np.log([4, 2, 1]).sum() + 3 * np.log(0.2) + 6)
    assert model.elbo == pytest.approx(tipping, abs=1e-9)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_bound_is_not_tight_away_from_beta_1(x, beta):
    model = fitted_linear_vae(x, 3, noise=0.2, beta=beta)
    assert model.elbo < model.mean_log_likelihood - 0.01


@pytest.mark.parametrize("beta", [0.7, 1.0, 2.5])
def test_slope_of_rate_over_distortion_is_minus_one_over_beta(x, beta):
    near, far = (fitted_linear_vae(x, 3, noise=0.2, beta=beta * change) for change in (1 - 1e-5, 1 + 1e-5))
    slope = (far.rate - near.rate) / (far.distortion - near.distortion)
    assert slope == pytest.approx(-1 / beta, rel=1e-6)


@pytest.mark.parametrize("beta", [0.8, 2.0])
def test_perturbed_weights_are_worse(x, beta):
    model = fitted_linear_vae(x, 2, noise=0.4, beta=beta)

    def objective(weights, encoder, variance):
        covariance = np.cov(x.T, bias=True)
        left = np.eye(6) - weights @ encoder
        distortion = (np.trace(left @ covariance @ left.T) + (weights**2 * variance).sum()) / (2 * model.noise)
        means = np.diag(encoder @ covariance @ encoder.T)
        return distortion + model.beta * 0.5 * (means + variance - 1 - np.log(variance)).sum()

    encoder = (model.weights / (model.cutoff * model.gain)).T
    best = objective(model.weights, encoder, model.posterior_variance)
    rng = np.random.default_rng(0)
    for _ in range(50):
        nudged = [part + 0.01 * rng.standard_normal(part.shape) for part in (model.weights, encoder)]
        assert objective(*nudged, model.posterior_variance * np.exp(0.01 * rng.standard_normal(2))) > best


def test_linear_vae_can_be_opened_as_a_model(x):
    model = fitted_linear_vae(x, 3)
    encoder, decoder = vaeviz.open(model)
    posterior = vaeviz.encode(encoder, x)
    assert posterior.prior == "normal"
    np.testing.assert_allclose(posterior.kl().mean(axis=0), model.kl, atol=1e-6)
    np.testing.assert_allclose(vaeviz.decode(decoder, posterior), model.decode(posterior.mean), atol=1e-6)


@pytest.mark.parametrize(
    ("build", "got"),
    [
        (lambda: linear_vae(np.ones((2, 3)), 1), "shape (2, 3)"),
        (lambda: linear_vae(np.eye(2), 3), "latent_dim = 3"),
        (lambda: linear_vae(np.eye(2), 2), "noise = 0, beta = 1"),
        (lambda: fitted_linear_vae(np.ones((1, 3)), 1), "shape (1, 3)"),
    ],
)
def test_invalid_arguments_are_errors(build, got):
    with pytest.raises(InputError) as caught:
        build()
    assert caught.value.got == got


@pytest.mark.parametrize("noise", [None, 0.25, 1.5])
def test_properties_agree_with_the_eigenvalues(x, noise):
    """KL of each dimension, active units, rate, distortion and ELBO = ln p(x), computed from the eigenvalues."""
    model = fitted_linear_vae(x, 4, noise=noise)
    variance = EIGENVALUES[4:].mean() if noise is None else noise
    kept = EIGENVALUES[:4][EIGENVALUES[:4] > variance]
    near = {"rel": 0, "abs": 1e-9}
    np.testing.assert_allclose(model.kl, 0.5 * np.log(np.maximum(EIGENVALUES[:4] / variance, 1)), atol=1e-9)
    assert model.active.sum() == (model.mean_variance > 0).sum() == len(kept)
    assert model.rate == pytest.approx(0.5 * np.log(kept / variance).sum(), **near)
    left = len(kept) * variance + EIGENVALUES[len(kept) :].sum()
    distortion = 3 * np.log(2 * np.pi * variance) + left / (2 * variance)
    assert model.distortion == pytest.approx(distortion, **near)
    assert model.elbo == pytest.approx(-model.rate - distortion, **near)
    covariance = model.weights @ model.weights.T + variance * np.eye(6)
    evidence = multivariate_normal(x.mean(axis=0), covariance).logpdf(x)
    np.testing.assert_allclose(model.log_evidence(x), evidence, atol=1e-9)
    assert model.elbo == pytest.approx(evidence.mean(), **near)


def test_importance_weighted_bounds_are_the_evidence_and_weights_are_equal(x):
    model, x = fitted_linear_vae(x, 3), x[:200]
    mean, log_var = model.encode(x)
    std = np.exp(log_var / 2)[:, None]
    z = mean[:, None] + std * np.random.default_rng(2).standard_normal((200, 100, 3))
    scores = model.log_likelihood(np.repeat(x, 100, axis=0), z.reshape(-1, 3)).reshape(200, 100)
    ratio = norm.logpdf(z).sum(axis=2) - norm.logpdf(z, mean[:, None], std).sum(axis=2)
    bounds, errors = group_bounds(scores + ratio, group_sizes(100))
    np.testing.assert_allclose(bounds, np.repeat(model.log_evidence(x)[:, None], 5, axis=1), atol=1e-9)
    np.testing.assert_allclose(errors, 0, atol=1e-7)  # the root of a rounding error
    np.testing.assert_allclose(effective_size(scores + ratio), 100, atol=1e-9)


def test_analysis_agrees_with_the_closed_form(x):
    """Opened as a model, with float32 codes: KL, active units, rate and distortion, and the bounds."""
    model, x = fitted_linear_vae(x, 4, noise=0.25, beta=2.0), x.astype(np.float32)
    opened = vaeviz.open(model)
    posterior = vaeviz.encode(opened.encoder, x)
    np.testing.assert_allclose(posterior.kl().mean(axis=0), model.kl, atol=1e-6)
    np.testing.assert_allclose(posterior.mean.var(axis=0, dtype=float), model.mean_variance, atol=1e-6)
    assert vaeviz.triage(posterior, opened.decoder, x).count("active") == model.active.sum() == 3
    point = measure_rate_point(replace(opened, inputs={"likelihood": model.log_likelihood}), x, n_draws=20)
    assert point.rate == pytest.approx(model.rate, abs=1e-6)
    assert abs(point.distortion - model.distortion) < 4 * point.distortion_error
