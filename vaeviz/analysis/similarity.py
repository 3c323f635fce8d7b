"""Similarity of two sets of codes of the same samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.analysis.class_structure import nearest_others
from vaeviz.analysis.estimates import Score
from vaeviz.analysis.jackknife import jackknife_error
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

MAX_GROUPS = 20  # of the jackknife
MAX_WIDE_SAMPLES = (
    400  # of codes with more dimensions than that; the cost of an alignment is cubic in the smaller number
)
MIN_SAMPLES = 8  # the jackknife leaves half of them, which can still be aligned
MIN_ALIGNED_SAMPLES = 4  # with fewer, an alignment fits unrelated codes
N_SHUFFLES = 10  # random pairings, for the scores of unrelated codes


@dataclass(frozen=True, eq=False, repr=False)
class Alignment(ShortRepr):
    """Least-squares alignment of one set of codes to another (Gower 1975).

    Attributes
    ----------
    aligned : ndarray, shape (N, D)
        The second set, shifted, rotated or reflected, and scaled onto the first. The smaller set is padded with zeros.
    residual : float
        Share of the first set's variance that remains, from 0 to 1.
    """

    aligned: np.ndarray
    residual: float


@dataclass(frozen=True, repr=False)
class CodeSimilarity(ShortRepr):
    """Similarity of two sets of codes by three measures, each with its value for unrelated codes.

    Attributes
    ----------
    k : int
        Number of neighbors.
    n_samples : int
        Number of samples that were compared.
    cka : Score
        Linear centered kernel alignment; 1 for codes that differ by a rotation, shift and scale.
    residual : Score
        Residual variance after a Procrustes alignment; 0 for such codes.
    overlap : Score
        Mean share of the k nearest neighbors that both sets have in common.
    """

    k: int
    n_samples: int
    cka: Score
    residual: Score
    overlap: Score

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per measure.

        Returns
        -------
        pandas.DataFrame
            Columns ``name``, ``value``, ``standard_error`` and ``null``.
        """
        import pandas as pd

        return pd.DataFrame([self.cka, self.residual, self.overlap])[["name", "value", "standard_error", "null"]]


def procrustes(codes: np.ndarray, other: np.ndarray) -> Alignment:
    """Align codes to others by a shift, a rotation or reflection, and one scale.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes to align to.
    other : ndarray, shape (N, E)
        Codes of the same samples, which are moved.

    Returns
    -------
    Alignment
        The aligned codes and the residual.

    Notes
    -----
    For centered codes X and Y, the residual is 1 − (Σ s)² / (‖X‖² ‖Y‖²), with s the singular values of YᵀX.

    References
    ----------
    Gower 1975, "Generalized Procrustes analysis", Psychometrika 40.
    """
    codes, other = _pad_to_same_width(*_check_pair(codes, other))
    center = codes.mean(axis=0)
    codes, other = codes - center, other - other.mean(axis=0)
    (basis, codes), (_, other) = (np.linalg.qr(part.T) for part in (codes, other))  # columns: at most N dimensions
    left, values, right = np.linalg.svd(other @ codes.T)
    trace = values.sum()
    scale = trace / (other**2).sum()
    residual = 1 - trace**2 / ((other**2).sum() * (codes**2).sum())
    return Alignment(scale * other.T @ (left @ right) @ basis.T + center, float(max(residual, 0.0)))


