"""Two sets of codes of the same samples: how alike are they?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.class_structure import nearest_others
from vaeviz.analysis.jackknife import jackknife_error, mean_standard_error
from vaeviz.errors import InputError, NotApplicable

GROUPS = 20
MIN_SAMPLES = 8
"""Samples of which half, which the jackknife leaves, can still be aligned."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The least-squares similarity from one set of codes to another (Gower 1975).

    aligned: (N, D) the second set, moved, turned or mirrored, and scaled onto the first; a smaller one was filled up
    with zeros. residual: the share of the first set's variance that is left, from 0 to 1.
    """

    aligned: np.ndarray
    residual: float


@dataclass(frozen=True)
class CodeSimilarity:
    """How alike two sets of codes are, each with its standard error and its value for unrelated codes.

    cka: linear centered kernel alignment, 1 for codes that differ by a rotation, shift and scale. residual: of
    Procrustes, 0 for such codes. overlap: the mean share of the k nearest neighbors that both have.
    """

    k: int
    cka: float
    cka_error: float
    cka_null: float
    residual: float
    residual_error: float
    residual_null: float
    overlap: float
    overlap_error: float
    overlap_null: float


def procrustes(codes: np.ndarray, other: np.ndarray) -> Alignment:
    """`other` (N, E) aligned to `codes` (N, D) by a shift, a rotation or reflection, and one scale."""
    from scipy.linalg import orthogonal_procrustes

    codes, other = _same_width(*_checked(codes, other))
    center = codes.mean(axis=0)
    codes, other = codes - center, other - other.mean(axis=0)
    rotation, trace = orthogonal_procrustes(other, codes)
    scale = trace / (other**2).sum()
    residual = 1 - trace**2 / ((other**2).sum() * (codes**2).sum())
    return Alignment(scale * other @ rotation + center, float(max(residual, 0.0)))


def linear_cka(codes: np.ndarray, other: np.ndarray) -> float:
    """Linear CKA of codes (N, D) and (N, E): ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), centered (Kornblith et al. 2019, eq. 5)."""
    x, y = (part - part.mean(axis=0) for part in _checked(codes, other))
    return float((np.linalg.norm(y.T @ x) ** 2) / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def neighbor_overlap(codes: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """The share of each point's k nearest neighbors in one set that are so in the other: (N,)."""
    if k < 1:
        raise InputError(f"k = {k}: expected 1 or more neighbors")
    if k >= len(codes):
        raise NotApplicable(f"{k} neighbors need more than {len(codes)} points; lower k")
    ours, theirs = (nearest_others(part, k) for part in _checked(codes, other))
    return (ours[:, :, None] == theirs[:, None, :]).any(axis=2).mean(axis=1)


def code_similarity(codes: np.ndarray, other: np.ndarray, *, k: int = 10, seed: int = 0) -> CodeSimilarity:
    """CKA, Procrustes residual and neighbor overlap of codes (N, D) and (N, E) of the same N samples.

    Errors of the first two by the jackknife, of the third over the points. Their values for unrelated codes are means
    over ten random pairings of the rows; k / (N − 1) for the neighbors.
    """
    codes, other = _checked(codes, other)
    if len(codes) < MIN_SAMPLES:
        raise NotApplicable(f"the agreement of {len(codes)} samples would be noise; it needs {MIN_SAMPLES} or more")

    def both(rows: np.ndarray) -> np.ndarray:
        return np.array([linear_cka(codes[rows], other[rows]), procrustes(codes[rows], other[rows]).residual])

    rng = np.random.default_rng(seed)
    cka, residual = both(np.arange(len(codes)))
    cka_error, residual_error = jackknife_error(both, len(codes), groups=min(GROUPS, len(codes) // 2), seed=seed)
    shuffled = [other[rng.permutation(len(other))] for _ in range(10)]
    overlap = neighbor_overlap(codes, other, k)
    return CodeSimilarity(
        k,
        float(cka),
        float(cka_error),
        float(np.mean([linear_cka(codes, part) for part in shuffled])),
        float(residual),
        float(residual_error),
        float(np.mean([procrustes(codes, part).residual for part in shuffled])),
        float(overlap.mean()),
        float(mean_standard_error(overlap)),
        k / (len(codes) - 1),
    )


def _checked(codes: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes, other = np.asarray(codes, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if len(codes) != len(other):
        raise InputError(f"got {len(codes)} and {len(other)} codes, expected two codes of each sample")
    if len(codes) < 4:
        raise NotApplicable(f"an alignment of {len(codes)} samples would mean nothing, it needs 4 or more")
    if min(np.ptp(codes, axis=0).max(), np.ptp(other, axis=0).max()) == 0:
        raise NotApplicable("all codes of one encoder are the same, there is nothing to compare")
    return codes, other


def _same_width(codes: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = max(codes.shape[1], other.shape[1])
    return tuple(np.pad(part, ((0, 0), (0, size - part.shape[1]))) for part in (codes, other))
