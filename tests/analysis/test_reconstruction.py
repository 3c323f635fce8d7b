import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from vaeviz import InputError
from vaeviz.analysis.reconstruction import (
    explained_variance,
    principal_reconstruction,
    reconstruction_errors,
    roc,
    worst_and_median,
)

SCORES = arrays(float, 15, elements=st.integers(0, 6).map(float))


def test_squared_and_absolute_errors_of_two_samples():
    x, p = np.array([[[0.0, 1.0]], [[0.5, 0.5]]]), np.array([[[0.0, 0.5]], [[0.5, 1.0]]])
    np.testing.assert_allclose(reconstruction_errors(x, p), [0.125, 0.125])
    np.testing.assert_allclose(reconstruction_errors(x, p, "absolute"), [0.25, 0.25])


def test_cross_entropy_at_one_half_is_the_same_for_every_image():
    x = np.random.default_rng(0).random((1500, 28, 28)).astype(np.float32)
    np.testing.assert_allclose(reconstruction_errors(x, np.full_like(x, 0.5), "cross-entropy"), 543.427390, rtol=1e-7)
    assert np.isfinite(reconstruction_errors(np.ones((1, 4)), np.zeros((1, 4)), "cross-entropy")).all()


def test_reconstructions_have_the_shape_of_x():
    with pytest.raises(InputError) as caught:
        reconstruction_errors(np.zeros((2, 4)), np.zeros((2, 3)))
    assert (caught.value.got, caught.value.expected) == ("(2, 3)", "(2, 4)")


def test_cross_entropy_needs_values_between_zero_and_one():
    with pytest.raises(InputError) as caught:
        reconstruction_errors(np.full((2, 4), 3.0), np.zeros((2, 4)), "cross-entropy")
    assert 'measure="squared"' in caught.value.fix.python


@given(SCORES, SCORES)
@settings(max_examples=50, deadline=None)
def test_roc_area_is_the_share_of_correctly_ordered_pairs(negatives, positives):
    curve = roc(negatives, positives)
    pairs = np.sign(positives[:, None] - negatives[None])
    assert curve.area.value == pytest.approx(((pairs + 1) / 2).mean())
    assert curve.area.value == pytest.approx(
        roc_auc_score(np.repeat([0, 1], 15), np.concatenate([negatives, positives]))
    )
    assert roc(positives, negatives).area.value == pytest.approx(1 - curve.area.value)
    assert curve.area.standard_error == pytest.approx(
        roc(np.exp(negatives), np.exp(positives)).area.standard_error, nan_ok=True
    )


def test_standard_error_of_the_area_agrees_with_the_spread_over_repeats():
    rng = np.random.default_rng(0)
    curves = [roc(rng.standard_normal(60), 0.7 + rng.standard_normal(40)) for _ in range(300)]
    assert np.mean([curve.area.standard_error for curve in curves]) == pytest.approx(
        np.std([curve.area.value for curve in curves]), rel=0.1
    )


def test_error_of_the_area_is_unknown_for_sets_that_do_not_overlap():
    curve = roc(np.arange(5.0), 10 + np.arange(4.0))
    assert curve.area.value == 1 and np.isnan(curve.area.standard_error)


def test_roc_needs_two_scores_of_each_kind():
    with pytest.raises(InputError) as caught:
        roc(np.zeros(1), np.zeros(3))
    assert caught.value.got == "1 negatives and 3 positives"


def test_roc_table_has_a_row_for_each_threshold():
    curve = roc(np.arange(5.0), 2 + np.arange(4.0))
    frame = curve.to_frame()
    np.testing.assert_array_equal(frame["true_positive"], curve.true_positive)


def test_worst_and_median_samples_are_selected():
    worst, median = worst_and_median(np.array([5.0, 1.0, 9.0, 3.0, 7.0]), 2)
    assert worst.tolist() == [2, 4]
    assert set(median.tolist()) <= {0, 3, 4} and 0 in median
    assert [len(rows) for rows in worst_and_median(np.arange(3.0), 8)] == [3, 3]


def test_explained_variance_of_principal_components_is_the_share_of_their_eigenvalues():
    x = np.random.default_rng(0).standard_normal((500, 4)) * [3.0, 2.0, 1.0, 0.5]
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    found = explained_variance(x, principal_reconstruction(x, 2))
    assert found.value == pytest.approx(eigenvalues[:2].sum() / eigenvalues.sum())
    mean = explained_variance(x, np.repeat(x.mean(axis=0)[None], 500, axis=0))
    assert mean.value == pytest.approx(0, abs=1e-12)
    assert explained_variance(x, x).value == 1


def test_standard_error_of_the_explained_variance_agrees_with_the_spread_over_samples():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        x = rng.standard_normal((200, 3)) * [3.0, 2.0, 1.0]
        found.append(explained_variance(x, x * [0.9, 0.9, 0]))
    spread = np.std([estimate.value for estimate in found], ddof=1)
    assert np.mean([estimate.standard_error for estimate in found]) == pytest.approx(spread, rel=0.3)
