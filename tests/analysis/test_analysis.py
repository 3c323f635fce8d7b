import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from vaeviz import Posterior
from vaeviz.analysis.activity import activity, check_dims, most_active_dims
from vaeviz.analysis.interpolation import lerp, slerp
from vaeviz.analysis.latent_grid import equal_mass_nodes, equal_mass_nodes_of, line, linear_nodes, plane
from vaeviz.analysis.subsampling import cross_class_pairs, pairs_between, stratified_rows
from vaeviz.embeddings._base import embed
from vaeviz.errors import InputError, NotApplicable, UnknownName

RNG = np.random.default_rng(0)
T = np.linspace(0, 1, 7)
VECTORS = arrays(float, 5, elements=st.floats(-10, 10, width=32))


# Activity


def test_activity_is_the_mean_kl_where_a_spread_is_known():
    posterior = Posterior([[0, 1, 3], [0, -1, 3]], np.ones((2, 3)))
    np.testing.assert_allclose(activity(posterior), [0, 0.5, 4.5])


def test_activity_of_a_deterministic_encoder_is_the_variance_of_its_means():
    np.testing.assert_allclose(activity(Posterior([[0, 1, 3], [0, -1, 3]])), [0, 1, 0])


def test_the_most_active_dimensions_come_in_order_of_their_index():
    posterior = Posterior(RNG.standard_normal((500, 4)) * [1, 3, 0.1, 2])
    assert most_active_dims(posterior, 2) == (1, 3)
    assert most_active_dims(posterior, 1) == (1,)
    assert most_active_dims(posterior, 3) == (0, 1, 3)


def test_of_equally_active_dimensions_the_first_are_taken():
    assert most_active_dims(Posterior(np.zeros((3, 4)), np.ones((3, 4))), 2) == (0, 1)


@pytest.mark.parametrize("dims", [(0, 0), (0, 4), (-1, 0)])
def test_dims_are_different_and_exist(dims):
    with pytest.raises(InputError, match="different dimensions from 0 to 3"):
        check_dims(dims, 4)


# Grids


def test_equal_mass_nodes_of_the_prior():
    nodes = equal_mass_nodes(20)
    np.testing.assert_allclose(nodes[[0, -1]], [-1.959964, 1.959964], atol=1e-6)
    np.testing.assert_allclose(np.diff(norm.cdf(nodes)), 1 / 20)
    np.testing.assert_allclose(nodes, -nodes[::-1])
    np.testing.assert_allclose(equal_mass_nodes(10)[[0, -1]], [-1.644854, 1.644854], atol=1e-6)


def test_equal_mass_nodes_of_values():
    values = RNG.permutation(np.arange(1000.0))
    nodes = equal_mass_nodes_of(values, 10)
    assert [np.sum(values < node) for node in nodes] == list(range(50, 1000, 100))
    assert equal_mass_nodes_of(values.astype(np.float32), 3).dtype == np.float64


def test_linear_nodes():
    np.testing.assert_allclose(linear_nodes(-2, 2, 5), [-2, -1, 0, 1, 2])


def test_a_plane_runs_right_along_the_first_dimension_and_up_along_the_second():
    codes = plane((2, 0), (np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0])), np.array([0.0, 7.0, 0.0]))
    assert codes.shape == (2, 3, 3)
    np.testing.assert_array_equal(codes[..., 2], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_array_equal(codes[..., 0], [[20, 20, 20], [10, 10, 10]])
    assert (codes[..., 1] == 7).all()


def test_a_line_is_one_row():
    codes = line(1, np.array([1.0, 2.0]), np.array([5.0, 0.0]))
    np.testing.assert_array_equal(codes, [[[5, 1], [5, 2]]])


# Paths


@given(VECTORS, VECTORS)
def test_lerp_is_exact_at_its_ends_and_in_the_middle(a, b):
    path = lerp(a, b, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_array_equal(path[[0, 2]], [a, b])
    np.testing.assert_allclose(path[1], (a + b) / 2, atol=1e-12)


def test_the_middle_of_a_linear_path_between_prior_samples_has_half_their_covariance():
    a, b = RNG.standard_normal((2, 20_000, 3))
    middle = np.array([lerp(*ends, np.array([0.5]))[0] for ends in zip(a, b)])
    np.testing.assert_allclose(np.cov(middle.T), np.eye(3) / 2, atol=0.02)


def angle_between(a, b):
    return np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))


@given(VECTORS, VECTORS)
@settings(max_examples=200)
def test_slerp(a, b):
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) < 1e-3 or not 1e-3 < angle_between(a, b) < np.pi - 1e-3:
        return
    path = slerp(a, b, T)
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-9)
    middle = (a + b) / (2 * np.cos(angle_between(a, b) / 2))
    np.testing.assert_allclose(slerp(a, b, np.array([0.5]))[0], middle, rtol=1e-5, atol=1e-5)


@given(VECTORS, VECTORS)
def test_slerp_preserves_equal_norms_and_turns_evenly(a, b):
    if min(np.linalg.norm(a), np.linalg.norm(b)) < 1e-3 or not 1e-3 < angle_between(a, b) < np.pi - 1e-3:
        return
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    path = slerp(3 * a, 3 * b, T)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 3, rtol=1e-6)
    steps = [angle_between(one, two) for one, two in zip(path, path[1:])]
    np.testing.assert_allclose(steps, angle_between(a, b) / 6, atol=1e-5)


def test_slerp_ends_exactly():
    a, b = RNG.standard_normal((2, 4))
    np.testing.assert_array_equal(slerp(a, b, np.array([0.0, 1.0])), [a, b])


