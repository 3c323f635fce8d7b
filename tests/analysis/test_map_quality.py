import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.manifold import trustworthiness

from vaeviz import InputError
from vaeviz.analysis.map_quality import map_quality, neighbor_ranks

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((80, 5))
MEASURES = ("trustworthiness", "continuity", "recall")


@pytest.mark.parametrize("mapped", [POINTS, 2 * POINTS @ ortho_group.rvs(5, random_state=0) + 1])
def test_an_identical_or_turned_map_is_perfect(mapped):
    quality = map_quality(POINTS, mapped, (1, 5, 20))
    for measure in MEASURES:
        np.testing.assert_array_equal(quality.mean(measure), 1)
        np.testing.assert_array_equal(quality.error(measure), 0)


@given(seed=st.integers(0, 99), k=st.integers(1, 30))
@settings(deadline=None, max_examples=20)
def test_trustworthiness_is_scikit_learns_and_continuity_is_the_reverse(seed, k):
    mapped = np.random.default_rng(seed).standard_normal((80, 2)) + POINTS[:, :2]
    quality = map_quality(POINTS, mapped, (k,))
    assert quality.mean("trustworthiness")[0] == pytest.approx(trustworthiness(POINTS, mapped, n_neighbors=k))
    assert quality.mean("continuity")[0] == pytest.approx(trustworthiness(mapped, POINTS, n_neighbors=k))
    for measure in MEASURES:
        assert (getattr(quality, measure) >= 0).all() and (getattr(quality, measure) <= 1).all()


def test_a_random_map_recalls_by_chance():
    points, mapped = RNG.standard_normal((600, 5)), RNG.standard_normal((600, 2))
    quality = map_quality(points, mapped, (30,))
    assert quality.mean("recall")[0] == pytest.approx(30 / 599, abs=0.01)
    assert quality.mean("trustworthiness")[0] == pytest.approx(0.5, abs=0.03)


def test_some_points_asked_estimate_all():
    mapped = POINTS[:, :2]
    every, some = (map_quality(POINTS, mapped, (5,), asked=asked) for asked in (None, 40))
    assert len(some.rows) == 40 and some.trustworthiness.shape == (1, 40)
    np.testing.assert_array_equal(some.recall[0], every.recall[0, some.rows])
    assert some.mean("recall")[0] == pytest.approx(every.mean("recall")[0], abs=4 * some.error("recall")[0])


def test_a_misplaced_point_is_found():
    mapped = POINTS[:, :2].copy()
    mapped[7] = mapped[((mapped - mapped[7]) ** 2).sum(axis=1).argmax()] + 0.01
    quality = map_quality(POINTS[:, :2], mapped, (5,))
    assert quality.trustworthiness[0].argmin() == 7


def test_ranks_start_with_the_point_itself_even_among_equals():
    ranks = neighbor_ranks(np.zeros((5, 2)), np.array([3, 1]))
    assert ranks[0, 3] == ranks[1, 1] == 0
    assert (np.sort(ranks, axis=1) == np.arange(5)).all()


@pytest.mark.parametrize("k", [0, 40, 80])
def test_a_neighborhood_is_smaller_than_half(k):
    with pytest.raises(InputError, match=f"k = {k} for 80 points, expected fewer than half"):
        map_quality(POINTS, POINTS, (k,))


def test_a_map_has_as_many_points():
    with pytest.raises(InputError, match="got 3 points for 80 originals"):
        map_quality(POINTS, POINTS[:3])
