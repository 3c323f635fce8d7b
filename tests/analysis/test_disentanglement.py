import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mutual_info_score

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.disentanglement import (
    codes_for_scores,
    dci_scores,
    discretize,
    disentanglement,
    explained_shares,
    factor_vae_score,
    feature_importances,
    information_gap,
    mutual_information,
)
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.factors import as_factors
from vaeviz.analysis.subsampling import subsample_rows

GRID = np.array(list(itertools.product(range(5), range(4), range(3))), dtype=float)
GRID_FACTORS = as_factors(GRID, 60)
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _light_forests(monkeypatch):
    """Compute the scores with little effort, where their precision does not matter."""
    for name, count in {"N_TREES": 15, "N_SHUFFLES": 2}.items():
        monkeypatch.setattr(f"vaeviz.analysis.disentanglement.{name}", count)


def mig(codes, factors=GRID):
    return information_gap(mutual_information(discretize_columns(codes), discretize_columns(factors)))


def test_mutual_information_is_that_of_scikit_learn():
    code, factor = RNG.integers(5, size=300), RNG.integers(4, size=300)
    factor[:200] = code[:200] % 4
    expected = mutual_info_score(code, factor) / mutual_info_score(factor, factor)
    assert mutual_information(code[:, None], factor[:, None]) == pytest.approx(expected)
    factor[::3] = -1  # missing
    known = factor >= 0
    expected = mutual_info_score(code[known], factor[known]) / mutual_info_score(factor[known], factor[known])
    assert mutual_information(code[:, None], factor[:, None]) == pytest.approx(expected)


def test_many_dimensions_are_scored_where_they_vary_most(monkeypatch):
    monkeypatch.setattr("vaeviz.analysis.disentanglement.MAX_SCORED_DIMS", 2)
    codes = RNG.standard_normal((60, 4)) * [1, 5, 0.1, 3]
    found = disentanglement(codes, GRID[:, :1])
    assert found.active.tolist() == [False, True, False, True]
    assert np.isnan(found.information[[0, 2]]).all() and np.isfinite(found.information[[1, 3]]).all()


def test_mig_of_a_one_to_one_code_is_one_and_of_a_duplicated_code_zero():
    assert mig(GRID) == pytest.approx(1)
    assert mig(GRID[:, [2, 0, 1]] * -7) == pytest.approx(1)
    assert mig(np.hstack([GRID, GRID])) == pytest.approx(0)


def test_mig_of_independently_sampled_factors_is_less():
    factors = np.stack([RNG.integers(10, size=500) for _ in range(3)], axis=1)
    assert mig(factors, factors) == pytest.approx(0.96, abs=0.02)


def test_sap_of_a_one_to_one_code_is_one_and_of_a_duplicated_code_zero():
    assert information_gap(explained_shares(GRID, GRID_FACTORS)) == pytest.approx(1)
    assert information_gap(explained_shares(np.hstack([GRID, GRID]), GRID_FACTORS)) == pytest.approx(0)


@given(st.permutations(range(4)))
def test_dci_of_a_permutation_is_one(order):
    assert dci_scores(np.eye(4)[list(order)]) == pytest.approx((1, 1))


def test_dci_of_uniform_or_zero_importance_is_zero():
    assert dci_scores(np.ones((3, 4))) == pytest.approx((0, 0), abs=1e-12)
    assert dci_scores(np.zeros((3, 4))) == (0, 0)
    assert dci_scores(np.repeat(np.eye(2), 2, axis=0)) == pytest.approx((1, 0.5))


@given(arrays(float, (4, 3), elements=st.floats(0, 1)))
def test_dci_is_between_zero_and_one(importance):
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in dci_scores(importance))