@pytest.mark.parametrize("angle", [0, 1e-9, 1e-7, 1e-5])
def test_slerp_between_almost_parallel_codes_is_linear(angle):
    a, b = np.array([2.0, 0.0]), 3 * np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(slerp(a, b, T), lerp(a, b, T), atol=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ([1, 2], [-1, -2], "opposite .*; use linear interpolation"),
        ([1, 2], [-3, -6], "opposite .*; use linear interpolation"),
        ([0, 0], [1, 2], "a code is zero and has no direction; use linear interpolation"),
        ([1, 2], [0, 0], "a code is zero and has no direction; use linear interpolation"),
    ],
)
def test_slerp_where_there_is_no_such_arc(a, b, told):
    with pytest.raises(InputError, match=told):
        slerp(np.array(a), np.array(b), T)


# Picking


def test_rows_are_picked_evenly_over_the_labels():
    labels = np.repeat([0, 1, 2], [1000, 20, 2])
    rows = stratified_rows(9, len(labels), labels, seed=0)
    assert len(set(rows)) == 9
    assert np.bincount(labels[rows]).tolist() in ([4, 3, 2], [3, 4, 2])
    assert (np.diff(labels[rows]) >= 0).all()


def test_samples_without_a_label_are_picked_last_and_stand_last():
    labels = np.array([-1, -1, -1, 0, 1, -1])
    assert set(stratified_rows(2, 6, labels, seed=0)) == {3, 4}
    rows = stratified_rows(4, 6, labels, seed=0)
    assert labels[rows].tolist() == [0, 1, -1, -1]


@pytest.mark.parametrize("labels", [None, np.arange(50) % 7])
def test_picking_is_seeded(labels):
    first, again, other = (stratified_rows(8, 50, labels, seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    assert len(set(first)) == 8


def test_no_more_rows_are_picked_than_there_are():
    assert stratified_rows(10, 4, None, seed=0).tolist() == [0, 1, 2, 3]


@given(count=st.integers(1, 20), total=st.integers(2, 40), classes=st.integers(1, 5), seed=st.integers(0, 99))
def test_pairs_are_of_different_rows_and_of_different_labels_where_there_are_any(count, total, classes, seed):
    labels = np.arange(total) % classes
    for some in (labels, None):
        pairs = cross_class_pairs(count, total, some, seed)
        assert len(pairs) == count
        assert pairs == cross_class_pairs(count, total, some, seed)
        assert all(a != b and min(a, b) >= 0 and max(a, b) < total for a, b in pairs)
    if classes > 1:
        assert all(labels[a] != labels[b] for a, b in cross_class_pairs(count, total, labels, seed))


def test_a_pair_needs_two_samples():
    with pytest.raises(NotApplicable, match="a pair needs two samples, got 1"):
        cross_class_pairs(1, 1, None, 0)


def test_pairs_from_one_label_to_another():
    labels = np.arange(30) % 3
    pairs = pairs_between((2, 0), labels, 6, seed=0)
    assert {(labels[a], labels[b]) for a, b in pairs} == {(2, 0)}
    assert len(set(pairs)) > 1
    assert pairs == pairs_between((2, 0), labels, 6, seed=0)
    assert all(a != b for a, b in pairs_between((1, 1), labels, 50, seed=0))
    with pytest.raises(InputError, match="a pair needs two samples"):
        pairs_between((0, 0), np.array([0, 1]), 1, seed=0)


# Embeddings


def test_pca_finds_the_two_leading_components():
    z = RNG.standard_normal((200, 4)) * [0.1, 5, 0.2, 2]
    embedded = embed(z, "pca", seed=0, perplexity=30.0).points
    np.testing.assert_allclose(embedded, (z - z.mean(0))[:, [1, 3]], atol=0.6)
    np.testing.assert_allclose(embedded.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(embedded[:, 0] @ embedded[:, 1], 0, atol=1e-9)
    np.testing.assert_allclose(embed(-z, "pca").points, -embedded, atol=1e-9)


def test_tsne_keeps_clusters_apart_and_is_seeded():
    z = np.concatenate([RNG.standard_normal((20, 5)), 50 + RNG.standard_normal((20, 5))])
    embedded = embed(z, "tsne", perplexity=5.0, seed=0).points
    assert embedded.shape == (40, 2)
    within = np.linalg.norm(embedded[:20] - embedded[:20].mean(0), axis=1).max()
    assert np.linalg.norm(embedded[:20].mean(0) - embedded[20:].mean(0)) > 2 * within
    np.testing.assert_array_equal(embedded, embed(z, "tsne", perplexity=5.0, seed=0).points)


def test_an_engine_gets_the_settings_that_it_takes(registered):
    def first_two(z, *, seed: int = 0):
        return z[:, :2] + seed

    registered.add("vaeviz.embeddings", "first_two", first_two)
    embedded = embed(np.eye(3, 4), "first-two", seed=2, perplexity=30.0)
    np.testing.assert_array_equal(embedded.points, np.eye(3, 2) + 2)


def test_an_engine_that_returns_no_map_is_an_error(registered):
    registered.add("vaeviz.embeddings", "same", lambda z: z)
    with pytest.raises(InputError, match=r"embedding 'same': got shape \(3, 4\), expected \(3, 2\)"):
        embed(np.eye(3, 4), "same")


def test_an_unknown_engine_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Unknown embedding 'tsn'. Did you mean 'tsne'"):
        embed(np.eye(3, 4), "tsn")
