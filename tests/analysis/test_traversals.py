import numpy as np
import pytest

from vaeviz import InputError, Posterior
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.analysis.traversals import effect_ranking, traversal_codes, traversal_ends


def test_ends_are_quantiles_or_a_multiple_of_the_prior():
    posterior = Posterior(np.zeros((5, 2)), np.full((5, 2), [1.0, 0.5]), "normal")
    np.testing.assert_allclose(traversal_ends(posterior, "aggregate")[1], [1.959964, 0.979982], atol=1e-6)
    np.testing.assert_allclose(traversal_ends(posterior, "prior"), [[-1.959964] * 2, [1.959964] * 2])
    np.testing.assert_allclose(traversal_ends(posterior, 3.0), [[-3, -3], [3, 3]])
    with pytest.raises(InputError) as caught:
        traversal_ends(posterior, -1)
    assert caught.value.got == "-1"


def test_codes_move_one_dimension_per_row():
    ends = np.array([[-1.0, -2.0, -3.0], [1.0, 2.0, 3.0]])
    codes = traversal_codes(np.array([7.0, 8.0, 9.0]), np.array([2, 0]), ends, 3)
    np.testing.assert_array_equal(codes[0], [[7, 8, -3], [7, 8, 0], [7, 8, 3]])
    np.testing.assert_array_equal(codes[1], [[-1, 8, 9], [0, 8, 9], [1, 8, 9]])


def test_ranking_by_effect_follows_the_decoder():
    model = linear_vae(np.diag([4, 2, 1, 0.3, 0.2, 0.1]), 4, noise=0.5, beta=1.5)
    x = np.random.default_rng(5).standard_normal((400, 6)) * np.sqrt([4, 2, 1, 0.3, 0.2, 0.1])
    mean, log_var = model.encode(x)
    posterior = Posterior(mean, np.exp(log_var / 2), "normal")
    assert effect_ranking(lambda z: model.decode(z * [1, 9, 99, 1]), posterior).tolist() == [2, 1, 0, 3]
