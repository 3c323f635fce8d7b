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


def test_errors_by_hand():
    x, p = np.array([[[0.0, 1.0]], [[0.5, 0.5]]]), np.array([[[0.0, 0.5]], [[0.5, 1.0]]])
    np.testing.assert_allclose(reconstruction_errors(x, p), [0.125, 0.125])
    np.testing.assert_allclose(reconstruction_errors(x, p, "absolute"), [0.25, 0.25])


def test_cross_entropy_at_one_half_is_the_same_whatever_the_image():
    x = np.random.default_rng(0).random((1500, 28, 28)).astype(np.float32)
    np.testing.assert_allclose(reconstruction_errors(x, np.full_like(x, 0.5), "cross-entropy"), 543.427390, rtol=1e-7)
    assert np.isfinite(reconstruction_errors(np.ones((1, 4)), np.zeros((1, 4)), "cross-entropy")).all()


def test_what_has_no_error():
    with pytest.raises(InputError, match=r"reconstructions of shape \(2, 3\)"):
        reconstruction_errors(np.zeros((2, 4)), np.zeros((2, 3)))
    with pytest.raises(InputError, match=r"takes values and probabilities in \[0, 1\]"):
        reconstruction_errors(np.full((2, 4), 3.0), np.zeros((2, 4)), "cross-entropy")


@given(SCORES, SCORES)
@settings(max_examples=50, deadline=None)
def test_the_roc_area_is_the_share_of_pairs_in_the_right_order(negatives, positives):
    curve = roc(negatives, positives)
    pairs = np.sign(positives[:, None] - negatives[None])
    assert curve.area == pytest.approx(((pairs + 1) / 2).mean())
    assert curve.area == pytest.approx(roc_auc_score(np.repeat([0, 1], 15), np.concatenate([negatives, positives])))
    assert roc(positives, negatives).area == pytest.approx(1 - curve.area)
    assert curve.error == pytest.approx(roc(np.exp(negatives), np.exp(positives)).error, nan_ok=True)


def test_the_error_of_the_area_is_what_repeats_differ_by():
    rng = np.random.default_rng(0)
    curves = [roc(rng.standard_normal(60), 0.7 + rng.standard_normal(40)) for _ in range(300)]
    assert np.mean([curve.error for curve in curves]) == pytest.approx(
        np.std([curve.area for curve in curves]), rel=0.1
    )


def test_sets_that_do_not_overlap_tell_nothing_of_the_error():
    curve = roc(np.arange(5.0), 10 + np.arange(4.0))
    assert curve.area == 1 and np.isnan(curve.error)


def test_a_roc_needs_two_of_each():
    with pytest.raises(InputError, match="got 1 negatives and 3 positives"):
        roc(np.zeros(1), np.zeros(3))


def test_worst_and_median_cases():
    worst, median = worst_and_median(np.array([5.0, 1.0, 9.0, 3.0, 7.0]), 2)
    assert worst.tolist() == [2, 4]
    assert set(median.tolist()) <= {0, 3, 4} and 0 in median
    assert [len(rows) for rows in worst_and_median(np.arange(3.0), 8)] == [3, 3]


def test_explained_variance_of_principal_components_is_that_of_their_eigenvalues():
    x = np.random.default_rng(0).standard_normal((500, 4)) * [3.0, 2.0, 1.0, 0.5]
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    found = explained_variance(x, principal_reconstruction(x, 2))
    assert found.value == pytest.approx(eigenvalues[:2].sum() / eigenvalues.sum())
    mean = explained_variance(x, np.repeat(x.mean(axis=0)[None], 500, axis=0))
    assert mean.value == pytest.approx(0, abs=1e-12)
    assert explained_variance(x, x).value == 1


def test_the_error_of_the_explained_variance_is_its_spread_over_samples():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        x = rng.standard_normal((200, 3)) * [3.0, 2.0, 1.0]
        found.append(explained_variance(x, x * [0.9, 0.9, 0]))
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.standard_error for one in found]) == pytest.approx(spread, rel=0.3)
