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
    """Return the density of each code under each posterior and dimension by SciPy, shape (M, N, D)."""
    mean, std = posterior.mean.astype(float), posterior.std.astype(float)
    return norm.pdf(z[:, None], mean, std)


def test_log_density_of_the_mixture_agrees_with_scipy():
    posterior = posterior_of(0)
    z = np.random.default_rng(1).standard_normal((17, 3))
    each = densities(z, posterior)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    np.testing.assert_allclose(joint, np.log(each.prod(axis=2).mean(axis=1)), atol=1e-9)
    np.testing.assert_allclose(marginals, np.log(each.mean(axis=1)), atol=1e-9)
    np.testing.assert_allclose(log_aggregate(z, posterior), joint, atol=1e-12)


def test_leaving_a_component_out_gives_the_mixture_of_the_others():
    posterior = posterior_of(0)
    rows = np.array([3, 0, 39])
    z = sample_codes(posterior, rows, np.random.default_rng(0))
    left = log_aggregate(z, posterior, left_out=rows)
    for code, row, score in zip(z, rows, left):
        others = posterior[np.arange(40) != row]
        assert score == pytest.approx(log_aggregate(code[None], others)[0], abs=1e-12)


def test_distant_codes_do_not_underflow():
    posterior = Posterior(np.zeros((2, 5)), np.full((2, 5), 0.01), "normal")
    score = log_aggregate(np.full((1, 5), 10.0), posterior)[0]
    std = float(np.float32(0.01))
    assert score == pytest.approx(5 * norm.logpdf(10, 0, std), rel=1e-12)


