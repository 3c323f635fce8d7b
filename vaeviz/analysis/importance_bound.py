"""Lower bounds of the log-likelihood: the ELBO and the importance-weighted bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import (
    analysis_rng,
    check_gaussian_posterior,
    require_kl,
    require_std,
    sample_rows,
)
from vaeviz.analysis.estimates import Estimate, mean_estimate, standard_error
from vaeviz.data.batches import PROGRESS_DELAY, check_samples, iterate_batches
from vaeviz.data.out_of_core import MAX_BATCH_VALUES, sample_shape, take_rows
from vaeviz.errors import InputError
from vaeviz.model.likelihood import numpy_scorer
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

MAX_EVALUATIONS = 50_000  # decoded codes; 500 importance samples of 100 samples x
GROUP_SIZES = (1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000)  # each is a multiple of the one before


@dataclass(frozen=True, eq=False, repr=False)
class ImportanceBound(ShortRepr):
    """Lower bounds of ln p(x) for each sample, in nats.

    Attributes
    ----------
    rows : ndarray of int, shape (N,)
        The samples whose bounds were computed.
    k : ndarray of int, shape (K,)
        Importance samples per bound; the last is S, all of them.
    values : ndarray, shape (N, K)
        Bounds L_k, averaged over S/k disjoint groups of the same S importance weights.
    errors : ndarray, shape (N, K)
        Standard errors of `values` from the sampling of z; NaN for a single weight.
    elbo : ndarray, shape (N,)
        E_q[ln p(x | z)] − KL, with the KL in closed form.
    kl : ndarray, shape (N,)
        That KL.
    effective : ndarray, shape (N,)
        Effective sample size of the S weights, from 1 to S.
    """

    rows: np.ndarray
    k: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    elbo: np.ndarray
    kl: np.ndarray
    effective: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean bound over the samples x, shape (K,)."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def mean_error(self) -> np.ndarray:
        """Standard errors of `mean`, shape (K,), from the choice of x and the sampling of z together."""
        return standard_error(self.values)

    @property
    def gain(self) -> Estimate:
        """Mean difference between the last and the first bound, with its standard error over the samples x."""
        return mean_estimate(self.values[:, -1] - self.values[:, 0])

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per sample.

        Returns
        -------
        pandas.DataFrame
            Columns ``row`` (of x), ``elbo``, ``kl``, ``effective``, and for each k ``L_k`` and its standard error
            ``L_k_error``.
        """
        import pandas as pd

        columns = {"row": self.rows, "elbo": self.elbo, "kl": self.kl, "effective": self.effective}
        for place, k in enumerate(self.k):
            columns |= {f"L_{k}": self.values[:, place], f"L_{k}_error": self.errors[:, place]}
        return pd.DataFrame(columns)


