"""Properties that hold for all codes: invariances and bounds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy, ortho_group

from vaeviz import Posterior, elbo_terms, find_holes, triage
from vaeviz.analysis.aggregate_posterior import aggregate_quantiles, log_aggregate_and_marginals
from vaeviz.analysis.class_structure import class_structure
from vaeviz.analysis.disentanglement import discretize, explained_shares, information_gap, mutual_information
from vaeviz.analysis.factors import as_factors
from vaeviz.analysis.importance_bound import effective_size, group_bounds, log_mean_exp
from vaeviz.analysis.reconstruction import reconstruction_errors

SEEDS = st.integers(0, 1000)
FEW = settings(max_examples=15, deadline=None)
FEWER = settings(max_examples=6, deadline=None)  # where an example takes a tenth of a second


def posterior_of(seed, total=30, size=3):
    rng = np.random.default_rng(seed)
    return Posterior(rng.normal(0, 1.5, (total, size)), np.exp(rng.normal(-0.5, 0.7, (total, size))), "normal")


@given(SEEDS)
@FEW
def test_kl_is_positive_and_zero_only_for_the_prior(seed):
    posterior = posterior_of(seed)
    assert (posterior.kl() > 0).all()
    assert (Posterior(0 * posterior.mean, 1 + 0 * posterior.std, "normal").kl() == 0).all()


@given(SEEDS)
@FEW
def test_rotation_keeps_the_kl_of_isotropic_posteriors(seed):
    posterior = posterior_of(seed)
    spread = np.repeat(posterior.std[:, :1], 3, axis=1)
    rotated = posterior.mean @ ortho_group.rvs(3, random_state=seed)
    before, after = (Posterior(mean, spread, "normal").kl().sum(axis=1) for mean in (posterior.mean, rotated))
    np.testing.assert_allclose(after, before, rtol=1e-5)


@given(SEEDS, st.permutations(range(3)))
@FEW
def test_densities_follow_the_order_and_signs_of_the_dimensions(seed, order):
    posterior, signs = posterior_of(seed), np.array([1, -1, -1], np.float32)
    z = np.random.default_rng(seed).standard_normal((20, 3))
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    moved = Posterior((signs * posterior.mean)[:, order], posterior.std[:, order], "normal")
    same, along = log_aggregate_and_marginals((signs * z)[:, order], moved)
    np.testing.assert_allclose(same, joint, atol=1e-10)
    np.testing.assert_allclose(along, marginals[:, order], atol=1e-10)


@given(SEEDS, st.floats(0.2, 5), st.floats(-3, 3))
@FEW
def test_quantiles_increase_and_follow_a_shift_and_a_scale(seed, scale, shift):
    posterior, levels = posterior_of(seed), (0.01, 0.1, 0.5, 0.9, 0.99)
    quantiles = aggregate_quantiles(posterior, levels)
    assert (np.diff(quantiles, axis=0) > 0).all()
    moved = Posterior(scale * posterior.mean + shift, scale * posterior.std, "normal")
    np.testing.assert_allclose(aggregate_quantiles(moved, levels), scale * quantiles + shift, atol=1e-4)


@given(SEEDS)
@FEW
def test_information_is_below_its_ceiling_and_divergences_are_positive(seed):
    terms = elbo_terms(posterior_of(seed, total=200), seed=seed)
    assert -3 * terms.mutual_information.standard_error < terms.mutual_information.value <= terms.ceiling
    assert terms.total_correlation.value > -3 * terms.total_correlation.standard_error
    assert (terms.dimension_kl > -4 * terms.dimension_kl_error).all()


def test_information_ceiling_of_mnist():
    """ln 60,000 = 11.0021 nats."""
    collapsed = Posterior(np.zeros((60_000, 1)), np.ones((60_000, 1)), "normal")
    assert elbo_terms(collapsed, n_codes=2).ceiling == pytest.approx(11.0021, abs=5e-5)


@given(SEEDS, st.lists(st.floats(0.001, 0.5), min_size=2, max_size=4, unique=True))
@FEWER
def test_mass_in_holes_is_a_share_that_grows_with_the_level(seed, levels):
    masses = [find_holes(posterior_of(seed), n_codes=60, level=level, seed=seed).mass.value for level in sorted(levels)]
    assert all(0 <= mass <= 1 for mass in masses)
    assert masses == sorted(masses)


@given(SEEDS, st.permutations(range(3)))
@FEW
def test_triage_follows_the_order_of_the_dimensions(seed, order):
    posterior, weights = posterior_of(seed), np.array([[1.0], [0.0], [0.3]])

    def decoder(z):
        return 1 / (1 + np.exp(-z @ weights))

    found = triage(posterior, decoder, n_samples=20, seed=seed)
    order = list(order)
    moved = Posterior(posterior.mean[:, order], posterior.std[:, order], "normal")
    rotated = triage(moved, lambda z: decoder(z[:, np.argsort(order)]), n_samples=20, seed=seed)
    assert rotated.status.tolist() == found.status[order].tolist()
    np.testing.assert_allclose(rotated.effect, found.effect[order], atol=1e-6)


@given(arrays(float, (2, 6), elements=st.floats(-30, 30)))
@FEW
def test_bound_rises_with_k_in_expectation_over_all_subsets(log_weights):
    """L_k over every subset of k of the same weights, for every k (Burda et al. 2016, theorem 1)."""
    bounds = [
        np.mean([log_mean_exp(log_weights[:, list(subset)]) for subset in itertools.combinations(range(6), k)], axis=0)
        for k in range(1, 7)
    ]
    assert (np.diff(bounds, axis=0) >= -1e-9).all()


@given(arrays(float, (3, 20), elements=st.floats(-30, 30)), SEEDS)
@FEW
def test_whole_bound_and_effective_size_do_not_depend_on_the_order_of_samples(log_weights, seed):
    shuffled = np.random.default_rng(seed).permuted(log_weights, axis=1)
    for statistic in (lambda w: group_bounds(w, (1, 20))[0], effective_size):
        np.testing.assert_allclose(statistic(shuffled), statistic(log_weights), rtol=1e-9, atol=1e-9)


@given(SEEDS)
@FEW
def test_errors_are_positive_and_do_not_depend_on_the_order_of_pixels(seed):
    rng = np.random.default_rng(seed)
    x, p = rng.random((2, 5, 4, 3)).astype(np.float32)
    order = rng.permutation(12)
    for measure in ("squared", "absolute", "cross-entropy"):
        errors = reconstruction_errors(x, p, measure)
        moved = reconstruction_errors(x.reshape(5, 12)[:, order], p.reshape(5, 12)[:, order], measure)
        np.testing.assert_allclose(moved, errors, rtol=1e-6)
        assert (errors >= 0).all()
    least = entropy(np.stack([x, 1 - x]), axis=0).sum(axis=(1, 2))  # reached where p is x itself
    assert (reconstruction_errors(x, p, "cross-entropy") >= least - 1e-6).all()
    np.testing.assert_allclose(reconstruction_errors(x, x, "cross-entropy"), least, rtol=1e-5)


@given(SEEDS)
@FEW
def test_scores_are_between_zero_and_one_and_do_not_depend_on_scale_or_sign(seed):
    rng = np.random.default_rng(seed)
    codes, factors = rng.standard_normal((80, 3)), rng.integers(0, 4, (80, 2))
    scaled, known = codes * np.array([-3.0, 0.1, 7]) + 5, as_factors(factors, 80)

    def scores(of):
        binned = np.stack([discretize(column, 8) for column in of.T], axis=1)
        return information_gap(mutual_information(binned, factors)), information_gap(explained_shares(of, known))

    assert all(0 <= score <= 1 for score in scores(codes))
    assert scores(scaled)[1] == pytest.approx(scores(codes)[1], abs=1e-9)
    shares = mutual_information(np.stack([discretize(column, 8) for column in codes.T], axis=1), factors)
    assert ((shares >= -1e-12) & (shares <= 1 + 1e-12)).all()


@given(SEEDS)
@FEW
def test_accuracies_are_shares_and_silhouettes_are_between_minus_one_and_one(seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, 40)
    found = class_structure(rng.standard_normal((40, 2)), classes, (1, 3, 7))
    assert ((found.accuracy >= 0) & (found.accuracy <= 1)).all()
    assert (np.abs(found.silhouettes) <= 1).all()
    present = np.isin(np.arange(len(found.confusion)), classes)
    np.testing.assert_allclose(found.confusion[present].sum(axis=1), 1)