def test_scores_do_not_depend_on_the_block_size(monkeypatch):
    posterior = posterior_of(0)
    z = np.random.default_rng(1).standard_normal((17, 3))
    whole = log_aggregate_and_marginals(z, posterior), log_aggregate(z, posterior, left_out=np.arange(17))
    nodes = np.linspace(-2, 2, 9)
    density = grid_density(posterior, (0, 2), (nodes, nodes)).density
    monkeypatch.setattr(aggregate, "MAX_BLOCK_PAIRS", 100)
    for after, before in zip(log_aggregate_and_marginals(z, posterior), whole[0]):
        np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(log_aggregate(z, posterior, left_out=np.arange(17)), whole[1])
    np.testing.assert_allclose(grid_density(posterior, (0, 2), (nodes, nodes)).density, density, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_density_does_not_depend_on_the_order_of_samples(seed):
    posterior, rng = posterior_of(seed), np.random.default_rng(seed)
    z = rng.standard_normal((5, 3))
    np.testing.assert_allclose(
        log_aggregate(z, posterior[rng.permutation(40)]), log_aggregate(z, posterior), atol=1e-10
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_density_of_isotropic_posteriors_does_not_change_under_rotation(seed):
    posterior, rng = posterior_of(seed, isotropic=True), np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    rotated = Posterior(posterior.mean @ rotation, posterior.std, "normal")
    z = rng.standard_normal((5, 3))
    np.testing.assert_allclose(
        log_aggregate(z @ rotation, rotated), log_aggregate(z, posterior), atol=1e-4
    )  # means: float32


def test_density_on_a_grid_integrates_to_one_and_to_its_marginals():
    posterior = posterior_of(2)
    x_nodes, y_nodes = np.linspace(-8, 8, 400), np.linspace(-9, 9, 450)
    grid = grid_density(posterior, (0, 2), (x_nodes, y_nodes))
    density = grid.density
    assert density.shape == (450, 400)
    assert grid.mass == pytest.approx(1, abs=1e-6)
    assert trapezoid(trapezoid(density, x_nodes), y_nodes) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(
        trapezoid(density, y_nodes, axis=0), grid_density(posterior, (0,), (x_nodes,)).density, atol=1e-6
    )
    np.testing.assert_allclose(
        trapezoid(density, x_nodes, axis=1), grid_density(posterior, (2,), (y_nodes,)).density, atol=1e-6
    )


@pytest.mark.parametrize("std", [1e-4, 0.03, 1.0])
@pytest.mark.parametrize("min_cells", [0, 2])
def test_mass_on_a_grid_is_whole_however_narrow_the_posteriors_are(std, min_cells):
    mean = np.random.default_rng(0).normal(0, np.sqrt(1 - min(std, 0.9) ** 2), (2000, 2))
    nodes = np.linspace(-6, 6, 240)
    posterior = Posterior(mean, np.full(mean.shape, std), "normal")
    for dims in ((0,), (0, 1)):
        grid = grid_density(posterior, dims, (nodes,) * len(dims), min_cells=min_cells)
        assert grid.mass == pytest.approx(1, abs=0.01)
        assert grid.density.sum() * (12 / 239) ** len(dims) == pytest.approx(grid.mass)
        assert grid.n_widened == (2000 if min_cells and std < 0.1 else 0)


def test_density_of_the_prior_on_a_grid_is_its_closed_form():
    nodes = np.linspace(-3, 3, 61)
    grid = grid_density(Posterior(np.zeros((5, 2)), np.ones((5, 2)), "normal"), (0, 1), (nodes, nodes), min_cells=2)
    np.testing.assert_allclose(grid.density, np.outer(norm.pdf(nodes), norm.pdf(nodes)), rtol=0.01)
    assert grid.n_widened == 0


def test_a_cell_holds_the_share_of_narrow_posteriors_in_it():
    mean = np.array([[0.02], [-0.03], [0.31], [0.33]])
    nodes = np.linspace(-1, 1, 21)
    grid = grid_density(Posterior(mean, np.full(mean.shape, 1e-6), "normal"), (0,), (nodes,))
    shares = grid.density * 0.1
    assert (shares[10], shares[13]) == pytest.approx((0.5, 0.5)) and shares.sum() == pytest.approx(1)


def test_quantiles_are_those_of_the_mixture():
    posterior = posterior_of(3)
    low, high = aggregate_quantiles(posterior, (0.025, 0.975))
    for dim in range(3):
        cdf = [norm.cdf(end[dim], posterior.mean[:, dim], posterior.std[:, dim]).mean() for end in (low, high)]
        np.testing.assert_allclose(cdf, (0.025, 0.975), atol=1e-7)


def test_quantiles_of_a_collapsed_dimension_are_those_of_the_prior():
    ends = aggregate_quantiles(Posterior(np.zeros((7, 1)), np.ones((7, 1))), (0.025, 0.975))
    np.testing.assert_allclose(ends[:, 0], [-1.959964, 1.959964], atol=1e-6)


def test_quantiles_of_a_deterministic_encoder_are_those_of_its_codes():
    codes = np.arange(101.0)[:, None]
    np.testing.assert_allclose(aggregate_quantiles(Posterior(codes), (0.1, 0.5)), [[10], [50]])


def test_sampled_rows_differ_and_include_all_if_there_are_few():
    posterior = posterior_of(0)
    rows = sample_rows(posterior, 10, np.random.default_rng(0))
    assert len(set(rows)) == 10 and (np.diff(rows) > 0).all()
    assert sample_rows(posterior, 100, np.random.default_rng(0)).tolist() == list(range(40))
    assert len(sample_rows(posterior, None, np.random.default_rng(0))) == 40


@pytest.mark.parametrize(
    "posterior, token",
    [
        (Posterior(np.zeros((5, 2))), "deterministic"),
        (Posterior(np.zeros((1, 2)), np.ones((1, 2)), "normal"), "1 sample"),
        (Posterior(np.zeros((3, 2)), np.array([[1, 1], [1, 0], [1, 1]]), "normal"), "dimension 1 of row 1"),
        (Posterior(np.zeros((3, 2)), np.ones((3, 2))), 'prior="normal"'),
    ],
)
def test_unsuitable_posteriors_do_not_apply(posterior, token):
    with pytest.raises(NotApplicable) as caught:
        check_gaussian_posterior(posterior)
    assert token in str(caught.value)


def test_prior_and_number_of_samples_are_checked_on_request():
    posterior = Posterior(np.zeros((1, 2)), np.ones((1, 2)))
    assert check_gaussian_posterior(posterior, needs_prior=False, min_samples=1) is posterior


@pytest.mark.parametrize("left_out", [False, True])
def test_scores_do_not_depend_on_blocks_of_codes_and_components(monkeypatch, left_out):
    """The last block is a single component, which may be the one that is left out."""
    rng = np.random.default_rng(5)
    posterior = Posterior(rng.standard_normal((9, 3)), rng.uniform(0.1, 1, (9, 3)), "normal")
    z, rows = rng.standard_normal((9, 3)), np.arange(9) if left_out else None
    whole = log_aggregate(z, posterior, left_out=rows)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    monkeypatch.setattr("vaeviz.analysis.aggregate_posterior.MAX_BLOCK_COMPONENTS", 4)
    monkeypatch.setattr("vaeviz.analysis.aggregate_posterior.MAX_BLOCK_PAIRS", 8)
    np.testing.assert_allclose(log_aggregate(z, posterior, left_out=rows), whole, rtol=1e-12)
    for blocked, expected in zip(log_aggregate_and_marginals(z, posterior), (joint, marginals)):
        np.testing.assert_allclose(blocked, expected, rtol=1e-12)
