"""Reconstructions that show little more than the mean of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.reconstruction import explained_variance, principal_reconstruction, reconstruction_errors
from vaeviz.data.batches import check_samples
from vaeviz.data.labels import factorize_labels
from vaeviz.data.out_of_core import take_rows
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import count_noun, percent
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.model.conditions import are_classes, as_condition
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode

MAX_SHARE_OF_MEAN = 0.05  # of the variance; reconstructions that explain less are no better than the mean
MIN_SAMPLES_PER_CONDITION = 4  # on average; fewer would be explained by the mean of their condition


@health_check(
    "Do reconstructions show the sample, and not the mean of all samples?",
    unit="of the variance of x",
    flags="below",
    source="compared with the best linear reconstruction from as many dimensions, PCA (Eckart & Young 1936); "
    "min_share: our choice",
)
def reconstruction(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    min_share: float = 0.5,
    n_samples: int = 2000,
    seed: int = 0,
) -> Measurement:
    """Measure the share of the variance of x that reconstructions from posterior means explain.

    Parameters
    ----------
    encoder, decoder : object
        Anything that `vaeviz.encode` and `vaeviz.decode` take.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    min_share : float, default 0.5
        Smallest share allowed, relative to the variance that a PCA with as many dimensions explains.
    n_samples : int, default 2000
        Number of samples x, for the model and the PCA.
    seed : int, default 0
        Seed of the choice of samples.

    Returns
    -------
    Measurement
        The explained share of the variance.

    Raises
    ------
    NotApplicable
        If all samples are equal.

    Notes
    -----
    The mean of the data explains nothing. A conditional model knows the condition of each sample, so both shares are of
    the variance within the conditions, and the means of the conditions explain nothing either.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    rows = choose_rows(x, n_samples, seed)
    chosen = take_rows(x, rows)
    if not np.ptp(chosen, axis=0).any():
        raise NotApplicable("All samples are equal, so their reconstructions cannot tell them apart.")
    decoded, what = decode(decoder, posterior[rows], reference=x), "x"
    if posterior.condition is not None:
        chosen, decoded = _subtract_condition_means(posterior.condition[rows], chosen, decoded)
        what = "x within its conditions"
    ours = explained_variance(chosen, decoded)
    linear = explained_variance(chosen, principal_reconstruction(chosen, posterior.size))
    baseline = f"a PCA with {count_noun(posterior.size)}"
    no_better = ", no better than the mean of the data" if ours.value < MAX_SHARE_OF_MEAN else ""
    return Measurement(
        sentence=f"Reconstructions explain {percent(ours.value, ours.standard_error)} of the variance of {what}"
        f"{no_better} ({baseline}: {percent(linear.value)}).",
        value=ours.value,
        error=ours.standard_error,
        threshold=min_share * linear.value,
        n_samples=len(rows),
        reference=baseline,
        baselines={"mean of x": 0.0, baseline: linear.value},
        numbers={"mean_squared_error": reconstruction_errors(chosen, decoded).mean()},
    )


def _subtract_condition_means(condition: Any, x: np.ndarray, decoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subtract per-condition means of x from x and its reconstruction; the mean of all if conditions hardly repeat."""
    values, of_row = np.unique(_comparable_conditions(condition).reshape(len(x), -1), axis=0, return_inverse=True)
    repeats = len(values) <= len(x) / MIN_SAMPLES_PER_CONDITION
    of_row = of_row.reshape(-1) if repeats else np.zeros(len(x), dtype=int)
    means = np.stack([x[of_row == index].mean(axis=0) for index in range(of_row.max() + 1)])
    return x - means[of_row], decoded - means[of_row]


def _comparable_conditions(condition: Any) -> np.ndarray:
    """Return conditions as numbers that are equal where the conditions are."""
    values = as_condition(condition)
    return factorize_labels(values)[0] if are_classes(values, None) else np.asarray(values)
