import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeviz import InputError
from vaeviz.analysis.mmd import equal_shift, mmd_test, shifted_mmd


def exact(mean, length):
    """Return MMD² between N(0, I) and N(m, I)."""
    size, square = len(mean), length**2
    return 2 * (square / (square + 2)) ** (size / 2) * (1 - np.exp(-(mean @ mean) / (2 * (square + 2))))


def by_sums(a, b, length):
    """Return MMD² by the sums of Gretton et al. 2012, eq. 3."""

    def kernel(u, v):
        return np.exp(-((u[:, None] - v) ** 2).sum(axis=2) / (2 * length**2))

    n, m = len(a), len(b)
    within = (kernel(a, a).sum() - n) / (n * (n - 1)) + (kernel(b, b).sum() - m) / (m * (m - 1))
    return within - 2 * kernel(a, b).mean()


@pytest.mark.parametrize("mean, length", [((0.5, 0.0), 1.0), ((0.4, -0.4, 0.2), 1.5), ((1.0,), 0.7)])
def test_mmd_of_shifted_gaussians_agrees_with_the_closed_form(mean, length):
    rng, mean = np.random.default_rng(0), np.array(mean)
    a, b = rng.standard_normal((1500, len(mean))), mean + rng.standard_normal((1500, len(mean)))
    found = mmd_test(a, b, length=length, n_permutations=100)
    assert abs(found.squared.value - exact(mean, length)) < 3 * found.squared.standard_error
    assert found.squared.standard_error < 0.2 * exact(mean, length)
    assert found.p_value == pytest.approx(1 / 101)


def test_estimate_is_unbiased_and_its_standard_error_correct():
    rng, mean = np.random.default_rng(0), np.array([0.6, 0.0])
    found = [
        mmd_test(
            rng.standard_normal((80, 2)), mean + rng.standard_normal((60, 2)), length=1.0, n_permutations=1
        ).squared
        for _ in range(200)
    ]
    values = np.array([estimate.value for estimate in found])
    assert abs(values.mean() - exact(mean, 1.0)) < 3 * values.std() / np.sqrt(200)
    assert np.mean([estimate.standard_error for estimate in found]) == pytest.approx(values.std(), rel=0.2)


def test_sums_agree_with_the_paper_for_sets_of_different_size():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 3)), rng.standard_normal((20, 3)) + 0.3
    assert mmd_test(a, b, length=1.2).squared.value == pytest.approx(by_sums(a, b, 1.2), abs=1e-12)


def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(0)
    p = [mmd_test(*rng.standard_normal((2, 40, 2)), n_permutations=99, seed=seed).p_value for seed in range(200)]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.06)
    assert np.mean(p) == pytest.approx(0.5, abs=0.07)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_mmd_does_not_depend_on_order_and_rotation(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((25, 3)), 0.5 + rng.standard_normal((30, 3))
    rotation, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    before = mmd_test(a, b, n_permutations=1)
    for after in (
        mmd_test(rng.permutation(a), b, n_permutations=1),
        mmd_test(a @ rotation, b @ rotation, n_permutations=1),
    ):
        assert after.squared.value == pytest.approx(before.squared.value, abs=1e-9)
        assert after.squared.standard_error == pytest.approx(before.squared.standard_error, abs=1e-9)
        assert after.length == pytest.approx(before.length, abs=1e-9)


def test_each_set_needs_two_samples():
    with pytest.raises(InputError, match="1 and 5 samples"):
        mmd_test(np.zeros((1, 2)), np.zeros((5, 2)))


def test_equal_samples_need_a_length_scale():
    with pytest.raises(InputError) as caught:
        mmd_test(np.zeros((5, 2)), np.zeros((5, 2)))
    assert caught.value.got == "length = 0" and "length" in caught.value.fix.python


def test_shift_is_measured_by_the_closed_form_and_its_inverse():
    rng = np.random.default_rng(1)
    found = mmd_test(rng.standard_normal((1500, 3)) + [0.8, 0, 0], rng.standard_normal((1500, 3)), n_permutations=1)
    expected = shifted_mmd(0.8, 3, found.length)
    assert abs(found.squared.value - expected) < 3 * found.squared.standard_error
    assert equal_shift(expected, 3, found.length) == pytest.approx(0.8)
    assert equal_shift(-1e-3, 3, found.length) == 0
    assert equal_shift(9.0, 3, found.length) == np.inf
