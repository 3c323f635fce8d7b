"""t-SNE of 16-dimensional codes of MNIST, beside scikit-learn and both methods of openTSNE from the same start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openTSNE
from sklearn.manifold import TSNE

from benchmarks.cases import Case
from vaeviz.analysis.embedding import _mapped, embed
from vaeviz.analysis.maps import map_quality
from vaeviz.data import load_data
from vaeviz.embeddings.pca import start_of
from vaeviz.encoding import encode
from vaeviz_models import fit, mlp, seeded

ROUNDS = {2_000: 3, 10_000: 2}
NOTE = """All start from the two leading principal components with a standard deviation of 1e-4, with perplexity 30 and
two threads; scikit-learn at its 1,000 iterations, openTSNE at its 250 + 500"""


def cases(data_dir: Path | None) -> list[Case]:
    return [case(total, data_dir) for total in ROUNDS]


def case(total: int, data_dir: Path | None, *, with_scikit_learn: bool = True) -> Case:
    """The map of so many codes."""
    z = codes(total, data_dir)
    peers = {f"openTSNE, {method}": _opentsne(z, method) for method in ("bh", "fft")}
    if with_scikit_learn:
        peers["scikit-learn"] = lambda: TSNE(init=start_of(z), random_state=0, n_jobs=2).fit_transform(z)
    return Case(
        name=f"t-SNE, {total:,} codes",
        ours={'engine="auto"': lambda: ours(z)},
        peers=peers,
        goal={'engine="auto"': 1.05},
        check=lambda made: _quality(z, made),
        rounds=ROUNDS.get(total, 1),
        note=NOTE,
    )


def codes(total: int, data_dir: Path | None) -> np.ndarray:
    """Posterior means (N, 16) of a VAE after two epochs."""
    data = load_data("mnist", split="all", data_dir=data_dir)
    model = seeded(mlp, (28, 28), latent_dim=16, seed=0)
    fit(model, data.x[:60_000], epochs=2)
    return encode(model, data.x[-total:]).mean.astype(np.float64)


def ours(z: np.ndarray) -> np.ndarray:
    _mapped.cache_clear()  # the last maps are remembered
    return embed(z, seed=0).points


def _opentsne(z: np.ndarray, method: str) -> Any:
    return lambda: np.asarray(
        openTSNE.TSNE(
            initialization=start_of(z), negative_gradient_method=method, n_jobs=2, random_state=0, perplexity=30
        ).fit(z)
    )


def _quality(z: np.ndarray, made: Mapping[str, np.ndarray]) -> str:
    found = {name: map_quality(z, points, (15,), asked=500).trustworthiness.mean() for name, points in made.items()}
    return "Trustworthiness (k = 15): " + ", ".join(f"{name} {value:.4f}" for name, value in found.items())
