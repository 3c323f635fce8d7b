"""Limits that a few far values do not determine."""

import numpy as np
import pytest

from vaeviz.drawing.limits import robust_points, robust_range

VALUES = np.random.default_rng(0).uniform(-1, 1, 1000)


@pytest.mark.parametrize(("far", "n_far"), [(50.0, 1), (50.0, 10), (-50.0, 10)])
def test_a_few_far_values_do_not_determine_the_range(far, n_far):
    values = np.concatenate([VALUES, np.full(n_far, far)])
    assert robust_range(values) == (VALUES.min(), VALUES.max())


@pytest.mark.parametrize(("far", "n_far"), [(50.0, 100), (2.9, 1)], ids=["a group", "near enough"])
def test_a_group_and_values_within_three_interquartile_ranges_are_in_the_range(far, n_far):
    values = np.concatenate([VALUES, np.full(n_far, far)])
    assert robust_range(values) == (min(VALUES.min(), far), max(VALUES.max(), far))


def test_a_point_is_far_out_if_one_of_its_coordinates_is():
    points = np.column_stack([VALUES, VALUES[::-1]]).astype(np.float32)
    points[3, 0], points[5, 1] = 100, -100
    np.testing.assert_array_equal(robust_points(points), np.delete(points, [3, 5], axis=0))


def test_constant_values_have_their_own_range():
    assert robust_range(np.full(20, 2.0)) == (2, 2)
    points = np.full((20, 2), 2.0)
    assert robust_points(points) is points
