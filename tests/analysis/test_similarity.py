import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes as scipys
from scipy.stats import ortho_group

from vaeviz import InputError, NotApplicable
from vaeviz.analysis.similarity import code_similarity, linear_cka, neighbor_overlap, procrustes

RNG = np.random.default_rng(0)
CODES = RNG.standard_normal((120, 3)) * [3, 2, 1]
OTHER = RNG.standard_normal((120, 3))


@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10))
@settings(deadline=None, max_examples=30)
def test_codes_that_are_turned_moved_and_scaled_are_the_same(seed, scale):
    turned = scale * CODES @ ortho_group.rvs(3, random_state=seed) + np.arange(3)
    found = procrustes(CODES, turned)
    np.testing.assert_allclose(found.aligned, CODES, atol=1e-9)
    assert found.residual == pytest.approx(0, abs=1e-9)
    assert linear_cka(CODES, turned) == pytest.approx(1)
    np.testing.assert_array_equal(neighbor_overlap(CODES, turned, 5), 1)


def test_a_latent_with_idle_dimensions_aligns_to_a_smaller_one():
    wide = np.hstack([CODES, np.zeros((120, 2))]) @ ortho_group.rvs(5, random_state=0)
    assert procrustes(CODES, wide).residual == pytest.approx(0, abs=1e-9)
    assert procrustes(CODES, wide).aligned.shape == (120, 5)
    assert linear_cka(CODES, wide) == pytest.approx(1)


def test_the_residual_is_scipys_disparity():
    assert procrustes(CODES, OTHER).residual == pytest.approx(scipys(CODES, OTHER)[2])


def test_cka_is_that_of_centered_gram_matrices():
    center = np.eye(120) - 1 / 120
    k, m = (center @ part @ part.T @ center for part in (CODES, OTHER))
    assert linear_cka(CODES, OTHER) == pytest.approx((k * m).sum() / np.sqrt((k**2).sum() * (m**2).sum()))


@given(seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_bounds_symmetry_and_order(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 30, 3))
    order = rng.permutation(30)
    assert 0 <= linear_cka(a, b) <= 1 and 0 <= procrustes(a, b).residual <= 1
    assert linear_cka(a, b) == pytest.approx(linear_cka(b, a)) == pytest.approx(linear_cka(a[order], b[order]))
    assert procrustes(a, b).residual == pytest.approx(procrustes(b, a).residual)
    assert neighbor_overlap(a, b, 4).mean() == pytest.approx(neighbor_overlap(a[order], b[order], 4).mean())


def test_agreement_of_the_same_codes_and_of_unrelated_ones():
    same, unrelated = code_similarity(CODES, -CODES, k=5), code_similarity(CODES, OTHER, k=5)
    assert (same.cka, same.residual, same.overlap) == pytest.approx((1, 0, 1), abs=1e-9)
    assert unrelated.overlap_null == pytest.approx(5 / 119)
    assert unrelated.cka == pytest.approx(unrelated.cka_null, abs=0.05)
    assert unrelated.residual == pytest.approx(unrelated.residual_null, abs=0.05)
    assert unrelated.overlap == pytest.approx(unrelated.overlap_null, abs=4 * unrelated.overlap_error)
    assert min(unrelated.cka_error, unrelated.residual_error) > 0


def test_what_cannot_be_compared():
    with pytest.raises(InputError, match="120 and 5 codes"):
        code_similarity(CODES, OTHER[:5])
    with pytest.raises(NotApplicable, match="an alignment of 3 samples"):
        linear_cka(CODES[:3], OTHER[:3])
    with pytest.raises(NotApplicable, match="10 neighbors need more than 8 points"):
        code_similarity(CODES[:8], OTHER[:8])
    with pytest.raises(NotApplicable, match="all codes of one encoder are the same"):
        code_similarity(CODES, np.ones((120, 2)))
