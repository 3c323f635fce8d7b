"""Log-densities of codes under q(z) and its marginals, as estimates of those of unlimited samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    analysis_rng,
    log_aggregate_and_marginals,
    log_posterior,
    log_prior,
    sample_codes,
    sample_rows,
)
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.shared_estimates import shared_estimate
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

MAX_OWN_SHARE = 0.05  # of a code's own posterior in q(z); beyond it, estimates by the mixture are visibly biased
N_NEIGHBORS = 3  # order statistics on each side of a code that its spacing reaches to


@dataclass(frozen=True, eq=False, repr=False)
class MarginalKL(ShortRepr):
    """KL of each marginal of q(z) to the prior.

    Attributes
    ----------
    value : ndarray, shape (D,)
        KL(q(z_j) || N(0, 1)) in nats.
    error : ndarray, shape (D,)
        Standard errors of `value`.
    by_spacings : ndarray of bool, shape (D,)
        Whether a value is estimated from the spacings of codes, because the posteriors hardly overlap.
    """

    value: np.ndarray
    error: np.ndarray
    by_spacings: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class CodeDensities(ShortRepr):
    """Log-densities in nats of codes z ~ q(z | x_n), each from a different row of N posteriors.

    Attributes
    ----------
    rows : ndarray of int, shape (M,)
        Rows that the codes were drawn from.
    z : ndarray, shape (M, D)
        The codes.
    own : ndarray, shape (M, D)
        ln q(z_j | x_n) under a code's own posterior.
    joint_left_out : ndarray, shape (M,)
        ln q(z) under the mixture of the N − 1 other posteriors.
    marginals_left_out : ndarray, shape (M, D)
        The same for each marginal.
    n_posteriors : int
        N.

    Notes
    -----
    A model is judged by the q(z) of unlimited samples, of which the mixture of N posteriors is an estimate. At a code,
    ln q(z) is too high with the code's own posterior and too low, in the mean, without it, by about the same amount
    r / 2, where r is the share of its own posterior in the mixture beyond 1/N. Their midpoint is used, to second order
    in r: ln q(z) with its own posterior − r / 2 − r² / 4. Where the mean of r exceeds 0.05, the posteriors hardly
    overlap, and the mixture is *saturated*: it shows single samples instead of their distribution.

    A marginal remains known then, because the M codes are independent samples of q(z_j), whose density follows from
    their spacings (Vasicek 1976), see `spacing_log_ratios`.

    References
    ----------
    Vasicek 1976, "A test for normality based on sample entropy", JRSS B 38.
    Cressie 1976, "On the logarithms of high-order spacings", Biometrika 63, for the variance.
    """

    rows: np.ndarray
    z: np.ndarray
    own: np.ndarray
    joint_left_out: np.ndarray
    marginals_left_out: np.ndarray
    n_posteriors: int

    @cached_property
    def joint_with_own(self) -> np.ndarray:
        """Scores ln q(z) under the mixture of all N posteriors, shape (M,)."""
        return self._with_own(self.joint_left_out, self.own.sum(axis=1))

    @cached_property
    def marginals_with_own(self) -> np.ndarray:
        """Scores ln q(z_j) under the mixture of all N posteriors, shape (M, D)."""
        return self._with_own(self.marginals_left_out, self.own)

    @cached_property
    def own_share(self) -> np.ndarray:
        """Share r of each code's own posterior in q(z) beyond 1/N, shape (M,)."""
        return np.asarray(np.expm1(self.own.sum(axis=1) - self.joint_with_own) / self.n_posteriors)

    @cached_property
    def own_share_of_marginals(self) -> np.ndarray:
        """Share r of each code's own posterior in q(z_j) beyond 1/N, shape (M, D)."""
        return np.asarray(np.expm1(self.own - self.marginals_with_own) / self.n_posteriors)

    @property
    def saturated(self) -> bool:
        """Whether the mixture is saturated in all dimensions together."""
        return bool(self.own_share.mean() > MAX_OWN_SHARE)

    @cached_property
    def saturated_dims(self) -> np.ndarray:
        """Whether each marginal of the mixture is saturated, shape (D,)."""
        return np.asarray(self.own_share_of_marginals.mean(axis=0) > MAX_OWN_SHARE)

    @property
    def joint(self) -> np.ndarray:
        """Scores ln q(z), shape (M,); with a code's own posterior if the mixture is saturated."""
        if self.saturated:
            return self.joint_with_own
        return np.asarray(self.joint_with_own - _bias(self.own_share))

    @cached_property
    def log_ratios(self) -> np.ndarray:
        """Scores ln q(z_j) − ln p(z_j), shape (M, D); by spacings where a marginal is saturated."""
        ratios = self.marginals_with_own - _bias(self.own_share_of_marginals) - log_prior(self.z)
        for dim in np.flatnonzero(self.saturated_dims):
            ratios[:, dim] = spacing_log_ratios(self.z[:, dim])
        return np.asarray(ratios)

    @property
    def marginal_kl(self) -> MarginalKL:
        """KL(q(z_j) || N(0, 1)) of each dimension."""
        variance = self.log_ratios.var(axis=0, ddof=1) + self._dependence_of_marginals
        least = np.where(self.saturated_dims, spacing_variance(), 0)
        error = np.sqrt(np.maximum(variance, least) / len(self.z))
        return MarginalKL(self.log_ratios.mean(axis=0), error, self.saturated_dims)

    @property
    def marginal_kl_sum(self) -> Estimate:
        """Sum of KL(q(z_j) || N(0, 1)) over the dimensions."""
        least = spacing_variance() * float(self.saturated_dims.sum())
        return _mean_of_dependent(self.log_ratios.sum(axis=1), self._dependence_of_marginals.sum(), least)

    @property
    def total_correlation(self) -> Estimate:
        """KL(q(z) || Π q(z_j)); an upper bound if the mixture is saturated."""
        terms = self.joint - (self.log_ratios + log_prior(self.z)).sum(axis=1)
        of_marginals = self._dependence_of_marginals.sum()
        if self.saturated:
            return _mean_of_dependent(terms, of_marginals)
        of_joint = self._dependence(self.own_share.mean(), self.z.shape[1])
        return _mean_of_dependent(terms, max(of_joint - of_marginals, 0))  # noise that the marginals do not share

    @property
    def _dependence_of_marginals(self) -> np.ndarray:
        """Variance that the terms of each dimension add by their dependence, shape (D,)."""
        by_mixture = self._dependence(self.own_share_of_marginals.mean(axis=0), 1)
        return np.where(self.saturated_dims, spacing_excess_variance(), by_mixture)

    def _dependence(self, own_share: np.ndarray, n_dims: int) -> np.ndarray:
        """Return the variance that terms add because two codes score each other's posterior.

        The mean own share is the variance of the relative error of q(z) at a code. The scores of two codes under each
        other's posterior are equal up to their noise, with a correlation of 2^(−½) in each dimension.
        """
        return np.asarray(np.maximum(own_share, 0) * len(self.z) / self.n_posteriors * 2 ** (-n_dims / 2))

    def _with_own(self, left_out: np.ndarray, own: np.ndarray) -> np.ndarray:
        return np.asarray(np.logaddexp(left_out + math.log(self.n_posteriors - 1), own) - math.log(self.n_posteriors))


