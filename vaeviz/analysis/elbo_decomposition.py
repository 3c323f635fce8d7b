"""Decomposition of the KL term of the ELBO."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    check_gaussian_posterior,
    log_prior,
    require_kl,
)
from vaeviz.analysis.code_densities import draw_code_densities
from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ELBOTerms(ShortRepr):
    """Terms of the ELBO in nats per sample: mean KL = mutual information + total correlation + dimension-wise KL.

    Attributes
    ----------
    mutual_information : Estimate
        I_q(x; z) between a sample and its code. If `saturated`, a lower bound, at most `ceiling`.
    with_own : Estimate
        Lower bound of the same: I_q(n; z) with the index of a sample, at most ln N.
    left_out : Estimate
        Upper bound of the same: with each code's own posterior removed from q(z).
    total_correlation : Estimate
        KL(q(z) || Π q(z_j)). If `saturated`, an upper bound.
    dimension_kl : ndarray, shape (D,)
        KL(q(z_j) || p(z_j)).
    dimension_kl_error : ndarray, shape (D,)
        Standard errors of `dimension_kl`.
    dimension_kl_by_spacings : ndarray of bool, shape (D,)
        Whether `dimension_kl` is estimated from the spacings of codes, because the mixture is saturated.
    dimension_kl_sum : Estimate
        Sum of `dimension_kl`.
    kl : Estimate
        Mean KL(q(z | x) || p(z)) at the drawn codes, exactly the sum of the three terms.
    exact_kl : Estimate
        Mean KL in closed form, over all N samples.
    reconstruction : Estimate or None
        E ln p(x | z); None without a likelihood.
    elbo : Estimate or None
        ELBO with the KL in closed form; None without a likelihood.
    saturated : bool
        Whether N posteriors are too few to measure mutual information and total correlation.
    n_codes : int
        Number of drawn codes.
    n_posteriors : int
        N, number of posteriors in the mixture q(z).
    n_given : int
        Number of posteriors before subsampling.

    Notes
    -----
    With unlimited samples `with_own` and `left_out` both converge to I_q(x; z), which is between their expectations
    (Poole et al. 2019, arXiv:1905.06922). `CodeDensities` says how the terms are estimated from both.
    """

    mutual_information: Estimate
    with_own: Estimate
    left_out: Estimate
    total_correlation: Estimate
    dimension_kl: np.ndarray
    dimension_kl_error: np.ndarray
    dimension_kl_by_spacings: np.ndarray
    dimension_kl_sum: Estimate
    kl: Estimate
    exact_kl: Estimate
    reconstruction: Estimate | None
    elbo: Estimate | None
    saturated: bool
    n_codes: int
    n_posteriors: int
    n_given: int

    @property
    def ceiling(self) -> float:
        """Largest value of `with_own`, ln N."""
        return math.log(self.n_posteriors)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per term.

        Returns
        -------
        pandas.DataFrame
            Columns ``term``, ``value`` and ``standard_error``, in nats, and ``kind``: "estimate", "lower bound",
            "upper bound" or "spacings". The dimension-wise KL of each dimension is ``dimension_kl_1``,
            ``dimension_kl_2``, ….
        """
        import pandas as pd

        terms = {name: value for name, value in vars(self).items() if isinstance(value, Estimate)}
        kinds = {"with_own": "lower bound", "left_out": "upper bound"}
        if self.saturated:
            kinds |= {"mutual_information": "lower bound", "total_correlation": "upper bound"}
        for dim, (value, error) in enumerate(zip(self.dimension_kl, self.dimension_kl_error), start=1):
            terms[f"dimension_kl_{dim}"] = Estimate(float(value), float(error))
            kinds[f"dimension_kl_{dim}"] = "spacings" if self.dimension_kl_by_spacings[dim - 1] else "estimate"
        rows = [(name, term.value, term.standard_error, kinds.get(name, "estimate")) for name, term in terms.items()]
        return pd.DataFrame(rows, columns=["term", "value", "standard_error", "kind"])