def importance_bound(
    likelihood: Any,
    x: Any,
    posterior: Posterior,
    *,
    n_draws: int = 500,
    max_evaluations: int | None = MAX_EVALUATIONS,
    max_pairs: int | None = None,
    seed: int = 0,
) -> ImportanceBound:
    """Compute the ELBO and importance-weighted bounds of ln p(x).

    Parameters
    ----------
    likelihood : callable
        ln p(x | z) of pairs in nats, see `vaeviz.log_likelihood`.
    x : array_like, shape (N, ...)
        Samples.
    posterior : Posterior
        Gaussian posteriors of `x` with a known prior.
    n_draws : int, default: 500
        Importance samples per x.
    max_evaluations : int or None, default: 50000
        Largest number of decoded codes. If all samples need more, as many as this allows are chosen at random, at
        least two; None for all.
    max_pairs : int, optional
        Largest number of pairs (x, z) scored at once; by default it depends on the size of a sample.
    seed : int, default: 0
        Seed of the choice of samples and of the importance samples.

    Returns
    -------
    ImportanceBound
        Bounds for several k of each sample in ``rows``.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, have an infinite KL, or no known prior.
    InputError
        If `n_draws` is below 1.

    Notes
    -----
    L_k = E[ln 1/k Σ_i p(x, z_i) / q(z_i | x)], z_i ~ q(z | x), is below ln p(x), does not fall with k, and L_1 is the
    ELBO. Memory is bounded by `max_pairs` and `n_draws`; sums of weights are computed in float64 on a log scale.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", arXiv:1509.00519, eq. 8.

    Examples
    --------
    With the exact posterior, every bound is ln p(x):

    >>> from vaeviz.analysis.linear_vae import linear_vae
    >>> model = linear_vae(np.diag([4.0, 2.0, 0.5]), 2)
    >>> x = np.random.default_rng(0).standard_normal((20, 3))
    >>> mean, log_var = model.encode(x)
    >>> bound = importance_bound(model.log_likelihood, x, Posterior(mean, np.exp(log_var / 2), "normal"), n_draws=10)
    >>> bool(np.allclose(bound.values[:, -1], model.log_evidence(x), atol=1e-4))
    True
    """
    from tqdm import tqdm

    x = check_samples(x, "x")
    if n_draws < 1:
        raise InputError(
            f"n_draws = {n_draws}, but at least 1 importance sample per x is needed.",
            got=f"n_draws = {n_draws}",
            expected="1 or more",
        )
    check_gaussian_posterior(posterior, min_samples=1)
    n_samples = len(posterior) if max_evaluations is None else max(2, max_evaluations // n_draws)
    taken = np.arange(len(posterior))
    if n_samples < len(posterior):
        taken = sample_rows(posterior, n_samples, analysis_rng(seed))
        x, posterior = take_rows(x, taken), posterior[taken]
    max_pairs = max_pairs or max(1, MAX_BATCH_VALUES // math.prod(sample_shape(x)))
    sizes = group_sizes(n_draws)
    rng = np.random.default_rng(seed)
    parts = []
    n_rows = max(1, min(len(x), math.isqrt(max_pairs)))
    with (
        numpy_scorer(likelihood, posterior.code_shape) as score,
        tqdm(
            total=len(x) * n_draws,
            desc="importance sampling",
            unit="code",
            delay=PROGRESS_DELAY,
            leave=False,
            disable=None,
        ) as bar,
    ):
        for rows, batch in iterate_batches(x, n_rows, desc=None):
            scores, log_weights = _log_weights(score, batch, posterior[rows], n_draws, max_pairs, rng, bar.update)
            kl = require_kl(posterior[rows]).sum(axis=1)
            parts.append((*group_bounds(log_weights, sizes), scores - kl, kl, effective_size(log_weights)))
    return ImportanceBound(taken, np.array(sizes), *map(np.concatenate, zip(*parts)))


def group_sizes(n_draws: int) -> tuple[int, ...]:
    """Return numbers of importance samples to compute bounds for.

    Parameters
    ----------
    n_draws : int
        Importance samples per x.

    Returns
    -------
    tuple of int
        Those of 1, 5, 10, 50, 100, … that divide `n_draws`, and `n_draws`: each a multiple of the one before.

    Examples
    --------
    >>> group_sizes(100)
    (1, 5, 10, 50, 100)
    """
    return tuple(k for k in GROUP_SIZES if k < n_draws and n_draws % k == 0) + (n_draws,)


def group_bounds(log_weights: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Compute importance-weighted bounds from log-weights in disjoint groups.

    Parameters
    ----------
    log_weights : ndarray, shape (N, S)
        Logarithms of S importance weights per sample, in nats.
    sizes : tuple of int
        Sizes k of a group, each a multiple of the one before and a divisor of S.

    Returns
    -------
    bounds : ndarray, shape (N, K)
        Bounds L_k. None is below the one before, whatever the weights, because groups are nested.
    errors : ndarray, shape (N, K)
        Standard errors; for a single group √(1/ESS − 1/S) by the delta method, NaN for a single weight.
    """
    bounds, errors = [], []
    for k in sizes:
        groups = log_mean_exp(log_weights.reshape(len(log_weights), -1, k))
        bounds.append(groups.mean(axis=1))
        errors.append(standard_error(groups.T) if groups.shape[1] > 1 else _delta_error(log_weights))
    return np.stack(bounds, axis=1), np.stack(errors, axis=1)


def log_mean_exp(values: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean of exponentials over the last axis.

    Parameters
    ----------
    values : ndarray, shape (..., S)
        Exponents.

    Returns
    -------
    ndarray, shape (...)
        ln 1/S Σ exp(values), float64.
    """
    from scipy.special import logsumexp

    return np.asarray(logsumexp(values.astype(np.float64), axis=-1) - math.log(values.shape[-1]))


def effective_size(log_weights: np.ndarray) -> np.ndarray:
    """Return the effective sample size of importance weights.

    Parameters
    ----------
    log_weights : ndarray, shape (N, S)
        Logarithms of S importance weights per sample.

    Returns
    -------
    ndarray, shape (N,)
        (Σ w)² / Σ w², from 1 to S.

    References
    ----------
    Kong 1992, "A note on importance sampling using standardized weights", University of Chicago, TR 348.
    """
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return np.asarray(weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1))


def _log_weights(
    score: Callable[..., np.ndarray],
    x: np.ndarray,
    posterior: Posterior,
    n_draws: int,
    max_pairs: int,
    rng: np.random.Generator,
    report: Callable[[int], Any],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of ln p(x | z) over the draws, (N,), and ln p(x | z) + ln p(z) − ln q(z | x), (N, S)."""
    mean, std = (part.astype(np.float64)[:, None] for part in (posterior.mean, require_std(posterior)))
    max_draws = max(1, max_pairs // len(x))
    log_weights, total = np.empty((len(x), n_draws)), np.zeros(len(x))
    for start in range(0, n_draws, max_draws):
        size = min(max_draws, n_draws - start)
        z = mean + std * rng.standard_normal((len(x), size, posterior.size))
        z = z.astype(np.float32).astype(np.float64)  # the likelihood receives codes rounded to float32
        rows = np.repeat(np.arange(len(x)), size)
        scored = score(x[rows], z.reshape(-1, posterior.size), posterior.condition_of(rows)).reshape(len(x), size)
        prior_over_q = np.log(std) + 0.5 * (((z - mean) / std) ** 2 - z**2)  # the ln 2π cancel
        log_weights[:, start : start + size] = scored + prior_over_q.sum(axis=2)
        total += scored.sum(axis=1)
        report(scored.size)
    return total / n_draws, log_weights


def _delta_error(log_weights: np.ndarray) -> np.ndarray:
    """Return the standard error of a log-mean-exp of all weights, by the delta method."""
    n_draws = log_weights.shape[1]
    if n_draws == 1:
        return np.full(len(log_weights), np.nan)
    return np.asarray(np.sqrt(np.maximum(1 / effective_size(log_weights) - 1 / n_draws, 0)))
