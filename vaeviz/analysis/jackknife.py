"""How uncertain a number is: the standard error of a mean, and of any statistic of a sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def mean_standard_error(values: np.ndarray) -> np.ndarray:
    """The standard error of the mean of independent values (N, ...) along the first axis; NaN for fewer than two."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)[()]
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


def jackknife_error(statistic: Callable[[np.ndarray], np.ndarray], total: int, *, groups: int, seed: int) -> np.ndarray:
    """The standard error of ``statistic(rows)`` by the delete-a-group jackknife (Efron & Tibshirani 1993, ch. 11).

    statistic: a number or an array of the samples that `rows` selects. total: how many samples there are, dealt at
    random with `seed` into so many `groups`; each is left out once. NaN if there are fewer than two samples a group.
    """
    if total < 2 * groups:
        return np.full(np.shape(statistic(np.arange(total))), np.nan)[()]
    dealt = np.array_split(np.random.default_rng(seed).permutation(total), groups)
    without = [np.sort(np.concatenate(dealt[:g] + dealt[g + 1 :])) for g in range(groups)]
    values = np.array([statistic(rows) for rows in without])
    return np.sqrt((groups - 1) / groups * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
