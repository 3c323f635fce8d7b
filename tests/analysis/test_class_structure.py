import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.metrics import silhouette_score
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from vaeviz import NotApplicable
from vaeviz.analysis.class_structure import _winners, class_structure, nearest_others, principal_components

RNG = np.random.default_rng(0)
CLASSES = np.arange(60) % 3
POINTS = RNG.standard_normal((60, 4)) + 1.2 * CLASSES[:, None]


def test_accuracy_is_that_of_a_leave_one_out_classifier():
    found = class_structure(POINTS, CLASSES, (1, 5))
    for k, accuracy in zip((1, 5), found.accuracy):
        expected = cross_val_score(KNeighborsClassifier(k), POINTS, CLASSES, cv=LeaveOneOut()).mean()
        assert accuracy == pytest.approx(expected, abs=0.04 if k > 1 else 1e-9)  # ties are broken otherwise
    assert found.silhouette[0] == pytest.approx(silhouette_score(POINTS, CLASSES))
    assert found.chance == pytest.approx(1 / 3)


def test_clusters_far_apart_are_told_without_error():
    found = class_structure(POINTS + 100 * CLASSES[:, None], CLASSES, (1, 5, 9))
    np.testing.assert_array_equal(found.confusion, np.eye(3))
    np.testing.assert_array_equal(found.accuracy, 1)
    assert found.silhouette[0] > 0.9


def test_rows_of_the_confusion_are_shares():
    found = class_structure(POINTS, CLASSES)
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1)
    assert np.trace(found.confusion) / 3 == pytest.approx(found.accuracy[2])


def test_rotation_and_order_change_nothing():
    turned = 3 * POINTS @ ortho_group.rvs(4, random_state=0) + 7
    order = RNG.permutation(60)
    plain = class_structure(POINTS, CLASSES)
    for points, classes in ((turned, CLASSES), (POINTS[order], CLASSES[order])):
        found = class_structure(points, classes)
        np.testing.assert_allclose(found.accuracy, plain.accuracy)
        np.testing.assert_allclose(found.confusion, plain.confusion)
        assert found.silhouette == pytest.approx(plain.silhouette)


def test_a_point_is_no_neighbor_of_itself_even_among_equals():
    nearest = nearest_others(np.zeros((6, 2)), 3)
    assert (nearest != np.arange(6)[:, None]).all()


def test_a_tie_goes_to_the_nearest():
    points = np.array([[0.0], [1.0], [2.5], [50.0], [51.0]])
    found = class_structure(points, np.array([0, 1, 0, 1, 1]), (2,))
    assert not found.hits[0, 0]


def test_principal_components_have_no_more_dimensions_than_x():
    assert principal_components(np.ones((5, 2, 1)) * np.arange(5)[:, None, None], 7).shape == (5, 2)


def test_where_there_is_no_class_structure():
    with pytest.raises(NotApplicable, match="one class"):
        class_structure(POINTS, np.zeros(60, int))
    with pytest.raises(NotApplicable, match="20 neighbors need more than 10 labeled points"):
        class_structure(POINTS[:10], CLASSES[:10])


@pytest.mark.parametrize(
    ("nearest", "winner"), [([1, 0, 0, 2, 1], 1), ([1, 0, 0, 1], 1), ([2, 1, 1, 0], 1), ([2, 1, 0], 2)]
)
def test_of_even_votes_the_nearest_wins(nearest, winner):
    assert _winners(np.array([nearest]), 3) == [winner]
