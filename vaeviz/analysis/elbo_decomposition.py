"""Decomposition of the KL term of the ELBO."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    analysis_rng,
    check_gaussian_posterior,
    log_aggregate_and_marginals,
    log_posterior,
    log_prior,
    require_kl,
    sample_codes,
    sample_rows,
)
from vaeviz.analysis.estimates import Estimate, mean_estimate, standard_error
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.options import check_arguments

if TYPE_CHECKING:
    import pandas as pd

SATURATION_MARGIN = 1.0  # nats below ln N; nearer, the mutual information of more samples would be visibly higher


@dataclass(frozen=True, eq=False)
class ELBOTerms:
    """Terms of the ELBO in nats per sample: mean KL = mutual information + total correlation + dimension-wise KL.

    Attributes
    ----------
    mutual_information : Estimate
        I_q(n; z) between the index of a sample and its code; at most `ceiling`, ln N.
    left_out : Estimate
        The same with each code's own posterior removed from q(z); ∞ where no other posterior has mass at a code.
    total_correlation : Estimate
        KL(q(z) || Π q(z_j)).
    dimension_kl : ndarray, shape (D,)
        KL(q(z_j) || p(z_j)).
    dimension_kl_error : ndarray, shape (D,)
        Standard errors of `dimension_kl`.
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
    n_codes : int
        Number of drawn codes.
    n_posteriors : int
        N, number of posteriors in the mixture q(z).
    n_given : int
        Number of posteriors before subsampling.

    Notes
    -----
    With unlimited samples `mutual_information` and `left_out` both converge to I_q(x; z), which is between their
    expectations (Poole et al. 2019, arXiv:1905.06922).
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
    n_codes: int
    n_posteriors: int
    n_given: int

    @property
    def ceiling(self) -> float:
        """Largest possible mutual information, ln N."""
        return math.log(self.n_posteriors)

    @property
    def saturated(self) -> bool:
        """Whether the mutual information is within a nat of its ceiling.

        The distance to the ceiling is −E ln r, where r is the share of a sample's own posterior in q(z) at its code.
        Within a nat that share exceeds 1/e, and the information of more samples would be higher by about
        −ln(1 − r), half a nat or more. The missing part is counted in the total correlation instead.
        """
        return self.mutual_information.value > self.ceiling - SATURATION_MARGIN

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per term.

        Returns
        -------
        pandas.DataFrame
            Columns ``term``, ``value`` and ``standard_error``, in nats; the dimension-wise KL of each dimension is
            ``dimension_kl_1``, ``dimension_kl_2``, ….
        """
        import pandas as pd

        terms = {name: value for name, value in vars(self).items() if isinstance(value, Estimate)}
        for dim, (value, error) in enumerate(zip(self.dimension_kl, self.dimension_kl_error)):
            terms[f"dimension_kl_{dim + 1}"] = Estimate(float(value), float(error))
        rows = [(name, estimate.value, estimate.standard_error) for name, estimate in terms.items()]
        return pd.DataFrame(rows, columns=["term", "value", "standard_error"])


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

    This is the full-N estimator: each code is scored under all N posteriors, including its own, so that q(z) is
    exactly the mixture of those N and only the average over codes is estimated. The minibatch estimators of Chen et
    al. (weighted and stratified sampling) are biased and not used.

    References
    ----------
    Hoffman & Johnson 2016, "ELBO surgery", NIPS workshop on advances in approximate Bayesian inference.
    Chen et al. 2018, "Isolating sources of disentanglement", arXiv:1802.04942, eq. 2.
    """
    check_arguments(elbo_terms, locals())
    whole, kept = check_gaussian_posterior(posterior), subsample_rows(max_points, len(posterior), seed)
    posterior = whole[kept]
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, n_codes, rng)
    z = sample_codes(posterior, rows, rng)
    own = log_posterior(z, posterior, rows)
    joint, marginals = log_aggregate_and_marginals(z, posterior)
    log_ratio = marginals - log_prior(z)
    exact_kl = require_kl(posterior).sum(axis=1)
    fit = None if likelihood is None else _pair_likelihood(likelihood, x, whole, kept[rows], z)
    return ELBOTerms(
        mutual_information=mean_estimate(own - joint),
        left_out=mean_estimate(own - _without_own(joint, own, len(posterior))),
        total_correlation=mean_estimate(joint - marginals.sum(axis=1)),
        dimension_kl=log_ratio.mean(axis=0),
        dimension_kl_error=standard_error(log_ratio),
        dimension_kl_sum=mean_estimate(log_ratio.sum(axis=1)),
        kl=mean_estimate(own - log_prior(z).sum(axis=1)),
        exact_kl=mean_estimate(exact_kl),
        reconstruction=None if fit is None else mean_estimate(fit),
        elbo=None if fit is None else mean_estimate(fit - exact_kl[rows]),
        n_codes=len(rows),
        n_posteriors=len(posterior),
        n_given=len(whole),
    )


def _without_own(joint: np.ndarray, own: np.ndarray, n_posteriors: int) -> np.ndarray:
    """Return ln q(z) without each code's own posterior; −∞ where rounding hides all others."""
    share_of_own = np.minimum(np.exp(own - joint - math.log(n_posteriors)), 1)
    with np.errstate(divide="ignore"):
        return np.asarray(joint + math.log(n_posteriors / (n_posteriors - 1)) + np.log1p(-share_of_own))


def _pair_likelihood(likelihood: Any, x: Any, posterior: Posterior, rows: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return ln p(x | z) of codes and the rows of x that they were drawn for."""
    x = check_samples(x, "x", reference=posterior.mean)
    return log_likelihood(likelihood, take_rows(x, rows), posterior.with_codes(z, rows))
