"""Reconstruction errors, and the ROC curve of two data sets that they separate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.estimates import Estimate
from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.channels import match_shape
from vaeviz.data.out_of_core import default_batch_size, sample_shape
from vaeviz.errors import InputError
from vaeviz.model.decode import decode_batches
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["squared", "absolute", "cross-entropy"]


def errors_from_means(decoder: Any, posterior: Posterior, x: Any, measure: Measure = "squared") -> np.ndarray:
    """Compute the reconstruction error of each sample from its posterior mean.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (M, D) to samples.
    posterior : Posterior
        Posteriors of `x`.
    x : array_like, shape (N, ...)
        Samples. One batch of samples and reconstructions is in memory at a time.
    measure : {"squared", "absolute", "cross-entropy"}, default: "squared"
        Error measure, see `reconstruction_errors`.

    Returns
    -------
    ndarray, shape (N,)
        Errors, float64.
    """
    x, decoder = check_samples(x, "x", reference=posterior.mean), as_decoder(decoder)
    size = decoder.batch_size or default_batch_size(sample_shape(x))
    reconstructed = decode_batches(decoder, posterior, reference=x, size=size)
    errors = np.empty(len(posterior))
    for (rows, originals), (_, decoded) in zip(iterate_batches(x, size, desc=None), reconstructed, strict=True):
        errors[rows] = reconstruction_errors(originals, decoded, measure)
    return errors


def reconstruction_errors(x: np.ndarray, reconstructed: np.ndarray, measure: Measure = "squared") -> np.ndarray:
    """Compute the reconstruction error of each sample.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Samples.
    reconstructed : ndarray, shape (N, ...)
        Reconstructions with the same number of values.
    measure : {"squared", "absolute", "cross-entropy"}, default: "squared"
        Mean squared or absolute error over the values of a sample, or the summed cross-entropy in nats,
        −Σ x ln p + (1 − x) ln(1 − p), of values and probabilities in [0, 1].

    Returns
    -------
    ndarray, shape (N,)
        Errors, float64.

    Raises
    ------
    InputError
        If the numbers of values differ, or a cross-entropy is computed of values outside [0, 1].
    """
    from scipy.special import xlogy

    if x.size != reconstructed.size:
        raise InputError(
            f"The reconstructions have shape {reconstructed.shape} but x has shape {x.shape}.",
            got=str(reconstructed.shape),
            expected=str(x.shape),
        )
    shape = x.shape[1:]
    x = x.reshape(len(x), -1).astype(np.float64)
    p = match_shape(reconstructed, shape).reshape(len(x), -1).astype(np.float64)
    if measure == "squared":
        return np.asarray(((x - p) ** 2).mean(axis=1))
    if measure == "absolute":
        return np.asarray(np.abs(x - p).mean(axis=1))
    low, high = min(x.min(), p.min()), max(x.max(), p.max())
    if low < 0 or high > 1:
        raise InputError(
            f"x and its reconstructions have values from {low:.3g} to {high:.3g}, but a cross-entropy needs values in "
            "[0, 1].",
            got=f"values from {low:.3g} to {high:.3g}",
            expected="values in [0, 1]",
            fix='Pass measure="squared".',
        )
    tiny = np.finfo(np.float32).eps
    p = np.clip(p, tiny, 1 - tiny)
    return np.asarray(-(xlogy(x, p) + xlogy(1 - x, 1 - p)).sum(axis=1))


def explained_variance(x: np.ndarray, reconstructed: np.ndarray) -> Estimate:
    """Compute the share of the variance of samples that their reconstructions explain.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Samples, not all equal.
    reconstructed : ndarray, shape (N, ...)
        Reconstructions with the same number of values.

    Returns
    -------
    Estimate
        1 − Σ‖x − x̂‖² / Σ‖x − x̄‖²: 1 is perfect, and 0 is what the mean of x explains. The standard error over the
        samples is that of a ratio, by the delta method.

    Examples
    --------
    >>> x = np.array([[0.0], [1], [2], [3]])
    >>> explained_variance(x, x).value, explained_variance(x, np.full((4, 1), 1.5)).value
    (1.0, 0.0)
    """
    flat = x.reshape(len(x), -1).astype(np.float64)
    total = ((flat - flat.mean(axis=0)) ** 2).sum(axis=1)
    left = reconstruction_errors(x, reconstructed) * flat.shape[1]
    ratio = left.sum() / total.sum()
    error = np.std(left - ratio * total, ddof=1) / (math.sqrt(len(x)) * total.mean())
    return Estimate(float(1 - ratio), float(error))


def principal_reconstruction(x: np.ndarray, n_components: int) -> np.ndarray:
    """Reconstruct samples from their leading principal components.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Samples.
    n_components : int
        Number of components.

    Returns
    -------
    ndarray, shape (N, ...)
        The best linear reconstruction of these samples (Eckart & Young 1936).
    """
    from sklearn.decomposition import PCA

    flat = x.reshape(len(x), -1).astype(np.float64)
    pca = PCA(min(n_components, *flat.shape), random_state=0).fit(flat)
    return np.asarray(pca.inverse_transform(pca.transform(flat)).reshape(x.shape))


@dataclass(frozen=True, eq=False, repr=False)
class Roc(ShortRepr):
    """Receiver operating characteristic: how well a score separates positives from negatives.

    Attributes
    ----------
    false_positive : ndarray, shape (T,)
        False positive rates as the threshold falls.
    true_positive : ndarray, shape (T,)
        True positive rates.
    area : Estimate
        Probability that a positive scores higher, ties counting half; 0.5 for an uninformative score. The standard
        error is NaN where the two sets do not overlap, because they then contain no information about it.
    """

    false_positive: np.ndarray
    true_positive: np.ndarray
    area: Estimate

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per threshold.

        Returns
        -------
        pandas.DataFrame
            Columns ``false_positive`` and ``true_positive``.
        """
        import pandas as pd

        return pd.DataFrame({"false_positive": self.false_positive, "true_positive": self.true_positive})


