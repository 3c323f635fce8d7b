"""Measure how far the aggregate posterior is from the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    sample_codes,
    sample_rows,
    subsample_posteriors,
)
from vaeviz.analysis.code_densities import MarginalKL, draw_code_densities
from vaeviz.analysis.mmd import MMDTest, mmd_test
from vaeviz.errors import InputError
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class PriorMismatch(ShortRepr):
    """Distance of q(z) from the prior N(0, I).

    Attributes
    ----------
    mmd : MMDTest
        MMD² between samples of both, with its permutation null.
    marginal_kl : ndarray, shape (D,)
        KL(q(z_j) || N(0, 1)) in nats.
    marginal_kl_error : ndarray, shape (D,)
        Standard errors of `marginal_kl`.
    marginal_kl_by_spacings : ndarray of bool, shape (D,)
        Whether `marginal_kl` is estimated from the spacings of codes, because the posteriors hardly overlap.
    n_codes : int
        Number of samples from each distribution.
    level : float
        Significance level of the test.
    n_posteriors : int
        Number of posteriors in the mixture q(z).
    """

    mmd: MMDTest
    marginal_kl: np.ndarray
    marginal_kl_error: np.ndarray
    marginal_kl_by_spacings: np.ndarray
    n_codes: int
    level: float
    n_posteriors: int

    @property
    def flagged(self) -> bool:
        """Whether the test rejects that q(z) is the prior."""
        return self.mmd.p_value <= self.level

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per dimension.

        Returns
        -------
        pandas.DataFrame
            Columns ``dimension`` (counted from 0), ``marginal_kl``, ``marginal_kl_error`` and
            ``marginal_kl_by_spacings``.
        """
        import pandas as pd

        dimensions = np.arange(len(self.marginal_kl))
        columns = ("marginal_kl", "marginal_kl_error", "marginal_kl_by_spacings")
        return pd.DataFrame({"dimension": dimensions, **{name: getattr(self, name) for name in columns}})


def prior_mismatch(
    posterior: Posterior,
    *,
    n_codes: int = 1000,
    n_permutations: int = 500,
    level: float = 0.01,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> PriorMismatch:
    """Measure how far the aggregate posterior is from the prior, by MMD and by the KL of its marginals.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples with a known prior.
    n_codes : int, default: 1000
        Largest number of samples of each distribution; those of q(z) come from different rows.
    n_permutations : int, default: 500
        Permutations of the MMD test.
    level : float, default: 0.01
        The result is flagged where the p-value is at or below this.
    max_points : int or None, default: 100000
        Largest number of posteriors in the mixture q(z), chosen at random; None for all.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    PriorMismatch
        The test and the KL of each marginal.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, fewer than two, or without a known prior.
    InputError
        If `level` cannot be reached with `n_permutations`.

    Notes
    -----
    With enough samples a test finds any mismatch, however small. The marginal KL, KL(q(z_j) || N(0, 1)), gives its
    size in each dimension, and `elbo_terms` adds the part that is due to dependence between dimensions.

    References
    ----------
    Gretton et al. 2012, "A kernel two-sample test", JMLR 13.

    Examples
    --------
    The mean of the second dimension is shifted by 1, which is ½ nat:

    >>> mean = np.random.default_rng(0).normal([0, 1], np.sqrt(0.5), (1000, 2))
    >>> found = prior_mismatch(Posterior(mean, np.full(mean.shape, np.sqrt(0.5)), "normal"))
    >>> found.flagged, found.marginal_kl.round(1).tolist()
    (True, [0.0, 0.5])
    """
    check_arguments(prior_mismatch, locals())
    posterior = subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    check_level(level, n_permutations)
    mmd = prior_mmd(posterior, n_codes=n_codes, n_permutations=n_permutations, seed=seed)
    kl = marginal_kl(posterior, n_codes=n_codes, seed=seed)
    return PriorMismatch(mmd, kl.value, kl.error, kl.by_spacings, min(n_codes, len(posterior)), level, len(posterior))


def check_level(level: float, n_permutations: int) -> None:
    """Raise an error for a significance level that no p-value can reach.

    Parameters
    ----------
    level : float
        Significance level.
    n_permutations : int
        Permutations of the test; its smallest p-value is 1 / (1 + `n_permutations`).

    Raises
    ------
    InputError
        If `level` is below the smallest p-value, or 1 or more.
    """
    least = 1 / (1 + n_permutations)
    if not least <= level < 1:
        raise InputError(
            f"level = {level:g} is outside [{least:.3g}, 1), the p-values of {n_permutations} permutations.",
            got=f"{level:g}",
            expected=f"from {least:.3g} to below 1",
            fix="Raise the number of permutations, or choose another level.",
        )


def marginal_kl(posterior: Posterior, *, n_codes: int = 1000, seed: int = 0) -> MarginalKL:
    """Estimate the KL of each marginal of q(z) to the prior.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples with a known prior.
    n_codes : int, default: 1000
        Largest number of codes, each from a different row and scored under all posteriors.
    seed : int, default: 0
        Seed of the codes.

    Returns
    -------
    MarginalKL
        KL of each dimension with its standard error.
    """
    return draw_code_densities(check_gaussian_posterior(posterior), n_codes=n_codes, seed=seed).marginal_kl


def prior_mmd(posterior: Posterior, *, n_codes: int = 1000, n_permutations: int = 500, seed: int = 0) -> MMDTest:
    """Test whether q(z) is the prior, by MMD with a permutation null.

    Parameters
    ----------
    posterior : Posterior
        Posteriors with a known prior; for a deterministic encoder its codes are compared.
    n_codes : int, default: 1000
        Largest number of samples of each distribution; those of q(z) come from different rows.
    n_permutations : int, default: 500
        Permutations of the test.
    seed : int, default: 0
        Seed of the samples and the permutations.

    Returns
    -------
    MMDTest
        The test of q(z) against N(0, I).
    """
    rng = analysis_rng(seed)
    if posterior.std is None and posterior.prior is not None:
        z = posterior.mean[sample_rows(posterior, n_codes, rng)].astype(np.float64)
    else:
        z = sample_codes(check_gaussian_posterior(posterior), sample_rows(posterior, n_codes, rng), rng)
    return mmd_test(z, rng.standard_normal(z.shape), n_permutations=n_permutations, seed=seed)
