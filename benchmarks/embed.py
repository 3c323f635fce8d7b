"""t-SNE maps of the 16-dimensional codes of MNIST, by `vaeviz.embed` and by each library and method.

All start from the two leading principal components with a standard deviation of 1e-4, and take 750 steps with
perplexity 30. Everything else is the default of each library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import openTSNE
from joblib import cpu_count
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.tsne import kl_divergence_bh
from sklearn.manifold import TSNE

import vaeviz
from benchmarks.cases import Case
from benchmarks.trained import trained_run
from vaeviz.analysis.map_quality import map_quality
from vaeviz.data.loading import load_data
from vaeviz.embeddings import clear_embedding_cache
from vaeviz.embeddings.pca import pca_initialization

ROUNDS = {2_000: 5, 10_000: 3, 70_000: 1}
PERPLEXITY = 30.0
N_STEPS = 750  # of which 250 with early exaggeration


def cases(data_dir: Path | None) -> list[Case]:
    """Return one case per number of codes, after a first run of each library."""
    x = load_data("mnist", split="all", data_dir=data_dir).x
    codes = vaeviz.encode(trained_run(data_dir, latent_dim=16), x).mean
    codes = codes[np.random.default_rng(0).permutation(len(codes))]
    for work in (ours, peer_sklearn, peer_opentsne("bh"), peer_opentsne("fft")):
        work(codes[:1200])
    return [_case(codes[:total], rounds) for total, rounds in ROUNDS.items()]


def _case(z: np.ndarray, rounds: int) -> Case:
    peers = {
        "scikit-learn": lambda: peer_sklearn(z),
        "openTSNE, Barnes-Hut": lambda: peer_opentsne("bh")(z),
        "openTSNE, interpolation": lambda: peer_opentsne("fft")(z),
    }
    return Case(
        name=f"t-SNE of {len(z):,} codes",
        ours={"embed": lambda: ours(z), "torch_tsne": lambda: ours(z, "torch_tsne")},
        peers=peers,
        goal={"embed": 1.05},
        check=lambda made: _describe_quality(z, made),
        rounds=rounds,
    )


def ours(z: np.ndarray, engine: str = "auto") -> np.ndarray:
    """Embed with vaeviz."""
    clear_embedding_cache()
    return vaeviz.embed(z, engine, perplexity=PERPLEXITY).points


def peer_sklearn(z: np.ndarray) -> np.ndarray:
    """Embed with scikit-learn."""
    engine = TSNE(
        perplexity=PERPLEXITY, init=pca_initialization(z), max_iter=N_STEPS, random_state=0, n_jobs=cpu_count()
    )
    return engine.fit_transform(z.astype(np.float64))


def peer_opentsne(method: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that embeds with openTSNE, by that method for the gradient."""

    def work(z: np.ndarray) -> np.ndarray:
        engine = openTSNE.TSNE(
            perplexity=PERPLEXITY,
            initialization=pca_initialization(z),
            negative_gradient_method=method,
            n_jobs=cpu_count(),
            random_state=0,
        )
        return np.array(engine.fit(z.astype(np.float64)))

    return work


def _describe_quality(z: np.ndarray, made: Mapping[str, np.ndarray]) -> str:
    """Describe the t-SNE objective of each map, for the same exact neighbors, and how well it keeps neighborhoods."""
    affinities = PerplexityBasedNN(z.astype(np.float64), PERPLEXITY, method="exact", n_jobs=cpu_count()).P
    texts = []
    for name, points in made.items():
        points = points.astype(np.float64)
        divergence, _ = kl_divergence_bh(points, affinities, 1, {"theta": 0.2}, should_eval_error=True)
        kept = map_quality(z, points, (10,), n_samples=1000)
        measures = ", ".join(f"{name} {kept.mean(name)[0]:.3f}" for name in ("trustworthiness", "recall"))
        texts.append(f"{name}: KL {divergence:.3f}, {measures}")
    return "; ".join(texts)