def roc(negatives: np.ndarray, positives: np.ndarray) -> Roc:
    """Compute the ROC of a score and its area.

    Parameters
    ----------
    negatives : ndarray, shape (M,)
        Scores of negatives.
    positives : ndarray, shape (N,)
        Scores of positives.

    Returns
    -------
    Roc
        The curve and its area, with DeLong's standard error.

    Raises
    ------
    InputError
        For fewer than two scores of either kind.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44.
    """
    from scipy.stats import rankdata
    from sklearn.metrics import roc_curve

    if min(len(negatives), len(positives)) < 2:
        raise InputError(
            f"A ROC curve needs two scores of each kind, but there are {len(negatives)} negatives and "
            f"{len(positives)} positives.",
            got=f"{len(negatives)} negatives and {len(positives)} positives",
            expected="2 or more of each",
        )
    both = np.concatenate([negatives, positives])
    false, true, _ = roc_curve(np.arange(len(both)) >= len(negatives), both)
    ranks = rankdata(both)
    below = (ranks[len(negatives) :] - rankdata(positives)) / len(negatives)  # share of negatives below each positive
    above = 1 - (ranks[: len(negatives)] - rankdata(negatives)) / len(positives)
    variance = below.var(ddof=1) / len(positives) + above.var(ddof=1) / len(negatives)
    return Roc(false, true, Estimate(float(below.mean()), math.sqrt(variance) if variance > 0 else math.nan))


def worst_and_median(errors: np.ndarray, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Select the samples with the largest errors, and those nearest to the median error.

    Parameters
    ----------
    errors : ndarray, shape (N,)
        Errors.
    n_samples : int
        Number of samples of each kind.

    Returns
    -------
    worst : ndarray of int
        Rows of the largest errors, the largest first.
    median : ndarray of int
        Rows of errors nearest to the median, in ascending order of error.
    """
    order = np.argsort(errors, kind="stable")
    n_samples = min(n_samples, len(errors))
    start = max(0, (len(errors) - n_samples + 1) // 2)
    return order[::-1][:n_samples], order[start : start + n_samples]
