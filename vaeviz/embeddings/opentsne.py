"""t-SNE, by openTSNE (Poličar et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vaeviz.embeddings._libraries import n_threads, progress_bar, require_library
from vaeviz.embeddings.pca import pca_initialization
from vaeviz.errors import NotApplicable


@dataclass(frozen=True)
class Phase:
    """A stretch of the optimization.

    interpolated_from: codes from which the forces are interpolated on a grid (Linderman et al. 2019), below which they
    are summed over a tree (Barnes-Hut). A grid costs by the extent of the map, a tree by the number of its points, and
    the map is small as long as the attraction is exaggerated.
    """

    iterations: int
    exaggeration: float
    interpolated_from: int

    def method(self, total: int) -> str:
        return "fft" if total >= self.interpolated_from else "bh"


PHASES = (Phase(250, 12, 4_000), Phase(500, 1, 20_000))
EXACT_UP_TO = 100_000
"""Codes of which the nearest neighbors are found exactly: with so few it is quicker than approximately."""


def opentsne(z: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> tuple[np.ndarray, Callable]:
    """A t-SNE map (N, 2) of z (N, D), into which further codes can be placed.

    PCA start and learning rate N / exaggeration (Kobak & Berens 2019; Belkina et al. 2019). A further code is placed
    among its neighbors and moved against the map, which stays as it is (Poličar et al. 2021).
    Raises `NotApplicable` for 3 × perplexity codes or fewer, for which openTSNE would lower the perplexity.
    """
    library = require_library("openTSNE", "opentsne")
    if len(z) <= 3 * perplexity:
        raise NotApplicable(
            f"openTSNE with a perplexity of {perplexity:g} needs more than {3 * perplexity:g} points, got {len(z)}; "
            "give a smaller one, or engine='tsne'"
        )
    engine = library.TSNE(
        perplexity=perplexity,
        initialization=pca_initialization(z),
        neighbors="exact" if len(z) <= EXACT_UP_TO else "approx",
        n_jobs=n_threads(),
        random_state=seed,
    )
    with progress_bar(sum(phase.iterations for phase in PHASES), "t-SNE") as progress:

        def advance(*_: object) -> None:  # a true answer would stop the optimization
            progress.update(50)

        embedding = engine.prepare_initial(z.astype(np.float64))
        for phase in PHASES:
            embedding.optimize(
                phase.iterations,
                inplace=True,
                exaggeration=phase.exaggeration,
                negative_gradient_method=phase.method(len(z)),
                callbacks=advance,
                callbacks_every_iters=50,
            )
    embedding -= (embedding.max(axis=0) + embedding.min(axis=0)) / 2  # as placing would, which must not move the map

    def place(codes: np.ndarray) -> np.ndarray:
        return np.asarray(embedding.transform(codes.astype(np.float64)))

    return np.array(embedding), place
