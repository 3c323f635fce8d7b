"""Principal components."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def pca(z: np.ndarray) -> tuple[np.ndarray, Callable]:
    """The two leading principal components of z (N, D): (N, 2). Each axis points where its largest loading does.

    The second of one-dimensional codes is 0.
    """
    center = z.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(z - center, full_matrices=False)
    axes = axes[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    loadings = np.pad((axes * signs[:, None]).T, ((0, 0), (0, 2 - len(axes))))

    def place(codes: np.ndarray) -> np.ndarray:
        return (codes - center) @ loadings

    return place(z), place


def pca_initialization(z: np.ndarray) -> np.ndarray:
    """Where t-SNE of z (N, D) starts: its principal components (N, 2), the first with a standard deviation of 1e-4.

    It keeps the global structure, and makes the map the same in every run (Kobak & Berens 2019).
    """
    components, _ = pca(z)
    spread = components[:, 0].std()
    return components * (1e-4 / spread if spread > 0 else 1.0)
