"""The aggregate posterior q(z) = 1/N Σ q(z | x_n): the exact mixture of the N posteriors, not a smoothed guess."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import iterate_batches
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.posterior import Posterior

BLOCK_VALUES = 1 << 16
"""How many (code, component) pairs are held at once: 512 KB in float64, which stay in the cache of a core."""

BLOCK_COMPONENTS = 1 << 12
"""How many components of the mixture are held at once, each for 16 codes."""

MAX_POSTERIORS = 100_000
"""How many posteriors the mixture q(z) is made of at most, unless more are asked for: each code is scored under all."""

STREAM = 13126114
"""Sets the random numbers of the analysis apart, see `noise_of`."""


def check_gaussian_posterior(posterior: Posterior, *, prior: bool = True) -> Posterior:
    """`posterior` if it is a Gaussian with a finite KL for two samples or more, and with `prior` a known prior.

    Otherwise raises `NotApplicable`, which says what is missing and what would do.
    """
    if posterior.std is None:
        raise NotApplicable(posterior.why_no_spread)
    if len(posterior) < 2:
        raise NotApplicable(f"got {len(posterior)} sample, and an average over the data needs two or more")
    if not posterior.std.all():
        rows, dims = np.nonzero(posterior.std == 0)
        raise NotApplicable(
            f"the KL is infinite: a standard deviation is 0 in {len(np.unique(rows))} of {len(posterior)} samples, "
            f"first in dimension {dims[0]} of row {rows[0]}; is the encoder deterministic?"
        )
    if prior and posterior.prior is None:
        raise NotApplicable("the prior is not known; if it is N(0, I), write Encoder(fn, prior='normal')")
    return posterior


def analysis_rng(seed: int) -> np.random.Generator:
    """Random numbers for that seed, but not those of ``default_rng(seed)``, with which the data may have been made."""
    return np.random.default_rng((seed, STREAM))


def subsample_posteriors(posterior: Posterior, most: int | None, seed: int) -> Posterior:
    """At most `most` of the posteriors (all for None), at random with `seed`, in their order."""
    return (
        posterior if most is None or most >= len(posterior) else posterior[subsample_rows(most, len(posterior), seed)]
    )


def sample_rows(posterior: Sized, count: int | None, rng: np.random.Generator) -> np.ndarray:
    """At most `count` different rows (all for None), at random, in their order."""
    total = len(posterior)
    if count is not None and count < 2:
        raise InputError(f"n = {count}: expected 2 or more")
    return np.arange(total) if count is None or count >= total else np.sort(rng.permutation(total)[:count])


def sample_codes(posterior: Posterior, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One code z ~ q(z | x) for each of the rows, (M, D), float64. With different rows they are samples of q(z)."""
    mean, std = posterior.mean[rows].astype(np.float64), posterior.std[rows].astype(np.float64)
    return mean + std * rng.standard_normal(mean.shape)


def log_posterior(z: np.ndarray, posterior: Posterior, rows: np.ndarray) -> np.ndarray:
    """ln q(z | x) of each code under the posterior of its own row, (M,)."""
    return _log_normal(z, posterior.mean[rows], posterior.std[rows]).sum(axis=1)


def log_prior(z: np.ndarray) -> np.ndarray:
    """ln N(z_j; 0, 1), (M, D)."""
    return -0.5 * (z**2 + np.log(2 * np.pi))


def log_aggregate(z: np.ndarray, posterior: Posterior, *, left_out: np.ndarray | None = None) -> np.ndarray:
    """ln q(z) of codes z (M, D) under the mixture of all N posteriors, (M,), in nats.

    left_out: (M,) rows; each code is scored without the posterior of its row, as a code that the mixture has not
        seen. A code drawn from q(z | x_n) lies so close to that posterior's center that with it every code would
        seem at home, in high dimensions the only one for miles.

    Log-sum-exp in float64, in blocks of bounded memory; the cost is M × N × D.
    """
    scores = np.full(len(z), -np.inf)
    for rows, start, part in _codes_and_components(z, posterior):
        log_density = sum(_log_components(z[rows, dim], part, dim) for dim in range(part.size))
        if left_out is not None:
            log_density[left_out[rows, None] - start == np.arange(len(part))] = -np.inf
        scores[rows] = np.logaddexp(scores[rows], _log_sum_exp(log_density))
    return scores - np.log(len(posterior) - (left_out is not None))


