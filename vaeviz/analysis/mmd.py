"""Maximum mean discrepancy between two sets of samples (Gretton et al. 2012, JMLR 13)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng
from vaeviz.analysis.estimates import Estimate
from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class MMDTest:
    """MMD² of two samples and what it is by chance alone.

    squared: the unbiased estimate of MMD², which may be negative. null: (P,) the same after random exchanges of the
    samples. p_value: (1 + #{null ≥ squared}) / (1 + P), Phipson & Smyth 2010. length: ℓ of the kernel.
    """

    squared: Estimate
    null: np.ndarray
    p_value: float
    length: float


def mmd_test(
    a: np.ndarray, b: np.ndarray, *, length: float | None = None, permutations: int = 500, seed: int = 0
) -> MMDTest:
    """Whether samples a (n, D) and b (m, D) are of one distribution, by the kernel exp(−‖u − v‖² / 2ℓ²).

    length: ℓ; by default the median distance between all the samples (ibid.).
    The memory is that of the (n + m)² kernel. The standard error is that of a U-statistic where the two differ
    (ibid.); where they are alike the null says what to expect.
    """
    if min(len(a), len(b)) < 2 or permutations < 1:
        raise InputError(f"MMD: got {len(a)} and {len(b)} samples, {permutations} permutations; expected 2, 2 and 1")
    squares = squared_distances(np.concatenate([a, b]))
    length = median_distance(squares) if length is None else length
    if not length > 0:
        raise InputError(f"MMD: the kernel's length is {length:g}, expected more than 0; are all samples alike?")
    kernel = np.exp(squares / (-2 * length**2))
    np.fill_diagonal(kernel, 0)
    rng = analysis_rng(seed)
    first = np.zeros((len(kernel), 1 + permutations))  # which samples stand as `a`, in each column
    first[: len(a)] = 1
    first[:, 1:] = rng.permuted(first[:, 1:], axis=0)
    found = _unbiased(kernel, first, len(a), len(b))
    p_value = float((1 + (found[1:] >= found[0]).sum()) / (1 + permutations))
    return MMDTest(Estimate(float(found[0]), _standard_error(kernel, len(a))), found[1:], p_value, length)


def shifted_mmd(shift: float, size: int, length: float) -> float:
    """MMD² between N(0, I) and N(m, I) in `size` dimensions, ‖m‖ = `shift`, by that kernel: in closed form."""
    return _overlap(size, length) * (1 - math.exp(-(shift**2) / (2 * (length**2 + 2))))


def equal_shift(squared: float, size: int, length: float) -> float:
    """The ‖m‖ at which N(m, I) would have that MMD² from N(0, I); 0 for a negative one, ∞ beyond all shifts."""
    left = 1 - max(squared, 0) / _overlap(size, length)
    return math.sqrt(-2 * (length**2 + 2) * math.log(left)) if left > 0 else math.inf


def _overlap(size: int, length: float) -> float:
    return 2 * (length**2 / (length**2 + 2)) ** (size / 2)


def squared_distances(points: np.ndarray) -> np.ndarray:
    """‖u − v‖² between all points (n, D): (n, n)."""
    points = np.asarray(points, np.float64)
    points = points - points.mean(axis=0)
    norms = (points**2).sum(axis=1)
    return np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0)


def median_distance(squares: np.ndarray) -> float:
    """The median distance between different points, from their squared distances (n, n)."""
    return math.sqrt(np.median(squares[np.triu_indices(len(squares), 1)]))


def _unbiased(kernel: np.ndarray, first: np.ndarray, n: int, m: int) -> np.ndarray:
    """MMD²_u (ibid., eq. 3) for each column of `first`; the kernel's diagonal is zero."""
    rows = kernel.sum(axis=1)
    with_first = (first * (kernel @ first)).sum(axis=0)
    across = rows @ first - with_first
    with_second = rows.sum() - with_first - 2 * across
    return with_first / (n * (n - 1)) + with_second / (m * (m - 1)) - 2 * across / (n * m)


def _standard_error(kernel: np.ndarray, n: int) -> float:
    """From the variance over each sample of its mean contribution, the first term of the U-statistic's variance."""
    m = len(kernel) - n
    of_a = kernel[:n, :n].sum(axis=1) / (n - 1) - kernel[:n, n:].mean(axis=1)
    of_b = kernel[n:, n:].sum(axis=1) / (m - 1) - kernel[n:, :n].mean(axis=1)
    return 2 * math.sqrt(of_a.var(ddof=1) / n + of_b.var(ddof=1) / m)