def linear_cka(codes: np.ndarray, other: np.ndarray) -> float:
    """Compute the linear centered kernel alignment (CKA) of two sets of codes.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    other : ndarray, shape (N, E)
        Other codes of the same samples.

    Returns
    -------
    float
        ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centered codes, in Frobenius norms, from 0 to 1.

    References
    ----------
    Kornblith et al. 2019, "Similarity of Neural Network Representations Revisited", arXiv:1905.00414, eq. 5.

    Examples
    --------
    >>> codes = np.array([[0.0, 1], [1, 0], [2, 5], [3, 1]])
    >>> round(linear_cka(codes, 7 - 2 * codes[:, ::-1]), 6)  # reflected, shifted and scaled
    1.0
    """
    x, y = (part - part.mean(axis=0) for part in _check_pair(codes, other))
    return float((np.linalg.norm(y.T @ x) ** 2) / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def neighbor_overlap(codes: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Return the share of nearest neighbors that two sets of codes have in common.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    other : ndarray, shape (N, E)
        Other codes of the same samples.
    k : int
        Number of neighbors.

    Returns
    -------
    ndarray, shape (N,)
        Share of the k nearest neighbors of each point that are the same in both sets.

    Raises
    ------
    InputError
        If `k` is below 1.
    NotApplicable
        If there are no more than `k` points.
    """
    if k < 1:
        raise InputError(
            f"k = {k} neighbors were requested, but at least 1 is needed.", got=f"k = {k}", expected="1 or more"
        )
    if k >= len(codes):
        raise NotApplicable(f"{k} neighbors need more than {len(codes)} points.", fix=f"Pass k below {len(codes)}.")
    ours, theirs = (nearest_others(part, k) for part in _check_pair(codes, other))
    return np.asarray((ours[:, :, None] == theirs[:, None, :]).any(axis=2).mean(axis=1))


def code_similarity(codes: np.ndarray, other: np.ndarray, *, k: int = 10, seed: int = 0) -> CodeSimilarity:
    """Compare two sets of codes of the same samples by CKA, Procrustes residual and neighbor overlap.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    other : ndarray, shape (N, E)
        Other codes of the same samples.
    k : int, default: 10
        Number of neighbors for the overlap.
    seed : int, default: 0
        Seed of the jackknife's groups and of the random pairings.

    Returns
    -------
    CodeSimilarity
        The three measures.

    Raises
    ------
    InputError
        If the numbers of codes differ.
    NotApplicable
        If there are too few samples, or all codes of one set are equal.

    Notes
    -----
    Standard errors are by the jackknife, since a point is a neighbor of others. The values for unrelated codes are
    means over ten random pairings of the rows; for the overlap k / (N − 1). Codes of more than 400 dimensions are
    compared on `compared_rows`, and rotated to as many dimensions as there are samples, which changes no measure.
    """
    codes, other = _check_pair(codes, other)
    rows = compared_rows(codes, other, seed)
    codes, other = (_rotate_to_fewest_dims(part[rows]) for part in (codes, other))
    if len(codes) < MIN_SAMPLES:
        raise NotApplicable(f"The similarity of {len(codes)} samples would be noise; it needs at least {MIN_SAMPLES}.")

    def cka_and_residual(rows: np.ndarray) -> np.ndarray:
        return np.array([linear_cka(codes[rows], other[rows]), procrustes(codes[rows], other[rows]).residual])

    def overlap_of(rows: np.ndarray) -> float:
        return float(neighbor_overlap(codes[rows], other[rows], min(k, len(rows) - 1)).mean())

    rng = np.random.default_rng(seed)
    values = cka_and_residual(np.arange(len(codes)))
    n_groups = min(MAX_GROUPS, len(codes) // 2)
    errors = jackknife_error(cka_and_residual, len(codes), n_groups=n_groups, seed=seed)
    shuffled = [other[rng.permutation(len(other))] for _ in range(N_SHUFFLES)]
    cka_null = np.mean([linear_cka(codes, part) for part in shuffled])
    residual_null = np.mean([procrustes(codes, part).residual for part in shuffled])
    overlap = neighbor_overlap(codes, other, k).mean()
    overlap_error = jackknife_error(overlap_of, len(codes), n_groups=n_groups, seed=seed)
    return CodeSimilarity(
        k,
        len(codes),
        Score(float(values[0]), float(errors[0]), float(cka_null), "CKA"),
        Score(float(values[1]), float(errors[1]), float(residual_null), "Procrustes residual"),
        Score(float(overlap), float(overlap_error), k / (len(codes) - 1), "neighbor overlap"),
    )


def compared_rows(codes: np.ndarray, other: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the rows on which two sets of codes can be compared at a bounded cost.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    other : ndarray, shape (N, E)
        Other codes of the same samples.
    seed : int, default: 0
        Seed of the choice.

    Returns
    -------
    ndarray of int
        All rows, or 400 random ones in ascending order if a code has more dimensions than that.
    """
    is_wide = max(codes.shape[1], other.shape[1]) > MAX_WIDE_SAMPLES
    return subsample_rows(MAX_WIDE_SAMPLES if is_wide else None, len(codes), seed)


def _rotate_to_fewest_dims(codes: np.ndarray) -> np.ndarray:
    """Return codes (N, D) rotated to at most N dimensions, with the same distances."""
    return codes if codes.shape[1] <= len(codes) else np.asarray(np.linalg.qr((codes - codes.mean(axis=0)).T)[1].T)


def _check_pair(codes: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes, other = np.asarray(codes, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if len(codes) != len(other):
        raise InputError(
            f"The two encoders returned {len(codes)} and {len(other)} codes, but both must return one per sample.",
            got=f"{len(codes)} and {len(other)} codes",
            expected="two codes of each sample",
        )
    if len(codes) < MIN_ALIGNED_SAMPLES:
        raise NotApplicable(
            f"An alignment of {len(codes)} samples is meaningless; it needs at least {MIN_ALIGNED_SAMPLES}."
        )
    if min(np.ptp(codes, axis=0).max(), np.ptp(other, axis=0).max()) == 0:
        raise NotApplicable("All codes of one encoder are equal, so there is nothing to compare.")
    return codes, other


def _pad_to_same_width(codes: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = max(codes.shape[1], other.shape[1])
    codes, other = (np.pad(part, ((0, 0), (0, size - part.shape[1]))) for part in (codes, other))
    return codes, other