def log_aggregate_and_marginals(z: np.ndarray, posterior: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """ln q(z), (M,), and ln q(z_j) of each dimension, (M, D), under the mixture of all N posteriors."""
    joint, marginals = np.full(len(z), -np.inf), np.full(z.shape, -np.inf)
    for rows, _, part in _codes_and_components(z, posterior):
        log_density = 0.0
        for dim in range(part.size):
            along = _log_components(z[rows, dim], part, dim)
            log_density = log_density + along
            marginals[rows, dim] = np.logaddexp(marginals[rows, dim], _log_sum_exp(along))
        joint[rows] = np.logaddexp(joint[rows], _log_sum_exp(log_density))
    return joint - np.log(len(posterior)), marginals - np.log(len(posterior))


def grid_density(posterior: Posterior, dims: tuple[int, ...], nodes: tuple[np.ndarray, ...]) -> np.ndarray:
    """q over a grid in one dimension, (G,), or in two, (rows, columns): the others are integrated out exactly.

    The first dimension runs along the columns, the second up the rows, row 0 the lowest.
    """
    shape = [len(along) for along in nodes]
    density = np.zeros(shape[::-1])
    for rows in _blocks(posterior.mean, max(shape)):
        factors = [
            np.exp(_log_normal(along[:, None], posterior.mean[rows, dim], posterior.std[rows, dim]))
            for dim, along in zip(dims, nodes)
        ]
        density += factors[0].sum(axis=1) if len(dims) == 1 else factors[1] @ factors[0].T
    return density / len(posterior)


def aggregate_quantiles(posterior: Posterior, levels: tuple[float, ...]) -> np.ndarray:
    """Quantiles of q(z_j), (levels, D): of the mixture; of the means for a deterministic encoder."""
    if posterior.std is None:
        return np.quantile(posterior.mean.astype(np.float64), levels, axis=0)
    columns = zip(posterior.mean.T.astype(np.float64), posterior.std.T)
    return np.stack([[_quantile(mean, std, level) for level in levels] for mean, std in columns], axis=1)


def _quantile(mean: np.ndarray, std: np.ndarray, level: float) -> float:
    """A quantile of the mixture of N(mean, std²), (N,) each: where its distribution function is `level`."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    std = np.maximum(std.astype(np.float64), 1e-12)
    return brentq(lambda z: ndtr((z - mean) / std).mean() - level, (mean - 9 * std).min(), (mean + 9 * std).max())


def _log_components(values: np.ndarray, posterior: Posterior, dim: int) -> np.ndarray:
    """ln q(z_j | x_n) of each value under each posterior, (m, N)."""
    return _log_normal(values[:, None], posterior.mean[:, dim], posterior.std[:, dim])


def _log_normal(z: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    std = std.astype(np.float64)
    return -0.5 * ((z - mean) / std) ** 2 - (np.log(std) + 0.5 * np.log(2 * np.pi))


def _log_sum_exp(values: np.ndarray) -> np.ndarray:
    """Over the last axis; −∞ of nothing but −∞."""
    top = np.maximum(values.max(axis=-1, keepdims=True), np.finfo(float).min)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0]


def _codes_and_components(z: np.ndarray, posterior: Posterior) -> Iterator[tuple[slice, int, Posterior]]:
    """(some rows of z, the row of the first of some posteriors, these), until each code has met each posterior."""
    starts = range(0, len(posterior), BLOCK_COMPONENTS)
    parts = [(start, posterior[start : start + BLOCK_COMPONENTS]) for start in starts]
    for rows in _blocks(z, len(parts[0][1])):
        for start, part in parts:
            yield rows, start, part


def _blocks(z: np.ndarray, width: int) -> Iterator[slice]:
    """Slices of the rows of z, each of `BLOCK_VALUES` values at most where a row stands for `width` of them."""
    return (rows for rows, _ in iterate_batches(z, max(1, BLOCK_VALUES // width), desc="mixing posteriors"))
