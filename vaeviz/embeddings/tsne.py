"""t-SNE by scikit-learn."""

from __future__ import annotations

import numpy as np

from vaeviz.embeddings.pca import pca_initialization
from vaeviz.errors import NotApplicable

N_ITERATIONS = 1000  # 250 of them with exaggerated attraction


def tsne(z: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Map codes by Barnes-Hut t-SNE.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.
    perplexity : float, default: 30.0
        Effective number of neighbors, below N.
    seed : int, default: 0
        Seed of the optimization.

    Returns
    -------
    ndarray, shape (N, 2)
        The map, from a PCA start and with learning rate N / 12 (Kobak & Berens 2019).

    Raises
    ------
    NotApplicable
        For as many codes as the perplexity, or fewer.

    References
    ----------
    van der Maaten & Hinton 2008, "Visualizing data using t-SNE", JMLR 9.
    """
    from sklearn.manifold import TSNE

    if perplexity >= len(z):
        raise NotApplicable(
            f"t-SNE with a perplexity of {perplexity:g} needs more than {perplexity:g} codes, but there are {len(z)}.",
            fix="Pass a smaller perplexity.",
        )

    engine = TSNE(
        perplexity=perplexity,
        init=pca_initialization(z),
        learning_rate="auto",
        max_iter=N_ITERATIONS,
        random_state=seed,
    )
    return np.asarray(engine.fit_transform(z.astype(np.float64)))
