"""Paths between two codes."""

from __future__ import annotations

import numpy as np

from vaeviz.errors import InputError


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The straight line from a to b (D,) at times t (T,) in [0, 1]: (T, D)."""
    a, b, t = np.asarray(a, float), np.asarray(b, float), np.asarray(t, float)
    return (1 - t)[:, None] * a + t[:, None] * b


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The great arc from a to b (D,) at times t (T,) in [0, 1]: (T, D) (Shoemake 1985; White 2016).

    [sin((1−t)Ω) a + sin(tΩ) b] / sin Ω with Ω the angle between a and b; as Ω → 0 it is the straight line.
    Raises `InputError` where there is no such arc: a zero vector has no direction, antipodes no unique path.
    """
    a, b, t = np.asarray(a, float), np.asarray(b, float), np.asarray(t, float)
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) == 0:
        raise InputError("slerp: a code is zero and has no direction; use linear interpolation")
    u, v = a / norms[0], b / norms[1]
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    if angle > np.pi - 1e-6:
        raise InputError("slerp: the codes are opposite and no arc between them is unique; use linear interpolation")
    if angle < 1e-6:
        return lerp(a, b, t)
    weights = np.sin(np.stack([(1 - t) * angle, t * angle], axis=1)) / np.sin(angle)
    return weights @ np.stack([a, b])


PATHS = {"linear": lerp, "slerp": slerp}
