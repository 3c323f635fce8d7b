import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaeviz.analysis.interpolation import lerp, slerp
from vaeviz.errors import InputError

RNG = np.random.default_rng(0)
T = np.linspace(0, 1, 7)
VECTORS = arrays(float, 5, elements=st.floats(-10, 10, width=32))


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
def test_slerp_is_exact_at_its_ends_and_in_the_middle(a, b):
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


def test_slerp_reaches_both_ends():
    a, b = RNG.standard_normal((2, 4))
    np.testing.assert_array_equal(slerp(a, b, np.array([0.0, 1.0])), [a, b])


@pytest.mark.parametrize("angle", [0, 1e-9, 1e-7, 1e-5])
def test_slerp_between_almost_parallel_codes_is_linear(angle):
    a, b = np.array([2.0, 0.0]), 3 * np.array([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(slerp(a, b, T), lerp(a, b, T), atol=1e-9)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [-1, -2]), ([1, 2], [-3, -6]), ([0, 0], [1, 2]), ([1, 2], [0, 0])])
def test_slerp_of_opposite_or_zero_codes_advises_linear_interpolation(a, b):
    with pytest.raises(InputError) as caught:
        slerp(np.array(a), np.array(b), T)
    assert 'method="linear"' in caught.value.fix.python
