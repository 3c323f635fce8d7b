"""A map that is quick, and honest about distances on average."""

from __future__ import annotations

import numpy as np


def random_plane(z: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """z (N, D) on a random plane (N, 2); squared distances are kept on average (Johnson & Lindenstrauss 1984)."""
    plane, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((z.shape[1], 2)))
    return z @ plane * np.sqrt(z.shape[1] / 2)