def elbo_terms(
    posterior: Posterior,
    x: Any = None,
    likelihood: Callable[..., Any] | None = None,
    *,
    n_codes: int | None = 2000,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
) -> ELBOTerms:
    """Decompose the KL of the ELBO into mutual information, total correlation and dimension-wise KL.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples with a known prior.
    x : array_like, shape (N, ...), optional
        Samples, needed only for the reconstruction term.
    likelihood : callable, optional
        ln p(x | z) of pairs in nats, see `vaeviz.log_likelihood`; needed only for the reconstruction term.
    n_codes : int or None, default: 2000
        Largest number of codes, each drawn from a different row; None for one code per row.
    max_points : int or None, default: 100000
        Largest number of samples; of more, this many are chosen at random. None for all.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    ELBOTerms
        The terms with their standard errors.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, fewer than two, or without a known prior.

    Notes
    -----
    E_x KL(q(z | x) || p(z)) = I_q(n; z) + KL(q(z) || Π_j q(z_j)) + Σ_j KL(q(z_j) || p(z_j)).

    Each code is scored under all N posteriors, see `vaeviz.analysis.code_densities.CodeDensities`. The minibatch
    estimators of Chen et al. (weighted and stratified sampling) are biased and not used. Standard errors are those
    for other samples x and codes z of the same model.

    References
    ----------
    Hoffman & Johnson 2016, "ELBO surgery", NIPS workshop on advances in approximate Bayesian inference.
    Chen et al. 2018, "Isolating sources of disentanglement", arXiv:1802.04942, eq. 2.

    Examples
    --------
    Posteriors of variance ½ whose mixture is the prior have ½ ln 2 nats of information in each dimension:

    >>> mean = np.random.default_rng(0).normal(0, np.sqrt(0.5), (2000, 2))
    >>> terms = elbo_terms(Posterior(mean, np.full(mean.shape, np.sqrt(0.5)), "normal"))
    >>> print(round(terms.mutual_information.value, 1), round(np.log(2), 1))
    0.7 0.7
    """
    check_arguments(elbo_terms, locals())
    whole, kept = check_gaussian_posterior(posterior), subsample_rows(max_points, len(posterior), seed)
    posterior = whole[kept]
    codes = draw_code_densities(posterior, n_codes=n_codes, seed=seed)
    own, prior = codes.own.sum(axis=1), log_prior(codes.z).sum(axis=1)
    marginal_kl = codes.marginal_kl
    exact_kl = require_kl(posterior).sum(axis=1)
    fit = None if likelihood is None else _pair_likelihood(likelihood, x, whole, kept[codes.rows], codes.z)
    return ELBOTerms(
        mutual_information=mean_estimate(own - codes.joint),
        with_own=mean_estimate(own - codes.joint_with_own),
        left_out=mean_estimate(own - codes.joint_left_out),
        total_correlation=codes.total_correlation,
        dimension_kl=marginal_kl.value,
        dimension_kl_error=marginal_kl.error,
        dimension_kl_by_spacings=marginal_kl.by_spacings,
        dimension_kl_sum=codes.marginal_kl_sum,
        kl=mean_estimate(own - prior),
        exact_kl=mean_estimate(exact_kl),
        reconstruction=None if fit is None else mean_estimate(fit),
        elbo=None if fit is None else mean_estimate(fit - exact_kl[codes.rows]),
        saturated=codes.saturated,
        n_codes=len(codes.z),
        n_posteriors=len(posterior),
        n_given=len(whole),
    )


def _pair_likelihood(likelihood: Any, x: Any, posterior: Posterior, rows: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return ln p(x | z) of codes and the rows of x that they were drawn for."""
    x = check_samples(x, "x", reference=posterior.mean)
    return log_likelihood(likelihood, take_rows(x, rows), posterior.with_codes(z, rows))
