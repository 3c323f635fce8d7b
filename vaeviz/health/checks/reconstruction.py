from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.reconstruction import explained_variance, principal_reconstruction, reconstruction_errors
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import factorize_labels
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.health.checks._wording import count_noun, percent
from vaeviz.model.conditions import are_classes, as_condition
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode

LIKE_THE_MEAN = 0.05  # of the variance explained


@health_check(
    unit="of the variance of x",
    flags="below",
    source="beside the best linear reconstruction from as many dimensions, PCA (Eckart & Young 1936); min_share: ours",
)
def reconstruction(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    min_share: float = 0.5,
    n: int = 2000,
    seed: int = 0,
) -> Measurement:
    """Do reconstructions show the sample, and not the mean of them all?

    min_share: of the variance of x that a PCA of as many dimensions explains, reconstructions from posterior means must
    explain such a share. The mean of the data explains none, nor do the means of the conditions, of which a
    conditional model is told: there both are of the variance within. n: of so many samples, for both.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    rows = choose_rows(x, n, seed)
    some = take_rows(x, rows)
    if not np.ptp(some, axis=0).any():
        raise NotApplicable("all samples are the same, so that there is nothing to tell apart")
    decoded, of = decode(decoder, posterior[rows], reference=x), "x"
    if posterior.condition is not None:
        some, decoded, of = *_within(posterior.condition[rows], some, decoded), "x within its conditions"
    ours = explained_variance(some, decoded)
    linear = explained_variance(some, principal_reconstruction(some, posterior.size))
    threshold = min_share * linear.value
    flagged = ours.value + 2 * ours.standard_error < threshold
    told = f"explain {percent(ours.value, ours.standard_error)} of the variance of {of}"
    beside = f"a PCA of {count_noun(posterior.size)}: {percent(linear.value)}"
    if not flagged:
        sentence = f"Reconstructions {told} ({beside})."
    elif ours.value < LIKE_THE_MEAN:
        sentence = f"Reconstructions {told}, no better than the mean of the data ({beside})."
    else:
        sentence = f"Reconstructions {told}, much less than a linear code of this size could ({beside})."
    return Measurement(
        flagged=flagged,
        sentence=sentence,
        value=ours.value,
        error=ours.standard_error,
        threshold=threshold,
        samples=len(rows),
        baselines={"mean of x": 0.0, f"PCA, {posterior.size}-D": linear.value},
        numbers={"mean_squared_error": reconstruction_errors(some, decoded).mean()},
    )


def _within(condition: Any, x: np.ndarray, decoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the mean of x under each one's condition; less that of all where conditions hardly come again."""
    values, of_each = np.unique(_comparable(condition).reshape(len(x), -1), axis=0, return_inverse=True)
    of_each = of_each.reshape(-1) if len(values) <= len(x) / 4 else np.zeros(len(x), dtype=int)
    means = np.stack([x[of_each == one].mean(axis=0) for one in range(of_each.max() + 1)])
    return x - means[of_each], decoded - means[of_each]


def _comparable(condition: Any) -> np.ndarray:
    """Conditions as numbers, equal where they are: names by their places."""
    values = as_condition(condition)
    return factorize_labels(values)[0] if are_classes(values, None) else np.asarray(values)
