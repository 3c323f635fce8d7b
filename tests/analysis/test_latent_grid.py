import numpy as np
from scipy.stats import norm

from vaeviz.analysis.latent_grid import equal_mass_nodes, equal_mass_nodes_of, line, linear_nodes, plane


def test_equal_mass_nodes_are_quantiles_of_the_prior():
    nodes = equal_mass_nodes(20)
    np.testing.assert_allclose(nodes[[0, -1]], [-1.959964, 1.959964], atol=1e-6)
    np.testing.assert_allclose(np.diff(norm.cdf(nodes)), 1 / 20)
    np.testing.assert_allclose(nodes, -nodes[::-1])
    np.testing.assert_allclose(equal_mass_nodes(10)[[0, -1]], [-1.644854, 1.644854], atol=1e-6)


def test_equal_mass_nodes_of_values_are_their_quantiles():
    values = np.random.default_rng(0).permutation(np.arange(1000.0))
    nodes = equal_mass_nodes_of(values, 10)
    assert [np.sum(values < node) for node in nodes] == list(range(50, 1000, 100))
    assert equal_mass_nodes_of(values.astype(np.float32), 3).dtype == np.float64


def test_linear_nodes_are_evenly_spaced():
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
