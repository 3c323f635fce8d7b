"""t-SNE (van der Maaten & Hinton 2008), by scikit-learn."""

from __future__ import annotations

import numpy as np


def tsne(z: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """A t-SNE map (N, 2) of z (N, D), initialised by PCA (Kobak & Berens 2019)."""
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(z.astype(np.float64))
