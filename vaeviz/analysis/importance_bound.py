"""How likely a model finds its data: the ELBO, and the importance-weighted bound that tightens it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.jackknife import mean_standard_error
from vaeviz.data.batches import check_samples, iterate_batches
from vaeviz.data.out_of_core import MAX_BATCH_VALUES, sample_shape
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.likelihood import numpy_scorer
from vaeviz.model.posterior import Posterior

LADDER = (1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000)


@dataclass(frozen=True, eq=False)
class ImportanceBound:
    """Lower bounds of ln p(x) in nats, sample by sample.

    k: (K,) how many importance samples a bound takes; the last is all S of them.
    values: (N, K) L_k, each averaged over S/k disjoint groups of the same S importance weights.
    errors: (N, K) standard errors of `values` from the sampling of z.
    elbo: (N,) E_q[ln p(x|z)] − KL, with the closed-form KL. kl: (N,) that KL.
    effective: (N,) effective sample size of the S weights, from 1 to S.
    """

    k: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    elbo: np.ndarray
    kl: np.ndarray
    effective: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The average bound over the samples x, (K,)."""
        return self.values.mean(axis=0)

    @property
    def mean_error(self) -> np.ndarray:
        """Standard errors of `mean`, (K,), from the choice of the samples x and the sampling of z together."""
        return mean_standard_error(self.values)

    @property
    def gain(self) -> tuple[float, float]:
        """By how much the last bound lies above the first, and its standard error over the samples x."""
        gains = self.values[:, -1] - self.values[:, 0]
        return float(gains.mean()), float(mean_standard_error(gains))


def importance_bound(
    likelihood: Any, x: Any, posterior: Posterior, *, count: int = 500, pairs: int | None = None, seed: int = 0
) -> ImportanceBound:
    """The ELBO and L_k = E[ln 1/k Σ p(x, z_i)/q(z_i | x)], z_i ~ q(z | x) (Burda et al. 2016, eq. 8).

    likelihood: see `vaeviz.log_likelihood`. x: (N, ...). posterior: of x. count: S, importance samples for each x.
    pairs: how many pairs (x, z) are scored at once. Memory is bounded by that and by S; log-mean-exp in float64.
    Raises `NotApplicable` for a deterministic encoder, another prior than N(0, I), or an infinite KL.
    """
    x = check_samples(x, "x")
    if count < 1:
        raise InputError(f"importance samples = {count}: expected 1 or more")
    check_gaussian(posterior)
    pairs = pairs or max(1, MAX_BATCH_VALUES // math.prod(sample_shape(x)))
    ladder = rungs(count)
    rng = np.random.default_rng(seed)
    parts = []
    with numpy_scorer(likelihood, posterior.code_shape) as score:
        for rows, batch in iterate_batches(x, max(1, min(len(x), math.isqrt(pairs))), desc="importance sampling"):
            scores, log_weights = _log_weights(score, batch, posterior[rows], count, pairs, rng)
            kl = posterior[rows].kl().sum(axis=1)
            parts.append((*group_bounds(log_weights, ladder), scores - kl, kl, effective_size(log_weights)))
    return ImportanceBound(np.array(ladder), *map(np.concatenate, zip(*parts)))


def rungs(count: int) -> tuple[int, ...]:
    """1, 5, 10, 50, 100, ... up to `count`, those that divide it: each a multiple of the one before."""
    return tuple(k for k in LADDER if k < count and count % k == 0) + (count,)


def group_bounds(log_weights: np.ndarray, ladder: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(bounds, standard errors), each (N, K), from log-weights (N, S) in disjoint groups of k.

    As every k is a multiple of the one before, no bound lies below the one before, whatever the weights. The error
    of a single group is that of a log-mean-exp, √(1/ESS − 1/S) (delta method); NaN for a single weight.
    """
    bounds, errors = [], []
    for k in ladder:
        groups = log_mean_exp(log_weights.reshape(len(log_weights), -1, k))
        bounds.append(groups.mean(axis=1))
        errors.append(mean_standard_error(groups.T) if groups.shape[1] > 1 else _delta_error(log_weights))
    return np.stack(bounds, axis=1), np.stack(errors, axis=1)


def log_mean_exp(values: np.ndarray) -> np.ndarray:
    """ln of the mean of exp(values) along the last axis, in float64."""
    from scipy.special import logsumexp

    return logsumexp(values.astype(np.float64), axis=-1) - math.log(values.shape[-1])


def effective_size(log_weights: np.ndarray) -> np.ndarray:
    """(Σ w)² / Σ w² of log-weights (N, S), from 1 to S (Kong 1992): (N,)."""
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)


def check_gaussian(posterior: Posterior) -> None:
    """`NotApplicable` unless q(z | x) is a Gaussian of some spread, and the prior N(0, I)."""
    if posterior.std is None:
        raise NotApplicable(posterior.why_no_spread)
    if posterior.prior != "normal":
        raise NotApplicable("the bound needs a known prior; if it is N(0, I), write Encoder(fn, prior='normal')")
    if (posterior.std == 0).any():
        raise NotApplicable("the KL is infinite: some posterior standard deviations are 0")


def _log_weights(
    score: Callable, x: np.ndarray, posterior: Posterior, count: int, pairs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(mean of ln p(x|z) over the samples (n,), ln p(x|z) + ln p(z) − ln q(z|x) of each (n, S))."""
    mean, std = (part.astype(np.float64)[:, None] for part in (posterior.mean, posterior.std))
    at_once = max(1, pairs // len(x))
    log_weights, total = np.empty((len(x), count)), np.zeros(len(x))
    for start in range(0, count, at_once):
        size = min(at_once, count - start)
        z = mean + std * rng.standard_normal((len(x), size, posterior.size))
        z = z.astype(np.float32).astype(np.float64)  # the very codes that the likelihood is given
        rows = np.repeat(np.arange(len(x)), size)
        scored = score(x[rows], z.reshape(-1, posterior.size), posterior.condition_of(rows)).reshape(len(x), size)
        prior_over_q = np.log(std) + 0.5 * (((z - mean) / std) ** 2 - z**2)  # the ln 2π cancel
        log_weights[:, start : start + size] = scored + prior_over_q.sum(axis=2)
        total += scored.sum(axis=1)
    return total / count, log_weights


def _delta_error(log_weights: np.ndarray) -> np.ndarray:
    count = log_weights.shape[1]
    if count == 1:
        return np.full(len(log_weights), np.nan)
    return np.sqrt(np.maximum(1 / effective_size(log_weights) - 1 / count, 0))
