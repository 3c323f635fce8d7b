"""A model class that does not depend on vaeviz."""

from __future__ import annotations

import numpy as np


class Whitening:
    """Principal components of x (N, D), each scaled to variance 1. `project` maps to (N, size), `lift` maps back."""

    def __init__(self, x: np.ndarray, size: int = 3):
        self.size = size
        self.center = x.mean(axis=0)
        _, spread, axes = np.linalg.svd(x - self.center, full_matrices=False)
        self.axes, self.scale = axes[:size], spread[:size] / np.sqrt(len(x))

    def project(self, x: np.ndarray) -> np.ndarray:
        """Map samples (N, D) to codes (N, size)."""
        return (x - self.center) @ self.axes.T / self.scale

    def lift(self, z: np.ndarray) -> np.ndarray:
        """Map codes (N, size) to samples (N, D)."""
        return z * self.scale @ self.axes + self.center


def rings_whitening() -> Whitening:
    """Return a whitening fitted to the training samples of the rings."""
    from vaeviz_rings.data import rings

    return Whitening(rings(split="train").x)
