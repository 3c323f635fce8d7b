"""t-SNE (van der Maaten & Hinton 2008), by scikit-learn."""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.embeddings._libraries import progress_bar
from vaeviz.embeddings.pca import pca_initialization

if TYPE_CHECKING:
    from tqdm import tqdm

ITERATIONS = 1000  # 250 of them exaggerated


def tsne(z: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """A t-SNE map (N, 2) of z (N, D), by Barnes-Hut; PCA start and learning rate N/12 (Kobak & Berens 2019)."""
    from sklearn.manifold import TSNE

    with progress_bar(ITERATIONS, "t-SNE") as progress, contextlib.redirect_stdout(_Remarks(progress)):
        engine = TSNE(
            perplexity=perplexity,
            init=pca_initialization(z),
            learning_rate="auto",
            max_iter=ITERATIONS,
            random_state=seed,
            verbose=2,
        )
        return engine.fit_transform(z.astype(np.float64))


class _Remarks(io.TextIOBase):
    """Reads how far the optimization is in what scikit-learn prints: it has no other way of telling."""

    def __init__(self, progress: tqdm):
        self.progress = progress

    def write(self, text: str) -> int:
        iteration = re.search(r"Iteration (\d+):", text)
        if iteration:
            self.progress.update(int(iteration[1]) - self.progress.n)
        return len(text)
