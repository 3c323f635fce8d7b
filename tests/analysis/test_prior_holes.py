import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.aggregate_posterior import log_aggregate, sample_codes
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.analysis.prior_holes import find_holes


def standard(total, size, variance=0.05, seed=0):
    """Return N posteriors of that variance whose mixture is a sample of N(0, I)."""
    means = np.sqrt(1 - variance) * np.random.default_rng(seed).standard_normal((total, size))
    return Posterior(means, np.full((total, size), np.sqrt(variance)), "normal")


@pytest.mark.parametrize("size", [2, 5, 10])
def test_covered_prior_has_one_percent_in_holes_in_every_dimension(size):
    found = find_holes(standard(4000, size), n_codes=1500)
    density = found.scores[0].mass
    assert abs(density.value - 0.01) < 3 * density.standard_error
    assert 0.002 < density.standard_error < 0.009
    assert found.mass.value < 0.035 and not found.flagged and found.covered


@pytest.mark.parametrize("size, naive", [(5, 0.14), (10, 0.93)])
def test_scores_with_their_own_component_call_a_perfect_prior_a_hole(size, naive):
    posterior, rng = standard(4000, size), np.random.default_rng(1)
    rows = np.arange(0, 4000, 4)
    own = log_aggregate(sample_codes(posterior, rows, rng), posterior)
    prior = log_aggregate(rng.standard_normal((1000, size)), posterior)
    assert (prior < np.quantile(own, 0.01)).mean() == pytest.approx(naive, abs=0.06)


def test_optimal_linear_vae_is_not_flagged():
    model = linear_vae(np.diag([4, 2, 1, 0.3, 0.2, 0.1]), 3)
    rng = np.random.default_rng(0)
    mean, log_var = model.encode(rng.standard_normal((3000, 6)) * np.sqrt([4, 2, 1, 0.3, 0.2, 0.1]))
    found = find_holes(Posterior(mean, np.exp(log_var / 2), "normal"), n_codes=1000)
    assert not found.flagged


def test_hole_in_the_middle_is_found_and_measured():
    rng = np.random.default_rng(0)
    means = rng.standard_normal((6000, 2))
    means = means[np.linalg.norm(means, axis=1) > 1]  # no mean within 1 σ, which holds 39.35 % of the prior
    found = find_holes(Posterior(means, np.full(means.shape, 0.05), "normal"))
    assert found.flagged
    radius = np.linalg.norm(found.codes, axis=1)
    assert 1 - np.exp(-(0.75**2) / 2) < found.mass.value < 0.42  # blurred by the posteriors at its edge
    assert found.in_hole[radius < 0.7].all()
    assert found.in_hole[(radius > 1) & (radius < 2)].mean() < 0.02
    assert found.mass.value == pytest.approx(found.in_hole.mean())


def half_empty(means, direction):
    """Reflect means into the half-space where their component along a direction is negative."""
    return means - 2 * np.maximum(means @ direction, 0)[:, None] * direction


@pytest.mark.parametrize("size", [2, *(pytest.param(size, marks=pytest.mark.slow) for size in (10, 20)), 64])
@pytest.mark.parametrize("is_axis", [True, False])
def test_half_empty_prior_is_flagged_in_every_dimension(size, is_axis):
    rng = np.random.default_rng(size)
    direction = np.eye(size)[0] if is_axis else rng.standard_normal(size)
    means = half_empty(rng.standard_normal((1200, size)), direction / np.linalg.norm(direction))
    found = find_holes(Posterior(means, np.full(means.shape, 0.1), "normal"), n_codes=1200)
    assert found.flagged and found.visible_share <= 0.5


def test_what_could_not_be_seen_is_not_covered():
    found = find_holes(standard(120, 64), n_codes=110)
    assert not found.flagged and not found.covered
    assert (found.visible_share, found.unseen) == (1, "half-empty")


@pytest.mark.parametrize(("size", "is_seen"), [(2, True), (20, True), (64, False)])
def test_quarter_empty_prior_is_flagged_or_said_to_be_invisible(size, is_seen):
    rng = np.random.default_rng(size)
    direction, means = rng.standard_normal(size), rng.standard_normal((1200, size))
    direction /= np.linalg.norm(direction)
    along = means @ direction
    means += (special.ndtri(0.75 * special.ndtr(along)) - along)[:, None] * direction
    found = find_holes(Posterior(means, np.full(means.shape, 0.1), "normal"), n_codes=1200)
    assert found.flagged == is_seen and not found.covered
    assert found.unseen == ("" if is_seen else "quarter-empty")


