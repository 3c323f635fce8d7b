"""UMAP by umap-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vaeviz.embeddings._libraries import require_library

MAX_NEIGHBORS = 15  # the default of the library, which fails if there are fewer codes


def umap(z: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Map codes by UMAP with the library's default settings.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.
    seed : int, default: 0
        Seed. The library runs on one thread, because with more a seed would not determine the map.

    Returns
    -------
    points : ndarray, shape (N, 2)
        The map.
    place : callable
        Maps further codes (M, D) to (M, 2).

    References
    ----------
    McInnes, Healy & Melville 2018, "UMAP: Uniform Manifold Approximation and Projection", arXiv:1802.03426.
    """
    library = require_library("umap", "umap")
    engine = library.UMAP(
        n_neighbors=min(MAX_NEIGHBORS, len(z) - 1),
        random_state=seed,
        n_jobs=1,
        tqdm_kwds={"desc": "UMAP", "unit": "iteration", "delay": 2, "leave": False, "disable": None},
    )
    return engine.fit_transform(z.astype(np.float32)), engine.transform
