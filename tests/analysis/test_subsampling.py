import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaeviz.analysis.subsampling import (
    cross_class_pairs,
    pairs_between,
    same_class_pairs,
    stratified_rows,
    subsample_rows,
)
from vaeviz.errors import InputError, NotApplicable


def test_rows_are_distributed_evenly_over_the_labels():
    labels = np.repeat([0, 1, 2], [1000, 20, 2])
    rows = stratified_rows(9, len(labels), labels, seed=0)
    assert len(set(rows)) == 9
    assert np.bincount(labels[rows]).tolist() in ([4, 3, 2], [3, 4, 2])
    assert (np.diff(labels[rows]) >= 0).all()


def test_samples_without_a_label_are_chosen_last_and_come_last():
    labels = np.array([-1, -1, -1, 0, 1, -1])
    assert set(stratified_rows(2, 6, labels, seed=0)) == {3, 4}
    rows = stratified_rows(4, 6, labels, seed=0)
    assert labels[rows].tolist() == [0, 1, -1, -1]


@pytest.mark.parametrize("labels", [None, np.arange(50) % 7])
def test_the_choice_is_seeded(labels):
    first, again, other = (stratified_rows(8, 50, labels, seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    assert len(set(first)) == 8


def test_all_rows_are_returned_if_there_are_fewer():
    assert stratified_rows(10, 4, None, seed=0).tolist() == [0, 1, 2, 3]


@given(n_pairs=st.integers(1, 20), total=st.integers(2, 40), classes=st.integers(1, 5), seed=st.integers(0, 99))
def test_pairs_have_different_rows_and_different_labels_if_there_are_any(n_pairs, total, classes, seed):
    labels = np.arange(total) % classes
    for known in (labels, None):
        pairs = cross_class_pairs(n_pairs, total, known, seed)
        assert len(pairs) == n_pairs
        assert pairs == cross_class_pairs(n_pairs, total, known, seed)
        assert all(a != b and min(a, b) >= 0 and max(a, b) < total for a, b in pairs)
    if classes > 1:
        assert all(labels[a] != labels[b] for a, b in cross_class_pairs(n_pairs, total, labels, seed))


def test_a_pair_needs_two_samples():
    with pytest.raises(NotApplicable):
        cross_class_pairs(1, 1, None, 0)


def test_pairs_go_from_one_label_to_another():
    labels = np.arange(30) % 3
    pairs = pairs_between((2, 0), labels, 6, seed=0)
    assert {(labels[a], labels[b]) for a, b in pairs} == {(2, 0)}
    assert len(set(pairs)) > 1
    assert pairs == pairs_between((2, 0), labels, 6, seed=0)
    assert all(a != b for a, b in pairs_between((1, 1), labels, 50, seed=0))
    with pytest.raises(InputError):
        pairs_between((0, 0), np.array([0, 1]), 1, seed=0)


def test_pairs_within_groups_use_the_groups_in_turn():
    groups = np.array([0, 0, 1, 1, 1, 2])  # the last group has a single row
    pairs = same_class_pairs(4, groups, seed=0)
    assert sorted(groups[a] for a, _ in pairs) == [0, 0, 1, 1]
    assert all(a != b and groups[a] == groups[b] for a, b in pairs)
    assert same_class_pairs(4, np.arange(6), seed=0) == []


def test_max_points_bounds_the_number_of_rows():
    assert len(set(subsample_rows(5, 20, seed=0))) == 5
    assert subsample_rows(None, 4, seed=0).tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError) as caught:
        subsample_rows(0, 20, seed=0)
    assert caught.value.got == "max_points = 0"
