"""Principal components."""

from __future__ import annotations

import numpy as np


def pca(z: np.ndarray) -> np.ndarray:
    """The two leading principal components of z (N, D): (N, 2). Each axis points where its largest loading does."""
    centred = z.astype(np.float64) - z.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return centred @ (axes * signs[:, None]).T
