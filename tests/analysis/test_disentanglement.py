import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.disentanglement import (
    codes_for_scores,
    dci_scores,
    discretize,
    disentanglement,
    factor_vae_score,
    feature_importances,
    information_gap,
    mutual_information,
    squared_correlation,
)

GRID = np.array(list(itertools.product(range(5), range(4), range(3))), dtype=float)
RNG = np.random.default_rng(0)


def mig(codes, factors=GRID):
    return information_gap(mutual_information(codes, factors))


def test_mig_of_a_one_to_one_code_is_one_and_of_a_duplicated_code_zero():
    assert mig(GRID) == pytest.approx(1)
    assert mig(GRID[:, [2, 0, 1]] * -7) == pytest.approx(1)
    assert mig(np.hstack([GRID, GRID])) == pytest.approx(0)


def test_mig_of_independently_sampled_factors_is_less():
    factors = np.stack([RNG.integers(10, size=500) for _ in range(3)], axis=1)
    assert mig(factors, factors) == pytest.approx(0.96, abs=0.02)


def test_sap_of_a_one_to_one_code_is_one_and_of_a_duplicated_code_zero():
    assert information_gap(squared_correlation(GRID, GRID)) == pytest.approx(1)
    assert information_gap(squared_correlation(np.hstack([GRID, GRID]), GRID)) == pytest.approx(0)


@given(st.permutations(range(4)))
def test_dci_of_a_permutation_is_one(order):
    assert dci_scores(np.eye(4)[list(order)]) == pytest.approx((1, 1))


def test_dci_of_uniform_importance_is_zero_and_of_nothing_too():
    assert dci_scores(np.ones((3, 4))) == pytest.approx((0, 0), abs=1e-12)
    assert dci_scores(np.zeros((3, 4))) == (0, 0)
    assert dci_scores(np.repeat(np.eye(2), 2, axis=0)) == pytest.approx((1, 0.5))


@given(arrays(float, (4, 3), elements=st.floats(0, 1)))
def test_dci_lies_between_zero_and_one(importance):
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in dci_scores(importance))


@given(st.permutations(range(3)), st.permutations(range(3)))
@settings(deadline=None, max_examples=20)
def test_scores_do_not_depend_on_the_order_of_dimensions_and_factors(dims, factors):
    codes = discretized_all(GRID @ np.array([[1, 0.2, 0], [0, 1, 0.3], [0.5, 0, 1]]))
    for matrix in (mutual_information, squared_correlation):
        assert information_gap(matrix(codes[:, dims], GRID[:, factors])) == pytest.approx(
            information_gap(matrix(codes, GRID))
        )


def discretized_all(codes):
    return np.stack([discretize(column, 20) for column in codes.T], axis=1)


def test_trees_find_which_dimension_stands_for_which_factor():
    factors = RNG.random((300, 2))
    importance, predicted = feature_importances(
        np.column_stack([factors[:, 1], RNG.random(300), factors[:, 0]]), factors
    )
    assert importance.argmax(axis=0).tolist() == [2, 0]
    assert (predicted > 0.95).all()


def test_the_factor_vae_score_of_a_one_to_one_code_is_one_and_of_noise_near_chance():
    assert factor_vae_score(GRID, GRID) == (1, 0)
    accuracy, error = factor_vae_score(RNG.standard_normal((600, 3)), RNG.integers(5, size=(600, 3)))
    assert 0.2 < accuracy < 0.6 and error == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 400))


def test_the_scores_of_a_good_code_stand_far_above_independence_and_those_of_noise_do_not():
    factors = RNG.random((300, 2))
    good = disentanglement(factors[:, ::-1] + 0.01 * RNG.standard_normal((300, 2)), factors, bins=10)
    noise = disentanglement(RNG.standard_normal((300, 2)), factors, bins=10)
    for score in good.scores:
        assert score.value > score.null + 0.3 and score.value > 0.6, score
        assert np.isfinite([score.error, score.null]).all()
    for score in noise.scores:
        assert abs(score.value - score.null) < 0.2, score
    assert good.information.argmax(axis=0).tolist() == good.importance.argmax(axis=0).tolist() == [1, 0]


def test_masked_and_constant_dimensions_take_no_part():
    factors = GRID[np.repeat(np.arange(60), 2)]
    codes = np.column_stack([factors, RNG.standard_normal(120), np.zeros(120)])
    found = disentanglement(codes, factors, np.array([True, True, True, False, True]))
    assert found.active.tolist() == [True, True, True, False, False]
    assert np.isnan(found.information[3:]).all() and np.isnan(found.importance[3:]).all()
    assert found.scores[0].value == pytest.approx(1)


def test_few_values_keep_their_identity_and_many_are_binned():
    assert discretize(np.array([3.0, 1.0, 100.0, 1.0]), 3).tolist() == [1, 0, 2, 0]
    assert np.bincount(discretize(np.arange(0.5, 100), 10)).tolist() == [10] * 10


def test_samples_of_the_posterior_or_its_means():
    posterior = Posterior(np.zeros((4000, 2)), np.full((4000, 2), 0.5))
    assert (codes_for_scores(posterior, "means", 0) == 0).all()
    assert codes_for_scores(posterior, "samples", 0).std() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(NotApplicable, match="deterministic"):
        codes_for_scores(Posterior(np.zeros((4, 2))), "samples", 0)


@pytest.mark.parametrize(
    ("codes", "factors", "error", "told"),
    [
        (GRID, GRID[:5], InputError, r"factors: got float64 of shape \(5, 3\), expected numbers \(60, K\)"),
        (GRID, GRID.astype(str), InputError, "expected numbers"),
        (GRID, np.full_like(GRID, np.nan), InputError, "NaN"),
        (GRID, np.ones((60, 1)), NotApplicable, "factor 0 has one value only"),
        (np.zeros_like(GRID), GRID, NotApplicable, "no dimension carries information"),
    ],
)
def test_factors_that_cannot_be_scored(codes, factors, error, told):
    with pytest.raises(error, match=told):
        disentanglement(codes, factors)
