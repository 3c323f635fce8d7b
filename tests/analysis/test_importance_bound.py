"""The linear-Gaussian model x = W z + mu + noise has a posterior and an evidence in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import multivariate_normal

from vaeviz import InputError, NotApplicable, Posterior, log_likelihood
from vaeviz.analysis.importance_bound import (
    effective_size,
    group_bounds,
    group_sizes,
    importance_bound,
    log_mean_exp,
)

LOG_WEIGHTS = arrays(float, (3, 100), elements=st.floats(-50, 50))


@pytest.fixture(scope="module")
def linear():
    """Probabilistic PCA with orthogonal columns, so that its exact posterior has a diagonal covariance."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    eigenvalues, noise = np.array([4.0, 2.0, 1.0]), 0.5
    weight = basis[:, :3] * np.sqrt(eigenvalues - noise)
    covariance = weight @ weight.T + noise * np.eye(6)
    x = rng.multivariate_normal(np.zeros(6), covariance, 40).astype(np.float32)
    mean = x.astype(np.float64) @ weight / eigenvalues

    def likelihood(x, z):
        square = ((x - z.astype(np.float64) @ weight.T) ** 2).sum(axis=1)
        return -0.5 * (square / noise + 6 * np.log(2 * np.pi * noise))

    evidence = multivariate_normal(np.zeros(6), covariance).logpdf(x.astype(np.float64))
    std = np.broadcast_to(np.sqrt(noise / eigenvalues), mean.shape)
    return SimpleNamespace(
        x=x, mean=mean, std=std, exact=Posterior(mean, std, "normal"), likelihood=likelihood, evidence=evidence
    )


def test_every_bound_of_the_exact_posterior_is_the_evidence(linear):
    bound = importance_bound(linear.likelihood, linear.x, linear.exact, n_draws=50)
    np.testing.assert_allclose(bound.values, np.repeat(linear.evidence[:, None], 4, axis=1), atol=2e-5)
    np.testing.assert_allclose(bound.effective, 50, atol=1e-6)
    np.testing.assert_allclose(bound.errors, 0, atol=1e-5)
    assert bound.gain.value == pytest.approx(0, abs=1e-5)


def test_elbo_is_below_the_evidence_by_the_kl_to_the_exact_posterior(linear):
    shift, factor = 0.3, 0.8
    q = Posterior(linear.mean + shift, factor * linear.std, "normal")
    bound = importance_bound(linear.likelihood, linear.x, q, n_draws=2000, max_evaluations=None, seed=1)
    gap = -np.log(factor) + (factor**2 + (shift / linear.std) ** 2) / 2 - 0.5
    np.testing.assert_allclose(bound.elbo.mean(), (linear.evidence - gap.sum(axis=1)).mean(), atol=0.03)
    np.testing.assert_allclose(bound.values[:, 0].mean(), bound.elbo.mean(), atol=0.03)
    np.testing.assert_allclose(bound.mean[-1], linear.evidence.mean(), atol=0.05)
    assert (np.diff(bound.values, axis=1) >= -1e-12).all()


def test_standard_errors_agree_with_the_spread_over_seeds(linear):
    q = Posterior(linear.mean + 0.3, 0.8 * linear.std, "normal")
    bounds = [importance_bound(linear.likelihood, linear.x, q, n_draws=100, seed=seed) for seed in range(12)]
    spread = np.std([bound.values for bound in bounds], axis=0, ddof=1).mean(axis=0)
    errors = np.mean([bound.errors for bound in bounds], axis=(0, 1))
    assert (errors[:-1] / spread[:-1] == pytest.approx(1, abs=0.25)) and 0.5 < errors[-1] / spread[-1] < 1.5


def test_bound_does_not_depend_on_the_number_of_pairs_scored_at_once(linear):
    q = Posterior(linear.mean, linear.std, "normal")
    many, few = (importance_bound(linear.likelihood, linear.x, q, n_draws=10, max_pairs=p).values for p in (100_000, 7))
    np.testing.assert_allclose(many, few, atol=2e-5)