@given(st.permutations(range(3)), st.permutations(range(3)))
@settings(deadline=None, max_examples=20)
def test_scores_do_not_depend_on_the_order_of_dimensions_and_factors(dims, factors):
    codes = discretize_columns(GRID @ np.array([[1, 0.2, 0], [0, 1, 0.3], [0.5, 0, 1]]))
    assert mig(codes[:, dims], GRID[:, factors]) == pytest.approx(mig(codes))
    shares = explained_shares(codes[:, dims], [GRID_FACTORS[place] for place in factors])
    assert information_gap(shares) == pytest.approx(information_gap(explained_shares(codes, GRID_FACTORS)))


def discretize_columns(codes):
    return np.stack([discretize(column, 20) for column in codes.T], axis=1)


def test_trees_find_the_dimension_of_each_factor():
    factors = RNG.random((300, 2))
    importance, predicted = feature_importances(
        np.column_stack([factors[:, 1], RNG.random(300), factors[:, 0]]), as_factors(factors, 300)
    )
    assert importance.argmax(axis=0).tolist() == [2, 0]
    assert (predicted > 0.95).all()


def test_masked_values_of_factors_are_missing():
    known, few = as_factors(np.ma.masked_equal([[0, 5], [1, 5], [2, 7]], 7), 3)
    assert (known.codes.tolist(), few.codes.tolist()) == ([0, 1, 2], [0, 0, -1])


def test_factor_vae_score_is_one_for_a_one_to_one_code_and_near_chance_for_noise():
    assert factor_vae_score(GRID, GRID) == Estimate(1, 0)
    noise = factor_vae_score(RNG.standard_normal((600, 3)), RNG.integers(5, size=(600, 3)))
    assert 0.2 < noise.value < 0.6
    assert noise.standard_error == pytest.approx(np.sqrt(noise.value * (1 - noise.value) / 400))


def test_scores_of_a_good_code_exceed_those_of_shuffled_factors_and_those_of_noise_do_not():
    factors = RNG.random((300, 2))
    good = disentanglement(factors[:, ::-1] + 0.01 * RNG.standard_normal((300, 2)), factors, n_bins=10)
    noise = disentanglement(RNG.standard_normal((300, 2)), factors, n_bins=10)
    for score in good.scores:
        assert score.value > score.null + 0.3 and score.value > 0.6, score
        assert np.isfinite([score.standard_error, score.null]).all()
    for score in noise.scores:
        assert abs(score.value - score.null) < 0.2, score
    assert good.information.argmax(axis=0).tolist() == good.importance.argmax(axis=0).tolist() == [1, 0]


def test_inactive_and_constant_dimensions_are_not_scored(few_trees):
    factors = GRID[np.repeat(np.arange(60), 2)]
    codes = np.column_stack([factors, RNG.standard_normal(120), np.zeros(120)])
    found = disentanglement(codes, factors, np.array([True, True, True, False, True]))
    assert found.active.tolist() == [True, True, True, False, False]
    assert np.isnan(found.information[3:]).all() and np.isnan(found.importance[3:]).all()
    assert found.scores[0].value == pytest.approx(1)


def test_few_values_stay_distinct_and_many_are_binned():
    assert discretize(np.array([3.0, 1.0, 100.0, 1.0]), 3).tolist() == [1, 0, 2, 0]
    assert np.bincount(discretize(np.arange(0.5, 100), 10)).tolist() == [10] * 10


def test_codes_are_posterior_means_or_samples():
    posterior = Posterior(np.zeros((4000, 2)), np.full((4000, 2), 0.5))
    assert (codes_for_scores(posterior, "means", 0) == 0).all()
    assert codes_for_scores(posterior, "samples", 0).std() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(NotApplicable):
        codes_for_scores(Posterior(np.zeros((4, 2))), "samples", 0)


@pytest.mark.parametrize("factors", [GRID[:5], np.zeros((60, 2, 2)), np.where(GRID > 3, np.inf, GRID)])
def test_factors_are_rows_of_finite_values(factors):
    with pytest.raises(InputError, match="actor"):
        disentanglement(GRID, factors)


def scores_of(codes, factors, **options):
    return [score.value for score in disentanglement(codes, factors, **options).scores]


