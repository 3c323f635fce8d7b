import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes as scipy_procrustes
from scipy.stats import ortho_group

from vaeviz import InputError, NotApplicable
from vaeviz.analysis.similarity import code_similarity, compared_rows, linear_cka, neighbor_overlap, procrustes

RNG = np.random.default_rng(0)
CODES = RNG.standard_normal((120, 3)) * [3, 2, 1]
OTHER = RNG.standard_normal((120, 3))


@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10))
@settings(deadline=None, max_examples=30)
def test_rotated_shifted_and_scaled_codes_are_the_same(seed, scale):
    rotated = scale * CODES @ ortho_group.rvs(3, random_state=seed) + np.arange(3)
    found = procrustes(CODES, rotated)
    np.testing.assert_allclose(found.aligned, CODES, atol=1e-9)
    assert found.residual == pytest.approx(0, abs=1e-9)
    assert linear_cka(CODES, rotated) == pytest.approx(1)
    np.testing.assert_array_equal(neighbor_overlap(CODES, rotated, 5), 1)


def test_latent_with_constant_dimensions_aligns_to_a_smaller_one():
    wide = np.hstack([CODES, np.zeros((120, 2))]) @ ortho_group.rvs(5, random_state=0)
    assert procrustes(CODES, wide).residual == pytest.approx(0, abs=1e-9)
    assert procrustes(CODES, wide).aligned.shape == (120, 5)
    assert linear_cka(CODES, wide) == pytest.approx(1)


def test_residual_agrees_with_the_disparity_of_scipy():
    assert procrustes(CODES, OTHER).residual == pytest.approx(scipy_procrustes(CODES, OTHER)[2])


def test_cka_agrees_with_centered_gram_matrices():
    center = np.eye(120) - 1 / 120
    k, m = (center @ part @ part.T @ center for part in (CODES, OTHER))
    assert linear_cka(CODES, OTHER) == pytest.approx((k * m).sum() / np.sqrt((k**2).sum() * (m**2).sum()))


@given(seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_measures_are_bounded_symmetric_and_do_not_depend_on_order(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 30, 3))
    order = rng.permutation(30)
    assert 0 <= linear_cka(a, b) <= 1 and 0 <= procrustes(a, b).residual <= 1
    assert linear_cka(a, b) == pytest.approx(linear_cka(b, a)) == pytest.approx(linear_cka(a[order], b[order]))
    assert procrustes(a, b).residual == pytest.approx(procrustes(b, a).residual)
    assert neighbor_overlap(a, b, 4).mean() == pytest.approx(neighbor_overlap(a[order], b[order], 4).mean())


def test_similarity_of_equal_and_of_unrelated_codes():
    same, unrelated = code_similarity(CODES, -CODES, k=5), code_similarity(CODES, OTHER, k=5)
    assert (same.cka.value, same.residual.value, same.overlap.value) == pytest.approx((1, 0, 1), abs=1e-9)
    assert unrelated.overlap.null == pytest.approx(5 / 119)
    assert unrelated.cka.value == pytest.approx(unrelated.cka.null, abs=0.05)
    assert unrelated.residual.value == pytest.approx(unrelated.residual.null, abs=0.05)
    assert unrelated.overlap.value == pytest.approx(unrelated.overlap.null, abs=4 * unrelated.overlap.standard_error)
    assert min(unrelated.cka.standard_error, unrelated.residual.standard_error) > 0


def test_both_sets_have_the_same_number_of_codes():
    with pytest.raises(InputError) as caught:
        code_similarity(CODES, OTHER[:5])
    assert caught.value.got == "120 and 5 codes"


def test_number_of_neighbors_is_positive():
    with pytest.raises(InputError) as caught:
        neighbor_overlap(CODES, OTHER, 0)
    assert caught.value.got == "k = 0"


@pytest.mark.parametrize(
    "compare",
    [
        lambda: linear_cka(CODES[:3], OTHER[:3]),  # too few samples to align
        lambda: code_similarity(CODES[:8], OTHER[:8]),  # fewer samples than neighbors
        lambda: code_similarity(CODES, np.ones((120, 2))),  # equal codes
    ],
)
def test_similarity_needs_enough_different_codes(compare):
    with pytest.raises(NotApplicable):
        compare()


def test_table_has_a_row_for_each_measure():
    found = code_similarity(CODES, OTHER, k=5)
    frame = found.to_frame()
    assert frame["value"].tolist() == [found.cka.value, found.residual.value, found.overlap.value]
    assert frame["null"].tolist() == [found.cka.null, found.residual.null, found.overlap.null]


def test_wide_codes_are_compared_on_few_samples_exactly(monkeypatch):
    rng = np.random.default_rng(0)
    codes, other = rng.standard_normal((80, 30)), rng.standard_normal((80, 40))
    other[:, :30] += codes
    monkeypatch.setattr("vaeviz.analysis.similarity.MAX_WIDE_SAMPLES", 20)
    rows = compared_rows(codes, other, seed=3)
    found = code_similarity(codes, other, k=5, seed=3)
    assert found.n_samples == len(rows) == 20
    assert found.cka.value == pytest.approx(linear_cka(codes[rows], other[rows]))
    assert found.residual.value == pytest.approx(procrustes(codes[rows], other[rows]).residual)
    assert found.overlap.value == pytest.approx(neighbor_overlap(codes[rows], other[rows], 5).mean())
    aligned = procrustes(codes[rows], other[rows]).aligned
    spread = ((codes[rows] - codes[rows].mean(axis=0)) ** 2).sum()
    assert ((np.pad(codes[rows], ((0, 0), (0, 10))) - aligned) ** 2).sum() / spread == pytest.approx(
        found.residual.value, abs=1e-9
    )
