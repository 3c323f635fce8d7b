"""ELBO surgery: what the KL of a VAE is spent on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    log_aggregate_and_marginals,
    log_posterior,
    log_prior,
    sample_codes,
    sample_rows,
)
from vaeviz.analysis.estimates import Estimate, mean_estimate, standard_errors
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.posterior import Posterior


@dataclass(frozen=True, eq=False)
class ELBOTerms:
    """E_x KL(q(z | x) || p(z)) = mutual information + total correlation + Σ dimension-wise KL. Nats a sample.

    mutual_information: I_q(n; z) between which of the N samples it is and its code; never above `ceiling`, ln N.
    left_out: the same with each code's own posterior left out of q(z), ∞ where no other reaches it. With unlimited
    samples both would be I_q(x; z), which lies between the two expectations (Poole et al. 2019, arXiv:1905.06922).
    total_correlation: KL(q(z) || Π q(z_j)). dimension_kl: (D,) KL(q(z_j) || p(z_j)), its standard errors (D,), and
    its sum.
    kl: the mean KL by the same codes, of which the three are the exact parts. exact_kl: its closed form over all N.
    reconstruction: E ln p(x | z), or None where no likelihood was given. elbo: likewise, with the KL in closed form.
    n: how many codes were drawn. total: N, of how many posteriors q(z) is the mixture. given: how many there were.
    """

    mutual_information: Estimate
    left_out: Estimate
    total_correlation: Estimate
    dimension_kl: np.ndarray
    dimension_kl_error: np.ndarray
    dimension_kl_sum: Estimate
    kl: Estimate
    exact_kl: Estimate
    reconstruction: Estimate | None
    elbo: Estimate | None
    n: int
    total: int
    given: int

    @property
    def ceiling(self) -> float:
        """ln N, the most that the mutual information can be."""
        return math.log(self.total)

    @property
    def saturated(self) -> bool:
        """Whether the mutual information is within a nat of its ceiling: codes tell nearly every sample apart.

        Its distance to the ceiling is −E ln r, where r is the share of a sample's own posterior in q(z) at its code.
        Within a nat that share is beyond 1/e, and what the information would be with more samples is higher by
        about −ln(1 − r), half a nat or more. What is cut off here is counted in the total correlation instead.
        """
        return self.mutual_information.value > self.ceiling - 1


def elbo_terms(
    posterior: Posterior,
    x: Any = None,
    likelihood: Callable | None = None,
    *,
    n: int | None = 2000,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> ELBOTerms:
    """The parts of the KL (Hoffman & Johnson 2016; Chen et al. 2018, arXiv:1802.04942, eq. 2).

    x: (N, ...) and likelihood, ``ln p(x | z)`` of pairs (see `vaeviz.log_likelihood`): needed for the reconstruction
        alone.
    n: at most so many codes are drawn, one each of different rows; None for all.
    max_points: of more samples so many are chosen at random with `seed`, and all is said of those; None for all.

    The full-N estimator: each code is scored under all N posteriors, its own included, so that q(z) is the mixture
    of those N and nothing is estimated but the average over codes. The minibatch estimators of Chen et al. (weighted
    and stratified sampling), which are biased, are not used here.
    """
    whole, kept = check_gaussian_posterior(posterior), subsample_rows(max_points, len(posterior), seed)
    posterior = whole[kept]
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, n, rng)
    z = sample_codes(posterior, rows, rng)
    own = log_posterior(z, posterior, rows)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    to_prior = marginals - log_prior(z)
    fit = None if likelihood is None else _log_likelihood(likelihood, x, whole, kept[rows], z)
    return ELBOTerms(
        mutual_information=mean_estimate(own - joint),
        left_out=mean_estimate(own - _left_out(joint, own, len(posterior))),
        total_correlation=mean_estimate(joint - marginals.sum(axis=1)),
        dimension_kl=to_prior.mean(axis=0),
        dimension_kl_error=standard_errors(to_prior),
        dimension_kl_sum=mean_estimate(to_prior.sum(axis=1)),
        kl=mean_estimate(own - log_prior(z).sum(axis=1)),
        exact_kl=mean_estimate(posterior.kl().sum(axis=1)),
        reconstruction=None if fit is None else mean_estimate(fit),
        elbo=None if fit is None else mean_estimate(fit - posterior.kl()[rows].sum(axis=1)),
        n=len(rows),
        total=len(posterior),
        given=len(whole),
    )


def _left_out(joint: np.ndarray, own: np.ndarray, total: int) -> np.ndarray:
    """ln q(z) without a code's own posterior, from that with it: −∞ where the others are lost in the rounding."""
    share_of_own = np.minimum(np.exp(own - joint - math.log(total)), 1)
    with np.errstate(divide="ignore"):
        return joint + math.log(total / (total - 1)) + np.log1p(-share_of_own)


def _log_likelihood(likelihood: Any, x: Any, posterior: Posterior, rows: np.ndarray, z: np.ndarray) -> np.ndarray:
    """ln p(x | z) of the rows of x that the codes z were drawn for, in the shape that a code has for the model."""
    x = check_samples(x, "x", reference=posterior.mean)
    return log_likelihood(likelihood, take_rows(x, rows), posterior.with_codes(z, rows))
