import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.manifold import trustworthiness

from vaeviz import InputError
from vaeviz.analysis.map_quality import MEASURES, map_quality, neighbor_ranks

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((80, 5))


@pytest.mark.parametrize("mapped", [POINTS, 2 * POINTS @ ortho_group.rvs(5, random_state=0) + 1])
def test_identical_or_rotated_map_is_perfect(mapped):
    quality = map_quality(POINTS, mapped, (1, 5, 20))
    for measure in MEASURES:
        np.testing.assert_array_equal(quality.mean(measure), 1)
        np.testing.assert_array_equal(quality.error(measure), 0)


@given(seed=st.integers(0, 99), k=st.integers(1, 30))
@settings(deadline=None, max_examples=20)
def test_trustworthiness_agrees_with_scikit_learn_and_continuity_with_its_reverse(seed, k):
    mapped = np.random.default_rng(seed).standard_normal((80, 2)) + POINTS[:, :2]
    quality = map_quality(POINTS, mapped, (k,))
    assert quality.mean("trustworthiness")[0] == pytest.approx(trustworthiness(POINTS, mapped, n_neighbors=k))
    assert quality.mean("continuity")[0] == pytest.approx(trustworthiness(mapped, POINTS, n_neighbors=k))
    for measure in MEASURES:
        assert (getattr(quality, measure) >= 0).all() and (getattr(quality, measure) <= 1).all()


def test_random_map_has_chance_recall():
    points, mapped = RNG.standard_normal((600, 5)), RNG.standard_normal((600, 2))
    quality = map_quality(points, mapped, (30,))
    assert quality.mean("recall")[0] == pytest.approx(30 / 599, abs=0.01)
    assert quality.mean("trustworthiness")[0] == pytest.approx(0.5, abs=0.03)


def test_subset_of_points_estimates_the_mean_over_all():
    mapped = POINTS[:, :2]
    every, some = (map_quality(POINTS, mapped, (5,), n_samples=n_samples) for n_samples in (None, 40))
    assert len(some.rows) == 40 and some.trustworthiness.shape == (1, 40)
    np.testing.assert_array_equal(some.recall[0], every.recall[0, some.rows])
    assert some.mean("recall")[0] == pytest.approx(every.mean("recall")[0], abs=4 * some.error("recall")[0])


def test_misplaced_point_has_the_lowest_trustworthiness():
    mapped = POINTS[:, :2].copy()
    mapped[7] = mapped[((mapped - mapped[7]) ** 2).sum(axis=1).argmax()] + 0.01
    quality = map_quality(POINTS[:, :2], mapped, (5,))
    assert quality.trustworthiness[0].argmin() == 7


def test_point_itself_has_rank_zero_even_among_duplicates():
    ranks = neighbor_ranks(np.zeros((5, 2)), np.array([3, 1]))
    assert ranks[0, 3] == ranks[1, 1] == 0
    assert (np.sort(ranks, axis=1) == np.arange(5)).all()


@pytest.mark.parametrize("k", [0, 40, 80])
def test_neighborhood_is_smaller_than_half_of_the_points(k):
    with pytest.raises(InputError) as caught:
        map_quality(POINTS, POINTS, (k,))
    assert caught.value.got == f"k = {k}"


def test_map_and_original_have_the_same_number_of_points():
    with pytest.raises(InputError) as caught:
        map_quality(POINTS, POINTS[:3])
    assert (caught.value.got, caught.value.expected) == ("3 points", "80 points")


def test_table_has_a_row_for_each_k_and_point():
    quality = map_quality(POINTS, POINTS[:, :2], (1, 5), n_samples=40)
    frame = quality.to_frame()
    assert len(frame) == 80
    np.testing.assert_allclose(frame.groupby("k")["recall"].mean(), quality.mean("recall"))


def test_errors_leave_out_points_as_neighbors():
    """The jackknife from ranks agrees with maps of the points that are left."""
    mapped = POINTS[:, :2] + 0.3 * np.random.default_rng(3).standard_normal((len(POINTS), 2))
    found = map_quality(POINTS, mapped, (3, 5), seed=4)
    groups = np.random.default_rng(4).permutation(len(POINTS)) % 10
    left = [map_quality(POINTS[groups != group], mapped[groups != group], (3, 5)) for group in range(10)]
    for measure in MEASURES:
        means = np.array([quality.mean(measure) for quality in left])
        np.testing.assert_allclose(found.error(measure), np.sqrt(0.9 * ((means - means.mean(axis=0)) ** 2).sum(axis=0)))


def test_few_points_have_no_standard_error():
    assert np.isnan(map_quality(POINTS[:12], POINTS[:12, :2], (3,)).error("recall"))