@shared_estimate
def draw_code_densities(posterior: Posterior, *, n_codes: int | None, seed: int) -> CodeDensities:
    """Draw codes from q(z), and score each under all posteriors.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples.
    n_codes : int or None
        Largest number of codes, each drawn from a different row; None for one code per row.
    seed : int
        Seed of the rows and codes.

    Returns
    -------
    CodeDensities
        The codes and their log-densities.
    """
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, n_codes, rng)
    z = sample_codes(posterior, rows, rng)
    joint, marginals = log_aggregate_and_marginals(z, posterior, left_out=rows)
    return CodeDensities(rows, z, log_posterior(z, posterior, rows), joint, marginals, len(posterior))


def _mean_of_dependent(terms: np.ndarray, dependence: float, least: float = 0) -> Estimate:
    """Return the mean of terms (M,), and its standard error if their dependence adds to the variance of each.

    `least` is what the variance with this dependence cannot be below.
    """
    return Estimate(float(terms.mean()), math.sqrt(max(terms.var(ddof=1) + dependence, least) / len(terms)))


def _bias(own_share: np.ndarray) -> np.ndarray:
    """Return what a code's own posterior adds to the logarithm of the mixture, beyond its expectation."""
    return np.asarray(own_share / 2 + own_share**2 / 4)


def spacing_log_ratios(values: np.ndarray) -> np.ndarray:
    """Estimate the log-density of independent samples relative to N(0, 1), from their spacings.

    Parameters
    ----------
    values : ndarray, shape (M,)
        Samples.

    Returns
    -------
    ndarray, shape (M,)
        ln f(value) − ln N(value; 0, 1) in nats; their mean estimates KL(f || N(0, 1)). ∞ where more than six samples
        are equal.

    Notes
    -----
    With u = Φ(value), sorted between the ends 0 and 1, and the window from i − 3 to i + 3 cut at the ends, so that it
    contains k gaps: ψ(k) − ψ(M + 1) − ln(u_(i+3) − u_(i−3)). It has no bias where the density of u is even over a
    window, hence everywhere if f is N(0, 1).
    """
    from scipy.special import digamma

    n_values = len(values)
    order = np.argsort(values, kind="stable")
    ends = np.concatenate([[-np.inf], values[order], [np.inf]])
    places = np.arange(1, n_values + 1)
    first, last = np.maximum(places - N_NEIGHBORS, 0), np.minimum(places + N_NEIGHBORS, n_values + 1)
    ratios = np.empty(n_values)
    ratios[order] = digamma(last - first) - digamma(n_values + 1) - _log_normal_mass(ends[first], ends[last])
    return ratios


def spacing_variance() -> float:
    """Return M times the variance of the mean of overlapping spacings of 2 × 3 gaps, for samples of N(0, 1).

    Returns
    -------
    float
        With k = 6, (2k² − 2k + 1) ψ′(k) − 2k + 1 (Cressie 1976). Samples of another density have more.
    """
    from scipy.special import polygamma

    k = 2 * N_NEIGHBORS
    return float((2 * k**2 - 2 * k + 1) * polygamma(1, k) - 2 * k + 1)


def spacing_excess_variance() -> float:
    """Return what overlapping spacings of 2 × 3 gaps add to the variance of one term.

    Returns
    -------
    float
        `spacing_variance` without the variance of a single term, ψ′(k), which is already counted.
    """
    from scipy.special import polygamma

    return spacing_variance() - float(polygamma(1, 2 * N_NEIGHBORS))


def _log_normal_mass(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return ln(Φ(high) − Φ(low)), computed in the tail where both are small."""
    from scipy.special import log_ndtr

    with np.errstate(divide="ignore", invalid="ignore"):
        upper = low + high > 0
        low, high = np.where(upper, -high, low), np.where(upper, -low, high)
        return np.asarray(log_ndtr(high) + np.log(-np.expm1(log_ndtr(low) - log_ndtr(high))))
