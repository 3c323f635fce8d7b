"""t-SNE by openTSNE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vaeviz.embeddings._libraries import n_threads, progress_bar, require_library
from vaeviz.embeddings.pca import pca_initialization
from vaeviz.errors import NotApplicable


@dataclass(frozen=True)
class Phase:
    """A phase of the optimization.

    Attributes
    ----------
    n_iterations : int
        Number of iterations.
    exaggeration : float
        Factor on the attraction between neighbors.
    min_fft_codes : int
        Number of codes from which repulsion is interpolated on a grid (Linderman et al. 2019). Below, it is summed
        over a tree (Barnes-Hut). The cost of a grid grows with the extent of the map, that of a tree with the number
        of its points, and the map is small while attraction is exaggerated.
    """

    n_iterations: int
    exaggeration: float
    min_fft_codes: int

    def method(self, n_codes: int) -> Literal["fft", "bh"]:
        """Return openTSNE's name of the faster method.

        Parameters
        ----------
        n_codes : int
            Number of codes.

        Returns
        -------
        {"fft", "bh"}
            Interpolation, or Barnes-Hut.
        """
        return "fft" if n_codes >= self.min_fft_codes else "bh"


PHASES = (Phase(250, 12, 4_000), Phase(500, 1, 20_000))
MAX_EXACT_CODES = 100_000  # up to here an exact neighbor search is faster than an approximate one
PROGRESS_STEP = 50  # iterations between two updates of the progress bar


def opentsne(
    z: np.ndarray, *, perplexity: float = 30.0, seed: int = 0
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Map codes by t-SNE, so that further codes can be placed into the map.

    Parameters
    ----------
    z : ndarray, shape (N, D)
        Codes.
    perplexity : float, default: 30.0
        Effective number of neighbors, below N / 3.
    seed : int, default: 0
        Seed of the optimization.

    Returns
    -------
    points : ndarray, shape (N, 2)
        The map, from a PCA start and with learning rate N / exaggeration.
    place : callable
        Maps further codes (M, D) to (M, 2): each starts among its neighbors and moves, while the map stays fixed.

    Raises
    ------
    NotApplicable
        For 3 × perplexity codes or fewer, for which openTSNE would lower the perplexity.

    References
    ----------
    Poličar, Stražar & Zupan 2024, "openTSNE: a modular Python library for t-SNE", JSS 109.
    Kobak & Berens 2019, "The art of using t-SNE for single-cell transcriptomics", Nature Communications 10.
    Belkina et al. 2019, "Automated optimized parameters for t-SNE", Nature Communications 10.
    """
    library = require_library("openTSNE", "opentsne")
    if len(z) <= 3 * perplexity:
        raise NotApplicable(
            f"openTSNE with a perplexity of {perplexity:g} needs more than {3 * perplexity:g} codes, but there are "
            f"{len(z)}.",
            fix='Pass a smaller perplexity, or engine="tsne".',
        )
    engine = library.TSNE(
        perplexity=perplexity,
        initialization=pca_initialization(z),
        neighbors="exact" if len(z) <= MAX_EXACT_CODES else "approx",
        n_jobs=n_threads(),
        random_state=seed,
    )
    with progress_bar(sum(phase.n_iterations for phase in PHASES), "t-SNE") as progress:

        def advance(*_: object) -> None:  # a true return value would stop the optimization
            progress.update(PROGRESS_STEP)

        embedding = engine.prepare_initial(z.astype(np.float64))
        for phase in PHASES:
            embedding.optimize(
                phase.n_iterations,
                inplace=True,
                exaggeration=phase.exaggeration,
                negative_gradient_method=phase.method(len(z)),
                callbacks=advance,
                callbacks_every_iters=PROGRESS_STEP,
            )
    embedding -= (embedding.max(axis=0) + embedding.min(axis=0)) / 2  # `transform` centers the map in the same way

    def place(codes: np.ndarray) -> np.ndarray:
        return np.asarray(embedding.transform(codes.astype(np.float64)))

    return np.array(embedding), place
