"""Maximum mean discrepancy (MMD) between two sets of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng
from vaeviz.analysis.estimates import Estimate
from vaeviz.data.arrays import as_matrix
from vaeviz.errors import InputError
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr


@dataclass(frozen=True, eq=False, repr=False)
class MMDTest(ShortRepr):
    """MMD² of two samples, and its distribution by chance.

    Attributes
    ----------
    squared : Estimate
        Unbiased estimate of MMD², which may be negative.
    null : ndarray, shape (P,)
        The same estimate after random permutations of the pooled samples.
    p_value : float
        (1 + #{null ≥ squared}) / (1 + P), Phipson & Smyth 2010.
    length : float
        Length scale ℓ of the kernel.
    """

    squared: Estimate
    null: np.ndarray
    p_value: float
    length: float


def mmd_test(
    a: np.ndarray, b: np.ndarray, *, length: float | None = None, n_permutations: int = 500, seed: int = 0
) -> MMDTest:
    """Test whether two samples come from one distribution, by MMD with a Gaussian kernel.

    Parameters
    ----------
    a : ndarray, shape (N, D)
        Samples of one distribution.
    b : ndarray, shape (M, D)
        Samples of the other.
    length : float, optional
        Length scale ℓ of the kernel; by default the median distance between all samples.
    n_permutations : int, default: 500
        Random permutations of the pooled samples, for the null distribution.
    seed : int, default: 0
        Seed of the permutations.

    Returns
    -------
    MMDTest
        MMD² with its standard error, null distribution and p-value.

    Raises
    ------
    InputError
        For fewer than two samples in a set, for no permutations, and if all samples are equal.

    Notes
    -----
    MMD² = E k(a, a′) + E k(b, b′) − 2 E k(a, b), with the kernel k(u, v) = exp(−‖u − v‖² / 2ℓ²), estimated without
    bias (Gretton et al. 2012, eq. 3). Memory is that of the (N + M)² kernel matrix.

    References
    ----------
    Gretton et al. 2012, "A kernel two-sample test", JMLR 13.
    Phipson & Smyth 2010, "Permutation P-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9.
    """
    check_arguments(mmd_test, locals())
    a, b = as_matrix(a, "a"), as_matrix(b, "b")
    if a.shape[1] != b.shape[1]:
        raise InputError(
            f"a has {a.shape[1]} dimensions but b has {b.shape[1]}.", got=str(b.shape[1]), expected=str(a.shape[1])
        )
    if min(len(a), len(b)) < 2 or n_permutations < 1:
        raise InputError(
            f"MMD received {len(a)} and {len(b)} samples and {n_permutations} permutations, but needs at least 2 "
            "samples in each set and 1 permutation.",
            got=f"{len(a)} and {len(b)} samples, {n_permutations} permutations",
            expected="at least 2, 2 and 1",
        )
    squares = squared_distances(np.concatenate([a, b]))
    length = median_distance(squares) if length is None else length
    if not length > 0:
        raise InputError(
            f"The length scale of the MMD kernel is {length:g}, but must be positive. By default it is the median "
            "distance, which is 0 if most samples are equal.",
            got=f"length = {length:g}",
            expected="a positive number",
            fix="Pass a positive length.",
        )
    kernel = np.exp(squares / (-2 * length**2))
    np.fill_diagonal(kernel, 0)
    rng = analysis_rng(seed)
    is_first = np.zeros((len(kernel), 1 + n_permutations))  # column by column, which samples belong to set a
    is_first[: len(a)] = 1
    is_first[:, 1:] = rng.permuted(is_first[:, 1:], axis=0)
    squared = _unbiased_mmd(kernel, is_first, len(a), len(b))
    p_value = float((1 + (squared[1:] >= squared[0]).sum()) / (1 + n_permutations))
    return MMDTest(Estimate(float(squared[0]), _mmd_error(kernel, len(a))), squared[1:], p_value, length)


def shifted_mmd(shift: float, n_dims: int, length: float) -> float:
    """Return MMD² between N(0, I) and N(m, I) in closed form.

    Parameters
    ----------
    shift : float
        ‖m‖.
    n_dims : int
        Number of dimensions.
    length : float
        Length scale ℓ of the kernel.

    Returns
    -------
    float
        2 (ℓ² / (ℓ² + 2))^{D/2} [1 − exp(−‖m‖² / (2 (ℓ² + 2)))].

    Examples
    --------
    >>> round(shifted_mmd(0.5, 2, 1.0), 4)
    0.0272
    """
    return _largest_mmd(n_dims, length) * (1 - math.exp(-(shift**2) / (2 * (length**2 + 2))))


def equal_shift(squared: float, n_dims: int, length: float) -> float:
    """Return the shift ‖m‖ at which N(m, I) has a given MMD² from N(0, I).

    Parameters
    ----------
    squared : float
        MMD².
    n_dims : int
        Number of dimensions.
    length : float
        Length scale ℓ of the kernel.

    Returns
    -------
    float
        Inverse of `shifted_mmd`; 0 for a negative MMD², ∞ for one that no shift reaches.
    """
    left = 1 - max(squared, 0) / _largest_mmd(n_dims, length)
    return math.sqrt(-2 * (length**2 + 2) * math.log(left)) if left > 0 else math.inf


def _largest_mmd(n_dims: int, length: float) -> float:
    """Return the limit of MMD² between N(0, I) and N(m, I) for an infinite shift."""
    return float(2 * (length**2 / (length**2 + 2)) ** (n_dims / 2))


def squared_distances(points: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances between all points.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        Points.

    Returns
    -------
    ndarray, shape (N, N)
        ‖u − v‖², float64.
    """
    points = np.asarray(points, np.float64)
    points = points - points.mean(axis=0)
    norms = (points**2).sum(axis=1)
    return np.asarray(np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0))


def median_distance(squares: np.ndarray) -> float:
    """Return the median distance between different points.

    Parameters
    ----------
    squares : ndarray, shape (N, N)
        Squared distances.

    Returns
    -------
    float
        The median.
    """
    return math.sqrt(np.median(squares[np.triu_indices(len(squares), 1)]))


def _unbiased_mmd(kernel: np.ndarray, is_first: np.ndarray, n: int, m: int) -> np.ndarray:
    """Return MMD²_u (Gretton et al. 2012, eq. 3) for each column of `is_first`; the kernel's diagonal is zero."""
    rows = kernel.sum(axis=1)
    within_first = (is_first * (kernel @ is_first)).sum(axis=0)
    across = rows @ is_first - within_first
    within_second = rows.sum() - within_first - 2 * across
    return np.asarray(within_first / (n * (n - 1)) + within_second / (m * (m - 1)) - 2 * across / (n * m))


def _mmd_error(kernel: np.ndarray, n: int) -> float:
    """Return the standard error of MMD²_u from the first term of the variance of a U-statistic."""
    m = len(kernel) - n
    first = kernel[:n, :n].sum(axis=1) / (n - 1) - kernel[:n, n:].mean(axis=1)  # witness function at the samples
    second = kernel[n:, n:].sum(axis=1) / (m - 1) - kernel[n:, :n].mean(axis=1)
    return 2 * math.sqrt(first.var(ddof=1) / n + second.var(ddof=1) / m)
