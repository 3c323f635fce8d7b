"""Rotations that bring the codes of several models of the same samples as close together as possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaeviz.errors import InputError


def procrustes_rotation(codes: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotation or reflection that brings codes closest to a target.

    Parameters
    ----------
    codes, target : ndarray, shape (N, D)
        Codes of the same samples.

    Returns
    -------
    ndarray, shape (D, D)
        The orthogonal matrix R that minimizes ‖codes R − target‖².

    Notes
    -----
    R = U Vᵀ, where U S Vᵀ is the singular value decomposition of codesᵀ target. The origin is kept, so that N(0, I)
    stays the prior.

    References
    ----------
    Schönemann, A generalized solution of the orthogonal Procrustes problem, Psychometrika 31, 1966.

    Examples
    --------
    >>> square = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> procrustes_rotation(square @ [[0, 1], [-1, 0]], square).round().tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    left, _, right = np.linalg.svd(codes.astype(np.float64).T @ target.astype(np.float64))
    return np.asarray(left @ right)


def align_codes(codes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Rotate the codes of each model onto those of the next, from the last model to the first.

    Parameters
    ----------
    codes : sequence of ndarray, shape (N, D)
        Codes of the same samples by each model.

    Returns
    -------
    list of ndarray, shape (N, D)
        The aligned codes. Those of the last model are unchanged.

    Raises
    ------
    InputError
        If the codes differ in shape.
    """
    shapes = sorted({one.shape for one in codes})
    if len(shapes) > 1:
        raise InputError(
            f"The codes have different shapes, {shapes[0]} and {shapes[1]}, so they cannot be aligned.",
            got=str(shapes[1]),
            expected=str(shapes[0]),
            fix="Pass models with the same number of latent dimensions, or align=False.",
        )
    aligned = [codes[-1]]
    for one in reversed(codes[:-1]):
        aligned.append(one @ procrustes_rotation(one, aligned[-1]).astype(one.dtype))
    return aligned[::-1]
