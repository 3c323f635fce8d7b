"""How far reconstructions lie from their originals, and whether that tells two data sets apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vaeviz.analysis.estimates import Estimate
from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.channels import match_shape
from vaeviz.data.out_of_core import default_batch_size, sample_shape
from vaeviz.errors import InputError
from vaeviz.model.decode import decode_batches
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior

Measure = Literal["squared", "absolute", "cross-entropy"]


def errors_from_means(decoder: Any, posterior: Posterior, x: Any, measure: Measure = "squared") -> np.ndarray:
    """The error of each sample's reconstruction from its posterior mean, (N,), see `reconstruction_errors`.

    decoder: any callable or model. posterior: of x (N, ...). One batch of samples and reconstructions is held at a
    time.
    """
    x, decoder = check_samples(x, "x", reference=posterior.mean), as_decoder(decoder)
    size = decoder.batch_size or default_batch_size(sample_shape(x))
    reconstructed = decode_batches(decoder, posterior, reference=x, size=size)
    errors = np.empty(len(posterior))
    for (rows, originals), (_, decoded) in zip(iterate_batches(x, size, desc=None), reconstructed, strict=True):
        errors[rows] = reconstruction_errors(originals, decoded, measure)
    return errors


def reconstruction_errors(x: np.ndarray, reconstructed: np.ndarray, measure: Measure = "squared") -> np.ndarray:
    """The error of each sample, (N,), float64.

    x, reconstructed: (N, ...) of as many values. measure: "squared" or "absolute", the mean over the values of a
    sample; "cross-entropy", −Σ x ln p + (1 − x) ln(1 − p) in nats, of values and probabilities in [0, 1].
    """
    from scipy.special import xlogy

    if x.size != reconstructed.size:
        raise InputError(f"got reconstructions of shape {reconstructed.shape} for x of shape {x.shape}")
    shape = x.shape[1:]
    x = x.reshape(len(x), -1).astype(np.float64)
    p = match_shape(reconstructed, shape).reshape(len(x), -1).astype(np.float64)
    if measure == "squared":
        return ((x - p) ** 2).mean(axis=1)
    if measure == "absolute":
        return np.abs(x - p).mean(axis=1)
    if min(x.min(), p.min()) < 0 or max(x.max(), p.max()) > 1:
        raise InputError("cross-entropy: takes values and probabilities in [0, 1]; use measure='squared'")
    tiny = np.finfo(np.float32).eps
    p = np.clip(p, tiny, 1 - tiny)
    return -(xlogy(x, p) + xlogy(1 - x, 1 - p)).sum(axis=1)


def explained_variance(x: np.ndarray, reconstructed: np.ndarray) -> Estimate:
    """1 − Σ‖x − x̂‖² / Σ‖x − x̄‖², with its standard error over the samples (of a ratio, by the delta method).

    x: (N, ...) not all alike. reconstructed: (N, ...) of as many values. 1 is perfect, 0 what the mean of x explains.
    """
    flat = x.reshape(len(x), -1).astype(np.float64)
    total = ((flat - flat.mean(axis=0)) ** 2).sum(axis=1)
    left = reconstruction_errors(x, reconstructed) * flat.shape[1]
    ratio = left.sum() / total.sum()
    error = np.std(left - ratio * total, ddof=1) / (math.sqrt(len(x)) * total.mean())
    return Estimate(float(1 - ratio), float(error))


def principal_reconstruction(x: np.ndarray, count: int) -> np.ndarray:
    """x (N, ...) from its `count` leading principal components: the best linear reconstruction of these samples."""
    from sklearn.decomposition import PCA

    flat = x.reshape(len(x), -1).astype(np.float64)
    pca = PCA(min(count, *flat.shape), random_state=0).fit(flat)
    return pca.inverse_transform(pca.transform(flat)).reshape(x.shape)


@dataclass(frozen=True, eq=False)
class Roc:
    """How well a score tells positives from negatives.

    false_positive, true_positive: (T,) rates as the threshold falls. area: the probability that a positive scores
    higher, with ties halved; 0.5 for a score that says nothing. error: its standard error, NaN where the two sets do
    not overlap and nothing can be told of it.
    """

    false_positive: np.ndarray
    true_positive: np.ndarray
    area: float
    error: float


def roc(negatives: np.ndarray, positives: np.ndarray) -> Roc:
    """The ROC of scores (M,) of negatives and (N,) of positives, its area with DeLong's error (DeLong et al. 1988)."""
    from scipy.stats import rankdata
    from sklearn.metrics import roc_curve

    if min(len(negatives), len(positives)) < 2:
        raise InputError(f"ROC: got {len(negatives)} negatives and {len(positives)} positives, expected 2 of each")
    both = np.concatenate([negatives, positives])
    false, true, _ = roc_curve(np.arange(len(both)) >= len(negatives), both)
    ranks = rankdata(both)
    beaten = (ranks[len(negatives) :] - rankdata(positives)) / len(negatives)  # share of negatives below each positive
    beating = 1 - (ranks[: len(negatives)] - rankdata(negatives)) / len(positives)
    variance = beaten.var(ddof=1) / len(positives) + beating.var(ddof=1) / len(negatives)
    return Roc(false, true, float(beaten.mean()), float(np.sqrt(variance)) if variance > 0 else float("nan"))


def worst_and_median(errors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows of the `count` largest errors, the largest first; rows of the `count` nearest to the median)."""
    order = np.argsort(errors, kind="stable")
    count = min(count, len(errors))
    start = max(0, (len(errors) - count + 1) // 2)
    return order[::-1][:count], order[start : start + count]