@given(LOG_WEIGHTS)
@settings(max_examples=50, deadline=None)
def test_bounds_rise_with_k_between_mean_and_maximum(log_weights):
    bounds, _ = group_bounds(log_weights, group_sizes(100))
    assert (np.diff(bounds, axis=1) >= -1e-9).all()
    np.testing.assert_allclose(bounds[:, 0], log_weights.mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(bounds[:, -1], log_mean_exp(log_weights))
    assert (bounds[:, -1] <= log_weights.max(axis=1) + 1e-9).all()


@given(LOG_WEIGHTS, st.floats(-1e4, 1e4))
@settings(max_examples=50, deadline=None)
def test_constant_shifts_the_bounds_and_keeps_the_effective_size(log_weights, constant):
    moved, plain = (group_bounds(values, group_sizes(100))[0] for values in (log_weights + constant, log_weights))
    np.testing.assert_allclose(moved, plain + constant, atol=1e-6)
    sizes = effective_size(log_weights)
    assert ((sizes >= 1 - 1e-9) & (sizes <= 100 + 1e-9)).all()
    np.testing.assert_allclose(effective_size(log_weights + constant), sizes, rtol=1e-6)


def test_group_sizes_are_multiples_of_each_other():
    assert group_sizes(5000) == (1, 5, 10, 50, 100, 500, 1000, 5000)
    assert group_sizes(7) == (1, 7)
    assert group_sizes(1) == (1,)
    for count in (12, 250, 300, 640, 1000):
        assert all(b % a == 0 for a, b in zip(group_sizes(count), group_sizes(count)[1:]))


@pytest.mark.parametrize(
    "posterior",
    [
        lambda mean, std: Posterior(mean),
        lambda mean, std: Posterior(mean, std),  # no known prior
        lambda mean, std: Posterior(mean, 0 * std, "normal"),  # infinite KL
    ],
)
def test_bound_needs_gaussian_posteriors_with_a_prior(linear, posterior):
    with pytest.raises(NotApplicable):
        importance_bound(linear.likelihood, linear.x, posterior(linear.mean, linear.std))


def test_cost_is_bounded_and_the_samples_taken_are_named(linear):
    calls = []

    def likelihood(x, z):
        calls.append(len(z))
        return linear.likelihood(x, z)

    bound = importance_bound(likelihood, linear.x, linear.exact, n_draws=50, max_evaluations=500)
    assert sum(calls) == 500 and len(bound.rows) == len(bound.elbo) == 10
    np.testing.assert_allclose(bound.values[:, -1], linear.evidence[bound.rows], atol=2e-5)
    assert bound.to_frame()["row"].tolist() == bound.rows.tolist()
    few = importance_bound(linear.likelihood, linear.x, linear.exact, n_draws=50, max_evaluations=1)
    assert len(few.rows) == 2


def test_bound_needs_an_importance_sample(linear):
    with pytest.raises(InputError) as caught:
        importance_bound(linear.likelihood, linear.x, linear.exact, n_draws=0)
    assert caught.value.got == "n_draws = 0"


def test_error_of_a_single_weight_is_unknown(linear):
    bound = importance_bound(linear.likelihood, linear.x, linear.exact, n_draws=1)
    assert np.isnan(bound.errors).all()


def test_table_has_a_row_for_each_sample(linear):
    bound = importance_bound(linear.likelihood, linear.x, linear.exact, n_draws=5)
    frame = bound.to_frame()
    assert len(frame) == 40
    np.testing.assert_array_equal(frame["L_5"], bound.values[:, -1])


@pytest.mark.parametrize(
    "likelihood",
    [
        lambda x, z: np.zeros((len(x), 6)),
        lambda x, z: np.zeros(3),
        lambda x, z: np.full(len(x), np.nan),
        lambda x, z: 1 / 0,
        3,
    ],
)
def test_invalid_likelihood_is_an_error(linear, likelihood):
    with pytest.raises(InputError, match="likelihood"):
        importance_bound(likelihood, linear.x, linear.exact, n_draws=5)


def test_log_likelihood_has_a_value_for_each_pair(linear):
    np.testing.assert_allclose(
        log_likelihood(linear.likelihood, linear.x, linear.exact), linear.likelihood(linear.x, linear.mean), rtol=1e-5
    )
    with pytest.raises(InputError, match="z"):
        log_likelihood(linear.likelihood, linear.x, linear.mean[:3])


def test_a_vae_has_its_own_likelihood_for_any_shape_of_x():
    torch = pytest.importorskip("torch")
    import vaeviz
    from vaeviz_models import autoencoder, mlp

    vae = mlp((4, 3), latent_dim=2, hidden=(5,))
    x = np.random.default_rng(0).random((6, 4, 3), dtype=np.float32)
    z = np.random.default_rng(1).standard_normal((6, 2)).astype(np.float32)
    with torch.no_grad():
        expected = vae.log_likelihood(torch.from_numpy(x), torch.from_numpy(z)).numpy()
    supplied = vaeviz.open(vae).inputs["likelihood"]
    np.testing.assert_allclose(log_likelihood(supplied, x, z), expected, rtol=1e-6)
    np.testing.assert_allclose(log_likelihood(supplied, x.reshape(6, 12), z), expected, rtol=1e-6)
    assert "likelihood" not in vaeviz.open(autoencoder((4, 3))).inputs


def test_likelihood_receives_spatial_codes_in_their_shape(linear):
    def likelihood(x, z):
        assert z.shape[1:] == (3, 1)
        return linear.likelihood(x, z[:, :, 0])

    spatial = Posterior(linear.mean, linear.std, "normal", code_shape=(3, 1))
    bound = importance_bound(likelihood, linear.x, spatial, n_draws=5)
    np.testing.assert_allclose(bound.values[:, -1], linear.evidence, atol=2e-5)
