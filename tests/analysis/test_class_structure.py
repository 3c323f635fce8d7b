import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.metrics import silhouette_score
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from vaeviz import InputError, NotApplicable
from vaeviz.analysis.class_structure import _majority_classes, class_structure, nearest_others, principal_components
from vaeviz.analysis.jackknife import jackknife_error

RNG = np.random.default_rng(0)
CLASSES = np.arange(60) % 3
POINTS = RNG.standard_normal((60, 4)) + 1.2 * CLASSES[:, None]


def test_accuracy_is_that_of_a_leave_one_out_classifier():
    found = class_structure(POINTS, CLASSES, (1, 5))
    for k, accuracy in zip((1, 5), found.accuracy):
        expected = cross_val_score(KNeighborsClassifier(k), POINTS, CLASSES, cv=LeaveOneOut()).mean()
        assert accuracy == pytest.approx(
            expected, abs=0.04 if k > 1 else 1e-9
        )  # scikit-learn breaks ties in another way
    assert found.silhouette.value == pytest.approx(silhouette_score(POINTS, CLASSES))
    assert found.chance == pytest.approx(1 / 3)


def test_distant_clusters_are_predicted_without_error():
    found = class_structure(POINTS + 100 * CLASSES[:, None], CLASSES, (1, 5, 9))
    np.testing.assert_array_equal(found.confusion, np.eye(3))
    np.testing.assert_array_equal(found.accuracy, 1)
    assert found.silhouette.value > 0.9


def test_rows_of_the_confusion_are_shares():
    found = class_structure(POINTS, CLASSES)
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1)
    assert np.trace(found.confusion) / 3 == pytest.approx(found.accuracy[2])


def test_results_do_not_depend_on_rotation_and_order():
    rotated = 3 * POINTS @ ortho_group.rvs(4, random_state=0) + 7
    order = RNG.permutation(60)
    plain = class_structure(POINTS, CLASSES)
    for points, classes in ((rotated, CLASSES), (POINTS[order], CLASSES[order])):
        found = class_structure(points, classes)
        np.testing.assert_allclose(found.accuracy, plain.accuracy)
        np.testing.assert_allclose(found.confusion, plain.confusion)
        assert found.silhouette.value == pytest.approx(plain.silhouette.value)


def test_a_point_is_not_its_own_neighbor_even_among_duplicates():
    nearest = nearest_others(np.zeros((6, 2)), 3)
    assert (nearest != np.arange(6)[:, None]).all()


def test_a_tied_vote_goes_to_the_nearest():
    points = np.array([[0.0], [1.0], [2.5], [50.0], [51.0]])
    found = class_structure(points, np.array([0, 1, 0, 1, 1]), (2,))
    assert not found.hits[0, 0]


def test_there_are_at_most_as_many_principal_components_as_values():
    assert principal_components(np.ones((5, 2, 1)) * np.arange(5)[:, None, None], 7).shape == (5, 2)


@pytest.mark.parametrize(
    ("points", "classes"),
    [
        (POINTS, np.zeros(60, int)),  # one class
        (POINTS, np.arange(60)),  # no class has two samples
        (np.zeros((60, 4)), CLASSES),  # equal points
        (POINTS[:10], CLASSES[:10]),  # fewer points than neighbors
    ],
)
def test_class_structure_needs_shared_classes_and_enough_different_points(points, classes):
    with pytest.raises(NotApplicable):
        class_structure(points, classes)


def test_number_of_neighbors_is_positive():
    with pytest.raises(InputError) as caught:
        class_structure(POINTS, CLASSES, (0, 5))
    assert caught.value.got == "0"


def test_table_has_a_row_for_each_number_of_neighbors():
    found = class_structure(POINTS, CLASSES, (1, 5))
    frame = found.to_frame()
    assert frame["k"].tolist() == [1, 5]
    np.testing.assert_array_equal(frame["accuracy"], found.accuracy)


@pytest.mark.parametrize(
    ("nearest", "winner"), [([1, 0, 0, 2, 1], 1), ([1, 0, 0, 1], 1), ([2, 1, 1, 0], 1), ([2, 1, 0], 2)]
)
def test_the_nearest_class_wins_a_tied_vote(nearest, winner):
    assert _majority_classes(np.array([nearest]), 3) == [winner]


def test_errors_leave_out_points_as_neighbors():
    found = class_structure(POINTS, CLASSES, (1, 5), seed=2)

    def accuracies(rows):
        return class_structure(POINTS[rows], CLASSES[rows], (1, 5)).accuracy

    expected = jackknife_error(accuracies, len(POINTS), n_groups=10, seed=2)
    np.testing.assert_allclose(found.accuracy_error, expected)
