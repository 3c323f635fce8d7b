"""Paths between two codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vaeviz.errors import InputError

MIN_ANGLE = 1e-6  # radians; below it the arc equals the straight line up to rounding


def lerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Interpolate linearly between two codes.

    Parameters
    ----------
    a, b : array_like, shape (D,)
        First and last code.
    t : array_like, shape (T,)
        Times in [0, 1].

    Returns
    -------
    ndarray, shape (T, D)
        Codes along the straight line.
    """
    a, b, t = np.asarray(a, float), np.asarray(b, float), np.asarray(t, float)
    return np.asarray((1 - t)[:, None] * a + t[:, None] * b)


def slerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Interpolate spherically between two codes.

    Parameters
    ----------
    a, b : array_like, shape (D,)
        First and last code.
    t : array_like, shape (T,)
        Times in [0, 1].

    Returns
    -------
    ndarray, shape (T, D)
        Codes along the great arc.

    Raises
    ------
    InputError
        If a code is zero and has no direction, or if the codes are opposite and no arc is unique.

    Notes
    -----
    [sin((1 − t)Ω) a + sin(tΩ) b] / sin Ω, with Ω the angle between a and b. As Ω → 0 it is the straight line.

    References
    ----------
    Shoemake 1985, "Animating rotation with quaternion curves", SIGGRAPH.
    White 2016, "Sampling Generative Networks", arXiv:1609.04468.
    """
    a, b, t = np.asarray(a, float), np.asarray(b, float), np.asarray(t, float)
    norms = np.linalg.norm(a), np.linalg.norm(b)
    fix = 'Use linear interpolation, method="linear".'
    if min(norms) == 0:
        raise InputError(
            "A code is zero and has no direction for spherical interpolation.",
            got="a zero code",
            expected="codes with a direction",
            fix=fix,
        )
    u, v = a / norms[0], b / norms[1]
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    if angle > np.pi - MIN_ANGLE:
        raise InputError(
            "The codes are opposite, so no arc between them is unique.",
            got="opposite codes",
            expected="codes less than 180° apart",
            fix=fix,
        )
    if angle < MIN_ANGLE:
        return lerp(a, b, t)
    weights = np.sin(np.stack([(1 - t) * angle, t * angle], axis=1)) / np.sin(angle)
    return np.asarray(weights @ np.stack([a, b]))


PATHS = {"linear": lerp, "slerp": slerp}
