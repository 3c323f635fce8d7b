"""How far the aggregate posterior is from the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    log_aggregate_and_marginals,
    log_prior,
    sample_codes,
    sample_rows,
    subsample_posteriors,
)
from vaeviz.analysis.estimates import standard_errors
from vaeviz.analysis.mmd import MMDTest, mmd_test
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior


@dataclass(frozen=True, eq=False)
class PriorMismatch:
    """q(z) against p(z) = N(0, I).

    mmd: between samples of both, with its permutation null. marginal_kl: (D,) KL(q(z_j) || N(0, 1)) in nats, and
    its standard errors (D,). n: how many samples of each. level: of the test. total: of how many posteriors q(z) is the
    mixture.
    """

    mmd: MMDTest
    marginal_kl: np.ndarray
    marginal_kl_error: np.ndarray
    n: int
    level: float
    total: int

    @property
    def flagged(self) -> bool:
        return self.mmd.p_value <= self.level

    @property
    def verdict(self) -> str:
        return "off the prior" if self.flagged else "no mismatch found"


def prior_mismatch(
    posterior: Posterior,
    *,
    n: int = 1000,
    permutations: int = 500,
    level: float = 0.01,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> PriorMismatch:
    """MMD between q(z) and the prior with a permutation null, and the KL of each marginal q(z_j) to N(0, 1).

    n: at most so many samples of each, those of q one each of different rows. level: `flagged` where the p-value is
        not above it; the conventional 1 %. A test finds any mismatch, however small, given enough samples: how
        large it is, the marginal KL says, and what dependence adds to it, `elbo_terms`.
    max_points: q(z) is the mixture of so many posteriors at most, chosen at random with `seed`; None for all.
    """
    posterior = subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    check_level(level, permutations)
    kl, kl_error = marginal_kl(posterior, n=n, seed=seed)
    mmd = prior_mmd(posterior, n=n, permutations=permutations, seed=seed)
    return PriorMismatch(mmd, kl, kl_error, min(n, len(posterior)), level, len(posterior))


def check_level(level: float, permutations: int) -> None:
    """`InputError` for a level that no p-value of so many permutations can reach, or that all do."""
    if not 1 / (1 + permutations) <= level < 1:
        raise InputError(f"level = {level:g}: {permutations} permutations give no p-value so low, or it is 1 or more")


def marginal_kl(posterior: Posterior, *, n: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """KL(q(z_j) || N(0, 1)) of each dimension in nats, (D,), and its standard errors, (D,).

    n: by so many samples of q(z) at most, one each of different rows, under all N posteriors.
    """
    rng = analysis_rng(seed)
    z = sample_codes(check_gaussian_posterior(posterior), sample_rows(posterior, n, rng), rng)
    gain = log_aggregate_and_marginals(z, posterior)[1] - log_prior(z)
    return gain.mean(axis=0), standard_errors(gain)


def prior_mmd(posterior: Posterior, *, n: int = 1000, permutations: int = 500, seed: int = 0) -> MMDTest:
    """MMD between q(z) and the prior, with a permutation null.

    n: of at most so many samples of each, those of q one each of different rows; of a deterministic encoder whose
        prior is declared, its codes.
    """
    rng = analysis_rng(seed)
    if posterior.std is None and posterior.prior is not None:
        z = posterior.mean[sample_rows(posterior, n, rng)].astype(np.float64)
    else:
        z = sample_codes(check_gaussian_posterior(posterior), sample_rows(posterior, n, rng), rng)
    return mmd_test(z, rng.standard_normal(z.shape), permutations=permutations, seed=seed)
