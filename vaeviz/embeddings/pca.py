"""Principal component analysis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vaeviz.data.out_of_core import iterate_rows

MAX_SVD_VALUES = 1 << 24  # 128 MB in float64, of which a singular value decomposition makes copies
MAX_COVARIANCE_DIMS = 4096  # 128 MB; larger samples are pictures, which are not millions
INITIAL_STD = 1e-4  # of the first component; t-SNE starts from a small map (Kobak & Berens 2019)


def pca(z: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Map codes to their two leading principal components.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.

    Returns
    -------
    points : ndarray, shape (N, 2)
        Components. Each axis points where its largest loading does; the second is 0 for one-dimensional codes.
    place : callable
        Maps further codes (M, D) to (M, 2).
    """
    center = sum(block.sum(axis=0, dtype=np.float64) for block in iterate_rows(z)) / len(z)
    axes = _principal_axes(z, center)[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    loadings = np.pad((axes * signs[:, None]).T, ((0, 0), (0, 2 - len(axes))))

    def place(codes: np.ndarray) -> np.ndarray:
        return np.concatenate([np.empty((0, 2)), *((block - center) @ loadings for block in iterate_rows(codes))])

    return place(z), place


def _principal_axes(z: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Return the axes of decreasing variance as rows; those of a large matrix from its covariance, in blocks."""
    if z.size <= MAX_SVD_VALUES or z.shape[1] > MAX_COVARIANCE_DIMS:
        return np.linalg.svd(z - center, full_matrices=False)[2]
    covariance = np.zeros((z.shape[1], z.shape[1]))
    for block in iterate_rows(z):
        centered = block - center
        covariance += centered.T @ centered
    return np.linalg.eigh(covariance)[1].T[::-1]


def pca_initialization(z: np.ndarray) -> np.ndarray:
    """Return initial positions for t-SNE.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.

    Returns
    -------
    ndarray, shape (N, 2)
        Principal components, the first with a standard deviation of 1e-4.

    Notes
    -----
    This start keeps the global structure, and makes the map the same in every run.

    References
    ----------
    Kobak & Berens 2019, "The art of using t-SNE for single-cell transcriptomics", Nature Communications 10.
    """
    components, _ = pca(z)
    std = components[:, 0].std()
    return components * (INITIAL_STD / std if std > 0 else 1.0)