def test_names_of_classes_change_nothing(few_trees):
    """Renamed integer codes, text and categories of a nominal factor have the same scores."""
    pd = pytest.importorskip("pandas")
    shape, size = RNG.integers(3, size=200), RNG.random(200)
    codes = np.column_stack([shape == 1, size + 0.1 * shape, shape]) + 0.1 * RNG.standard_normal((200, 3))
    names = np.array(["square", "ellipse", "heart"])
    numbered, renamed = (np.column_stack([part, size]) for part in (shape, np.array([2, 0, 1])[shape]))
    frame = pd.DataFrame({"shape": names[shape], "size": size})
    expected = scores_of(codes, numbered)
    for factors in (renamed, frame, frame.astype({"shape": "category"})):
        np.testing.assert_allclose(scores_of(codes, factors), expected, atol=1e-9)
    assert disentanglement(codes, frame).nominal.tolist() == [True, False]
    assert disentanglement(codes, numbered, nominal=()).nominal.tolist() == [False, False]


def test_missing_and_constant_factors_leave_the_others_scored(few_trees):
    factors = GRID[np.repeat(np.arange(60), 3)].copy()
    codes = factors[:, :2] + 0.01 * RNG.standard_normal((180, 2))
    expected = disentanglement(codes, factors[:, :1])
    broken = np.column_stack([factors[:, 0], np.full(180, np.nan), np.ones(180), factors[:, 1]])
    broken[:20, 3] = np.nan
    found = disentanglement(codes, broken)
    assert found.scored.tolist() == [True, False, False, True]
    assert np.isnan(found.information[:, 1:3]).all()
    np.testing.assert_allclose(found.information[:, 0], expected.information[:, 0], atol=0.02)
    assert found.information[1, 3] == pytest.approx(1, abs=0.02)


def test_factors_keep_their_own_values_and_the_convention_says_so():
    position = RNG.integers(32, size=400) / 31
    factors = np.column_stack([position, RNG.random(400)])
    found = disentanglement(factors, factors, n_bins=10)
    assert found.n_values.tolist() == [32, 10] and found.n_bins == 10
    assert "10 bins" in found.convention and "32, 10" in found.convention


def test_information_of_unrelated_codes_is_adjusted_to_zero():
    found = disentanglement(RNG.standard_normal((200, 3)), RNG.integers(8, size=(200, 2)))
    assert found.information.max() < 0.04


@pytest.mark.parametrize(
    ("codes", "factors"),
    [
        (GRID, np.ones((60, 1))),  # a constant factor
        (GRID, np.full_like(GRID, np.nan)),  # no known factor
        (np.zeros_like(GRID), GRID),  # no active dimension
        (GRID[:20], GRID[:20]),  # too few samples
    ],
)
def test_scores_need_active_dimensions_varying_factors_and_enough_samples(codes, factors):
    with pytest.raises(NotApplicable):
        disentanglement(codes, factors)


def test_two_bins_are_the_least():
    with pytest.raises(InputError) as caught:
        disentanglement(GRID, GRID, n_bins=1)
    assert caught.value.got == "n_bins = 1"


def test_table_has_a_row_for_each_score(few_trees):
    found = disentanglement(GRID, GRID)
    frame = found.to_frame()
    assert frame["name"].tolist() == ["MIG", "SAP", "DCI disent.", "DCI compl.", "DCI inform.", "FactorVAE"]
    assert frame["value"].tolist() == [score.value for score in found.scores]


def test_more_samples_than_max_points_are_subsampled():
    codes, factors = RNG.standard_normal((300, 2)), RNG.integers(3, size=(300, 1))
    found = disentanglement(codes, factors, max_points=200)
    rows = subsample_rows(200, 300, 0)
    expected = disentanglement(codes[rows], factors[rows])
    assert (found.n_samples, expected.n_samples) == (200, 200)
    np.testing.assert_array_equal(found.information, expected.information)