def test_the_most_active_dimensions_are_compared(monkeypatch):
    monkeypatch.setattr("vaeviz.analysis.prior_holes.MAX_COMPARED_DIMS", 2)
    posterior = standard(200, 5)
    posterior.mean[:, [0, 2, 4]] *= 0.01
    found = find_holes(posterior, n_codes=150)
    assert found.density_dims == found.classified_dims == (1, 3)
    assert len(found.scores) == 3 and found.codes.shape == (150, 5)
    marginal = Posterior(posterior.mean[:, [1, 3]], posterior.std[:, [1, 3]], "normal")
    np.testing.assert_allclose(found.scores[0].prior, log_aggregate(found.codes[:, [1, 3]], marginal))


def test_large_mixtures_are_subsampled_so_that_the_cost_is_bounded(monkeypatch):
    monkeypatch.setattr("vaeviz.analysis.prior_holes.MAX_SCORES", 2 * 150 * 400 * 5)
    found = find_holes(standard(1000, 5), n_codes=150)
    assert found.n_posteriors == 400 and len(found.own) == 150
    monkeypatch.setattr("vaeviz.analysis.prior_holes.MAX_SCORES", 1)
    assert find_holes(standard(1000, 5), n_codes=150).n_posteriors == 150  # as many as codes to draw


def test_more_dimensions_than_codes_are_classified_in_part():
    found = find_holes(standard(110, 300), n_codes=100)
    assert len(found.scores) == 3 and len(found.classified_dims) == 50
    assert not found.covered


def test_shifted_and_dependent_codes_leave_the_prior_empty():
    """Codes 21 standard deviations off have log-densities of −10⁹ at the prior, and at their own neighbors."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((600, 4))
    shifted = find_holes(Posterior(means + [21, 0, 0, 0], np.full(means.shape, 1e-4), "normal"), n_codes=500)
    assert shifted.mass.value > 0.99
    means[:, 1] = means[:, 0]
    copied = find_holes(Posterior(means, np.full(means.shape, 0.1), "normal"), n_codes=500)
    assert copied.flagged


def test_standard_error_agrees_with_the_spread_over_seeds(monkeypatch):
    monkeypatch.setattr("vaeviz.analysis.prior_holes._classifier_scores", lambda *_: ())
    posterior = standard(500, 3, variance=0.3)
    found = [find_holes(posterior, n_codes=400, seed=seed).scores[0].mass for seed in range(12)]
    spread = np.std([mass.value for mass in found], ddof=1)
    assert np.mean([mass.standard_error for mass in found]) == pytest.approx(spread, rel=0.35)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100))
def test_scores_do_not_depend_on_the_order_of_samples(seed):
    posterior = standard(60, 2, seed=seed)
    order = np.random.default_rng(seed).permutation(60)
    z = sample_codes(posterior, np.arange(60), np.random.default_rng(1))
    before = log_aggregate(z, posterior, left_out=np.arange(60))
    after = log_aggregate(z[order], posterior[order], left_out=np.arange(60))
    np.testing.assert_allclose(after, before[order], atol=1e-10)


def test_the_same_seed_gives_the_same_numbers():
    first, second = (find_holes(standard(300, 2), n_codes=200, seed=7) for _ in range(2))
    assert first.mass == second.mass
    np.testing.assert_array_equal(first.prior, second.prior)


def test_level_is_a_share_and_two_codes_are_the_least():
    with pytest.raises(InputError, match=r"level\b.*1\.5"):
        find_holes(standard(50, 2), level=1.5)
    with pytest.raises(InputError) as caught:
        find_holes(standard(50, 2), n_codes=1)
    assert (caught.value.got, caught.value.expected) == ("1", "2 or more")


def test_holes_need_gaussian_posteriors():
    with pytest.raises(NotApplicable):
        find_holes(Posterior(np.zeros((5, 2))))


def test_table_has_a_row_for_each_prior_sample():
    found = find_holes(standard(300, 2), n_codes=100)
    frame = found.to_frame()
    assert frame.columns.tolist() == ["z1", "z2", "density", "additive_classifier", "quadratic_classifier", "in_hole"]
    assert frame["in_hole"].mean() == pytest.approx(found.mass.value)
