"""Holes: regions where the prior has mass and the aggregate posterior has almost none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from vaeviz.plugins.options import check_arguments

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 400  # of the bootstrap; its error of the standard error is then about 4 %


@dataclass(frozen=True, eq=False)
class Holes:
    """Share of the prior where q(z) is lower than at almost all of its own samples.

    Attributes
    ----------
    mass : Estimate
        Share of the prior in holes; `level` if q(z) is the prior.
    level : float
        Quantile of q's own scores that bounds a hole.
    threshold : float
        That quantile of ln q(z), in nats.
    own : ndarray, shape (S,)
        Scores ln q(z) of samples of q, each without its own component, in nats.
    prior : ndarray, shape (M,)
        Scores ln q(z) of samples of the prior, in nats.
    codes : ndarray, shape (M, D)
        The samples of the prior.
    tolerance : float
        Largest mass for which the prior counts as covered.
    n_posteriors : int
        Number of posteriors in the mixture q(z).
    """

    mass: Estimate
    level: float
    threshold: float
    own: np.ndarray
    prior: np.ndarray
    codes: np.ndarray
    tolerance: float
    n_posteriors: int

    @property
    def in_hole(self) -> np.ndarray:
        """Whether each sample of the prior is in a hole, shape (M,)."""
        return np.asarray(self.prior < self.threshold)

    @property
    def flagged(self) -> bool:
        """Whether the mass exceeds the tolerance by more than two standard errors."""
        return self.mass.value - 2 * self.mass.standard_error > self.tolerance

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per sample of the prior.

        Returns
        -------
        pandas.DataFrame
            Columns ``z1``, ``z2``, … (the code), ``log_density`` (ln q(z) in nats) and ``in_hole``.
        """
        import pandas as pd

        codes = {f"z{dim + 1}": column for dim, column in enumerate(self.codes.T)}
        return pd.DataFrame({**codes, "log_density": self.prior, "in_hole": self.in_hole})


def find_holes(
    posterior: Posterior,
    *,
    n_codes: int = 2000,
    level: float = 0.01,
    tolerance: float = 0.05,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> Holes:
    """Measure the share of the prior where the aggregate posterior has almost no mass.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples with a known prior.
    n_codes : int, default: 2000
        Number of samples of the prior, and largest number of samples of q(z) (from different rows). All are scored
        under the whole mixture.
    level : float, default: 0.01
        Quantile of q's own scores that bounds a hole.
    tolerance : float, default: 0.05
        Largest mass for which the prior counts as covered, one prior sample in twenty.
    max_points : int or None, default: 100000
        Largest number of posteriors in the mixture q(z), chosen at random; None for all.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    Holes
        The mass with its standard error, and all scores.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, fewer than two, or without a known prior.
    InputError
        If `level` or `tolerance` is not a share.

    Notes
    -----
    A hole is where ln q(z) falls below the `level` quantile of ln q at q's own samples. These are scored
    leave-one-out: with its own component every sample seems typical, and the quantile calls most of a
    high-dimensional prior a hole, even for a perfect model.

    The measure is one-sided. Where q(z) is wider than the prior or has distant outliers, the threshold is low and the
    prior counts as covered; `prior_mismatch` reacts to both. The standard error is by bootstrap over both sets of
    scores, including the uncertainty of the threshold; the posteriors are fixed.

    References
    ----------
    Rosca, Lakshminarayanan & Mohamed 2018, "Distribution Matching in Variational Inference", arXiv:1802.06847, use
    prior samples of low q(z).
    """
    check_arguments(find_holes, locals())
    posterior = subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    if not 0 < level < 1 or not 0 <= tolerance < 1:
        raise InputError(
            f"level = {level:g} and tolerance = {tolerance:g} are not both shares between 0 and 1.",
            got=f"level = {level:g}, tolerance = {tolerance:g}",
            expected="0 < level < 1 and 0 <= tolerance < 1",
        )
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, n_codes, rng)
    own = log_aggregate(sample_codes(posterior, rows, rng), posterior, left_out=rows)
    codes = rng.standard_normal((n_codes, posterior.size))
    prior = log_aggregate(codes, posterior)
    threshold = np.quantile(own, level)
    mass = Estimate(float((prior < threshold).mean()), _bootstrap_error(own, prior, level, rng))
    return Holes(mass, level, float(threshold), own, prior, codes, tolerance, len(posterior))


def _bootstrap_error(own: np.ndarray, prior: np.ndarray, level: float, rng: np.random.Generator) -> float:
    """Return the standard deviation of the mass over resamples of both sets of scores."""
    ordered = np.sort(prior)
    masses = []
    for _ in range(N_RESAMPLES):
        threshold = np.quantile(rng.choice(own, len(own)), level)
        share = np.searchsorted(ordered, threshold) / len(prior)
        masses.append(rng.binomial(len(prior), share) / len(prior))  # the same as resampling the prior's scores
    return float(np.std(masses, ddof=1))
