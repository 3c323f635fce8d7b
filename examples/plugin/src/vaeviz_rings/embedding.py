"""A random linear map."""

from __future__ import annotations

import numpy as np


def random_plane(z: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Project z (N, D) onto a random plane (N, 2).

    Squared distances are preserved on average (Johnson & Lindenstrauss 1984).
    """
    plane, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((z.shape[1], 2)))
    return z @ plane * np.sqrt(z.shape[1] / 2)
