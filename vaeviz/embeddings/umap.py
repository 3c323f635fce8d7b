"""UMAP (McInnes, Healy & Melville 2018), by umap-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vaeviz.embeddings._libraries import require_library


def umap(z: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, Callable]:
    """A UMAP map (N, 2) of z (N, D) with the library's own settings, into which further codes can be placed.

    On one thread: otherwise the same seed would not give the same map.
    """
    library = require_library("umap", "umap")
    engine = library.UMAP(
        n_neighbors=min(15, len(z) - 1),
        random_state=seed,
        n_jobs=1,
        tqdm_kwds={"desc": "UMAP", "unit": "iteration", "delay": 2, "leave": False, "disable": None},
    )
    return engine.fit_transform(z.astype(np.float32)), engine.transform
