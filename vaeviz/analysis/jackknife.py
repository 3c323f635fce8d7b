"""Standard errors of statistics that are not means, by the jackknife."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def jackknife_error(statistic: Callable[[np.ndarray], Any], n_samples: int, *, n_groups: int, seed: int) -> np.ndarray:
    """Return the standard error of a statistic by the delete-a-group jackknife.

    Parameters
    ----------
    statistic : callable
        Maps indices of samples, shape (M,), to a number or an array: the statistic of these samples.
    n_samples : int
        Number of samples.
    n_groups : int
        Number of random groups; the statistic is computed once without each of them.
    seed : int
        Seed of the grouping.

    Returns
    -------
    ndarray
        Standard error of each value of the statistic; NaN for fewer than two samples a group.

    References
    ----------
    Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 11.
    """
    if n_samples < 2 * n_groups:
        return np.full(np.shape(statistic(np.arange(n_samples))), np.nan)
    groups = np.array_split(np.random.default_rng(seed).permutation(n_samples), n_groups)
    kept = [np.sort(np.concatenate(groups[:g] + groups[g + 1 :])) for g in range(n_groups)]
    values = np.array([statistic(rows) for rows in kept])
    squares = (values - values.mean(axis=0)) ** 2
    return np.asarray(np.sqrt((n_groups - 1) / n_groups * squares.sum(axis=0)))
