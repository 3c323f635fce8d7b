import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import norm

from vaeviz import NotApplicable, Posterior
from vaeviz.analysis import aggregate_posterior as aggregate
from vaeviz.analysis.aggregate_posterior import (
    aggregate_quantiles,
    check_gaussian_posterior,
    grid_density,
    log_aggregate,
    log_aggregate_and_marginals,
    sample_codes,
    sample_rows,
)


def posterior_of(seed, total=40, size=3, *, isotropic=False):
    rng = np.random.default_rng(seed)
    std = np.exp(rng.normal(-1, 0.5, (total, 1 if isotropic else size))) * np.ones(size)
    return Posterior(rng.standard_normal((total, size)), std, "normal")


def densities(z, posterior):
    """(M, N, D) by SciPy, one at a time."""
    mean, std = posterior.mean.astype(float), posterior.std.astype(float)
    return norm.pdf(z[:, None], mean, std)


def test_log_density_of_the_mixture_is_that_of_scipy():
    posterior = posterior_of(0)
    z = np.random.default_rng(1).standard_normal((17, 3))
    each = densities(z, posterior)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    np.testing.assert_allclose(joint, np.log(each.prod(axis=2).mean(axis=1)), atol=1e-9)
    np.testing.assert_allclose(marginals, np.log(each.mean(axis=1)), atol=1e-9)
    np.testing.assert_allclose(log_aggregate(z, posterior), joint, atol=1e-12)


def test_leaving_out_is_a_mixture_of_the_others():
    posterior = posterior_of(0)
    rows = np.array([3, 0, 39])
    z = sample_codes(posterior, rows, np.random.default_rng(0))
    left = log_aggregate(z, posterior, left_out=rows)
    for code, row, score in zip(z, rows, left):
        others = posterior[np.arange(40) != row]
        assert score == pytest.approx(log_aggregate(code[None], others)[0], abs=1e-12)


def test_far_codes_do_not_underflow():
    posterior = Posterior(np.zeros((2, 5)), np.full((2, 5), 0.01), "normal")
    score = log_aggregate(np.full((1, 5), 10.0), posterior)[0]
    std = float(np.float32(0.01))
    assert score == pytest.approx(5 * norm.logpdf(10, 0, std), rel=1e-12)


def test_blocks_change_nothing(monkeypatch):
    posterior = posterior_of(0)
    z = np.random.default_rng(1).standard_normal((17, 3))
    whole = log_aggregate_and_marginals(z, posterior), log_aggregate(z, posterior, left_out=np.arange(17))
    nodes = np.linspace(-2, 2, 9)
    density = grid_density(posterior, (0, 2), (nodes, nodes))
    monkeypatch.setattr(aggregate, "BLOCK_VALUES", 100)
    for after, before in zip(log_aggregate_and_marginals(z, posterior), whole[0]):
        np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(log_aggregate(z, posterior, left_out=np.arange(17)), whole[1])
    np.testing.assert_allclose(grid_density(posterior, (0, 2), (nodes, nodes)), density, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_invariant_under_the_order_of_samples(seed):
    posterior, rng = posterior_of(seed), np.random.default_rng(seed)
    z = rng.standard_normal((5, 3))
    np.testing.assert_allclose(
        log_aggregate(z, posterior[rng.permutation(40)]), log_aggregate(z, posterior), atol=1e-10
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_invariant_under_rotation_of_isotropic_posteriors(seed):
    posterior, rng = posterior_of(seed, isotropic=True), np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    turned = Posterior(posterior.mean @ turn, posterior.std, "normal")
    z = rng.standard_normal((5, 3))
    np.testing.assert_allclose(
        log_aggregate(z @ turn, turned), log_aggregate(z, posterior), atol=1e-4
    )  # means: float32


def test_the_density_on_a_grid_integrates_to_one_and_to_its_marginals():
    posterior = posterior_of(2)
    across, up = np.linspace(-8, 8, 400), np.linspace(-9, 9, 450)
    density = grid_density(posterior, (0, 2), (across, up))
    assert density.shape == (450, 400)
    assert trapezoid(trapezoid(density, across), up) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(trapezoid(density, up, axis=0), grid_density(posterior, (0,), (across,)), atol=1e-6)
    np.testing.assert_allclose(trapezoid(density, across, axis=1), grid_density(posterior, (2,), (up,)), atol=1e-6)


def test_quantiles_are_those_of_the_mixture():
    posterior = posterior_of(3)
    low, high = aggregate_quantiles(posterior, (0.025, 0.975))
    for dim in range(3):
        cdf = [norm.cdf(end[dim], posterior.mean[:, dim], posterior.std[:, dim]).mean() for end in (low, high)]
        np.testing.assert_allclose(cdf, (0.025, 0.975), atol=1e-7)


def test_quantiles_of_a_collapsed_dimension_are_the_prior_s():
    ends = aggregate_quantiles(Posterior(np.zeros((7, 1)), np.ones((7, 1))), (0.025, 0.975))
    np.testing.assert_allclose(ends[:, 0], [-1.959964, 1.959964], atol=1e-6)


def test_quantiles_of_a_deterministic_encoder_are_those_of_its_codes():
    codes = np.arange(101.0)[:, None]
    np.testing.assert_allclose(aggregate_quantiles(Posterior(codes), (0.1, 0.5)), [[10], [50]])


def test_sampled_rows_are_different_and_all_of_them_where_they_are_few():
    posterior = posterior_of(0)
    rows = sample_rows(posterior, 10, np.random.default_rng(0))
    assert len(set(rows)) == 10 and (np.diff(rows) > 0).all()
    assert sample_rows(posterior, 100, np.random.default_rng(0)).tolist() == list(range(40))
    assert len(sample_rows(posterior, None, np.random.default_rng(0))) == 40


@pytest.mark.parametrize(
    "posterior, reason",
    [
        (Posterior(np.zeros((5, 2))), "gives no spread"),
        (Posterior(np.zeros((1, 2)), np.ones((1, 2)), "normal"), "got 1 sample"),
        (
            Posterior(np.zeros((3, 2)), np.array([[1, 1], [1, 0], [1, 1]]), "normal"),
            "infinite.*1 of 3.*dimension 1 of row 1",
        ),
        (Posterior(np.zeros((3, 2)), np.ones((3, 2))), "prior is not known"),
    ],
)
def test_what_is_no_gaussian_posterior_is_refused(posterior, reason):
    with pytest.raises(NotApplicable, match=reason):
        check_gaussian_posterior(posterior)


@pytest.mark.parametrize("left_out", [False, True])
def test_blocks_of_codes_and_of_components_change_nothing(monkeypatch, left_out):
    """Also where the last block is one component, and that is left out."""
    rng = np.random.default_rng(5)
    posterior = Posterior(rng.standard_normal((9, 3)), rng.uniform(0.1, 1, (9, 3)), "normal")
    z, rows = rng.standard_normal((9, 3)), np.arange(9) if left_out else None
    whole = log_aggregate(z, posterior, left_out=rows)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    monkeypatch.setattr("vaeviz.analysis.aggregate_posterior.BLOCK_COMPONENTS", 4)
    monkeypatch.setattr("vaeviz.analysis.aggregate_posterior.BLOCK_VALUES", 8)
    np.testing.assert_allclose(log_aggregate(z, posterior, left_out=rows), whole, rtol=1e-12)
    for blocked, expected in zip(log_aggregate_and_marginals(z, posterior), (joint, marginals)):
        np.testing.assert_allclose(blocked, expected, rtol=1e-12)
