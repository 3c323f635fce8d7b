"""Measures of a place of the latent space: q(z), the prior, holes, and the distance to the codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng, log_aggregate, require_std, sample_codes, sample_rows
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.explorer.scene_arrays import SceneArrays
from vaeviz.model.posterior import Posterior

MAX_TERMS = 500_000_000  # densities of single dimensions for one number a sample, a quarter of a minute
MAX_COMPONENTS = 2000  # of q(z) in a page, which evaluates them in 4,096 places at once
N_SCORED = 2000  # codes of q(z) that bound a hole, as `find_holes` draws them
HOLE_LEVEL = 0.01  # quantile of q's own scores that bounds a hole, as in `find_holes`
PRIOR_MASS = 0.99  # of the ball in which holes are shown
NEIGHBOR_LEVEL = 0.99
MAX_NEIGHBOR_QUERIES = 10_000


@dataclass(frozen=True, eq=False)
class CodeDensity:
    """The density of q(z) as a page computes it: the mean of a part of the posteriors.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples, with standard deviations above 0.
    rows : ndarray of int, shape (M,)
        Rows of the posteriors in the mean.
    seed : int
        Seed of the codes that bound a hole.
    """

    posterior: Posterior
    rows: np.ndarray
    seed: int

    @property
    def is_quick(self) -> bool:
        """True if `of_samples` takes seconds rather than minutes."""
        return self.posterior.mean.size * len(self.rows) <= MAX_TERMS

    def of_samples(self) -> np.ndarray:
        """Return ln q(z) at each posterior mean, without the posterior of the sample itself, shape (N,)."""
        codes, mixture = self.posterior.mean.astype(np.float64), self.posterior[self.rows]
        scores = log_aggregate(codes, mixture)
        if len(self.rows) > 1:
            scores[self.rows] = log_aggregate(codes[self.rows], mixture, left_out=np.arange(len(self.rows)))
        return scores

    def hole_threshold(self) -> float:
        """Return the density that bounds a hole, by the rule of `vaeviz.find_holes` for the score "density"."""
        mixture, rng = self.posterior[self.rows], analysis_rng(self.seed)
        rows = sample_rows(mixture, N_SCORED, rng)
        own = log_aggregate(sample_codes(mixture, rows, rng), mixture, left_out=rows)
        return float(np.quantile(own, HOLE_LEVEL))


def code_density(posterior: Posterior, seed: int) -> CodeDensity | None:
    """Return the density of q(z).

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    seed : int
        Seed of the choice of posteriors, if there are more than a page can add.

    Returns
    -------
    CodeDensity or None
        None if the posteriors have no spread.
    """
    if posterior.std is None or not require_std(posterior).all():
        return None
    return CodeDensity(posterior, subsample_rows(MAX_COMPONENTS, len(posterior), seed), seed)


def describe_density(arrays: SceneArrays, density: CodeDensity) -> dict[str, Any]:
    """Return the entries ``density`` and ``holes`` of a scene.

    Parameters
    ----------
    arrays : SceneArrays
        Receives the rows of the posteriors.
    density : CodeDensity
        The density.

    Returns
    -------
    dict
        Both entries; ``holes`` is None without a known prior, or with a single sample.
    """
    from scipy.stats import chi2

    posterior, n_components = density.posterior, len(density.rows)
    has_prior = posterior.prior == "normal"
    entry: dict[str, Any] = {"prior": "standard normal" if has_prior else None, "n_components": n_components}
    entry["rows"] = None if n_components == len(posterior) else arrays.add("density-rows", density.rows, "int32")
    if n_components < len(posterior):
        entry["note"] = f"q(z) is the mean of {n_components:,} of {len(posterior):,} posteriors, chosen at random."
    if not has_prior or n_components < 2:
        return {"density": entry, "holes": None}
    threshold = density.hole_threshold()
    meaning = (
        f"Hatched: ln q(z) is below {threshold:.3g} nats, lower than at {100 * (1 - HOLE_LEVEL):g} % of the codes of "
        f"q(z) itself, inside the ball that holds {100 * PRIOR_MASS:g} % of the prior."
    )
    if posterior.size > 2:
        meaning += " The plane is that through the values of the sliders; samples are drawn wherever theirs are."
    radius = math.sqrt(chi2.ppf(PRIOR_MASS, posterior.size))
    return {"density": entry, "holes": {"threshold": threshold, "prior_radius": radius, "meaning": meaning}}


def neighbor_distance(codes: np.ndarray, seed: int) -> dict[str, float] | None:
    """Return the distance within which almost every code has another one.

    Parameters
    ----------
    codes : ndarray, shape (N, D)
        Codes.
    seed : int
        Seed of the choice of codes, if there are many.

    Returns
    -------
    dict or None
        The 99 % quantile of the distance from a code to its nearest other code. None for a single code.
    """
    from sklearn.neighbors import NearestNeighbors

    if len(codes) < 2:
        return None
    asked = subsample_rows(MAX_NEIGHBOR_QUERIES, len(codes), seed)
    distances, _ = NearestNeighbors(n_neighbors=2).fit(codes).kneighbors(codes[asked])
    return {f"{100 * NEIGHBOR_LEVEL:g} %": float(np.quantile(distances[:, 1], NEIGHBOR_LEVEL))}
