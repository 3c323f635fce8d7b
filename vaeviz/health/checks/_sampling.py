"""Limits on the samples and codes of a check, which bound its time and memory for data of any size."""

from __future__ import annotations

import math

import numpy as np

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.out_of_core import SampleStream

MAX_VALUES = 1 << 25  # of x in memory at once; 268 MB in float64
MAX_SCORES = 1_000_000_000  # triples of code, posterior and dimension; some ten seconds of one core
MIN_CODES = 100  # fewer codes would estimate nothing


def choose_rows(
    x: np.ndarray | SampleStream, n_samples: int, seed: int, *, among: np.ndarray | None = None
) -> np.ndarray:
    """Choose different rows of x at random, and return them in ascending order.

    There are at most `n_samples` of them, and fewer if samples are large. `among` holds the rows to choose from in
    ascending order; None means all. Plots choose the same rows with the same seed, so that their numbers agree.
    """
    among = np.arange(len(x)) if among is None else among
    n_rows = max(2, min(n_samples, MAX_VALUES // math.prod(x.shape[1:])))
    return np.asarray(among[subsample_rows(n_rows, len(among), seed)])


def n_codes_to_score(n_codes: int, n_posteriors: int, n_dims: int) -> int:
    """Return how many codes to score under all posteriors: `n_codes`, or fewer if posteriors are many and large."""
    n_values = min(n_posteriors, MAX_POSTERIORS) * n_dims
    return min(n_codes, max(MIN_CODES, MAX_SCORES // n_values))
