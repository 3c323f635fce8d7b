"""Holes: where the prior has mass and the aggregate posterior has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    log_aggregate,
    sample_codes,
    sample_rows,
    subsample_posteriors,
)
from vaeviz.analysis.estimates import Estimate
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior

RESAMPLES = 400


@dataclass(frozen=True, eq=False)
class Holes:
    """How much of the prior lies where q(z) is lower than at nearly all of its own samples.

    mass: of the prior, `level` if q(z) is the prior. level: the quantile of q's own scores that bounds a hole.
    threshold: that quantile of ln q(z), in nats. own: (S,) scores ln q(z) of samples of q, leave-one-out.
    prior: (M,) scores of samples of the prior. codes: (M, D) those samples.
    tolerance: the mass up to which the prior is called covered. total: of how many posteriors q(z) is the mixture.
    """

    mass: Estimate
    level: float
    threshold: float
    own: np.ndarray
    prior: np.ndarray
    codes: np.ndarray
    tolerance: float
    total: int

    @property
    def in_hole(self) -> np.ndarray:
        """Which samples of the prior lie in a hole, (M,)."""
        return self.prior < self.threshold

    @property
    def flagged(self) -> bool:
        """Whether the mass exceeds the tolerance by more than two standard errors."""
        return self.mass.value - 2 * self.mass.standard_error > self.tolerance

    @property
    def verdict(self) -> str:
        return "holes" if self.flagged else "covered"


def find_holes(
    posterior: Posterior,
    *,
    n: int = 2000,
    level: float = 0.01,
    tolerance: float = 0.05,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> Holes:
    """The prior mass where q(z) falls below the `level` quantile of q at its own samples.

    n: at most so many samples of q (one each of different rows) and exactly so many of the prior are scored, under
        all N posteriors. q's own are scored leave-one-out: with its own component every sample seems at home, and the
        quantile calls most of a high-dimensional prior a hole, even that of a perfect model.
    tolerance: mass beyond which `flagged` speaks of holes; the conventional 5 %, one prior sample in twenty.
    max_points: q(z) is the mixture of so many posteriors at most, chosen at random with `seed`; None for all.

    It is one-sided: where q is wider than the prior, or has far outliers, the threshold is low and the prior counts as
    covered for all that; `prior_mismatch` answers to both. Samples where q(z) is low are those of Rosca et al. 2018
    (arXiv:1802.06847). The standard error is by bootstrap over both sets of scores, the threshold's own uncertainty
    included; the N posteriors are held fixed.
    """
    posterior = subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    if not 0 < level < 1 or not 0 <= tolerance < 1:
        raise InputError(f"level = {level:g}, tolerance = {tolerance:g}: expected shares between 0 and 1")
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, n, rng)
    own = log_aggregate(sample_codes(posterior, rows, rng), posterior, left_out=rows)
    codes = rng.standard_normal((n, posterior.size))
    prior = log_aggregate(codes, posterior)
    threshold = np.quantile(own, level)
    mass = Estimate(float((prior < threshold).mean()), _bootstrapped_error(own, prior, level, rng))
    return Holes(mass, level, float(threshold), own, prior, codes, tolerance, len(posterior))


def _bootstrapped_error(own: np.ndarray, prior: np.ndarray, level: float, rng: np.random.Generator) -> float:
    """Standard deviation of the mass over resamples of both sets of scores."""
    ordered = np.sort(prior)
    masses = []
    for _ in range(RESAMPLES):
        threshold = np.quantile(rng.choice(own, len(own)), level)
        share = np.searchsorted(ordered, threshold) / len(prior)
        masses.append(rng.binomial(len(prior), share) / len(prior))  # which is what resampling the prior's would give
    return float(np.std(masses, ddof=1))
