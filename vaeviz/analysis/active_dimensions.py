"""Which latent dimensions work, which collapsed, and which the decoder ignores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import aggregate_quantiles, analysis_rng, check_gaussian_posterior, sample_rows
from vaeviz.analysis.estimates import standard_errors
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import data_range
from vaeviz.errors import InputError
from vaeviz.model.decode import decode
from vaeviz.model.posterior import Posterior

DimensionStatus = Literal["active", "ignored", "collapsed"]
CENTRAL_LEVELS = (0.025, 0.975)
N_NODES = 5  # between the ends of the central 95 %


@dataclass(frozen=True, eq=False)
class ActivityTests:
    """Whether each latent dimension tells samples apart, by two tests; all are (D,).

    kl: mean KL in nats. variance: of the posterior mean (Burda et al. 2016, section 5). With their standard errors.
    min_kl, min_variance (D,): the thresholds.
    """

    kl: np.ndarray
    kl_error: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray
    min_kl: float
    min_variance: np.ndarray

    @property
    def encoded(self) -> np.ndarray:
        """Whether the code tells samples apart."""
        return (self.kl > self.min_kl) & (self.variance > self.min_variance)


@dataclass(frozen=True, eq=False)
class Triage(ActivityTests):
    """Three tests of each latent dimension, and what they say together; all are (D,).

    effect: mean change of a decoded value, in units of the data, over the central 95 % of the aggregate posterior,
    with its standard error. min_effect: the threshold.
    """

    effect: np.ndarray
    effect_error: np.ndarray
    min_effect: float

    @property
    def verdicts(self) -> np.ndarray:
        """ "active", "ignored" (encoded, but the decoder does not answer), or "collapsed"."""
        return np.where(self.encoded, np.where(self.effect > self.min_effect, "active", "ignored"), "collapsed")

    def count(self, verdict: DimensionStatus) -> int:
        return int((self.verdicts == verdict).sum())


def triage(
    posterior: Posterior,
    decoder: Any,
    x: Any = None,
    *,
    min_kl: float = 0.005,
    min_share: float = 0.01,
    min_effect: float | None = None,
    n: int = 64,
    seed: int = 0,
) -> Triage:
    """KL, variance of the mean and the decoder's answer, for each latent dimension together.

    No test is enough alone: a code may vary that the decoder ignores, and a constant posterior narrower than the
    prior has a KL and tells nothing.
    x: (N, ...) the data, whose range sets the scale of `min_effect`. min_kl, min_share: see `encoding`.
    min_effect: by default 1/255 of the data's range (of 1 without x), one step of an 8-bit gray level.
    n: around so many random posterior means the effect is taken, all other dimensions held.
    """
    encoded = activity_tests(posterior, min_kl=min_kl, min_share=min_share)
    min_effect = gray_step(x) if min_effect is None else min_effect
    effects = output_changes(decoder, posterior, sample_rows(posterior, n, analysis_rng(seed)), like=x)
    return Triage(
        **vars(encoded), effect=effects.mean(axis=0), effect_error=standard_errors(effects), min_effect=min_effect
    )


def activity_tests(posterior: Posterior, *, min_kl: float = 0.005, min_share: float = 0.01) -> ActivityTests:
    """KL and variance of the mean of each latent dimension, which needs no decoder.

    min_share: 0.01, the variance of Burda et al. 2016, here as a share of the variance of q(z_j); where that is the
        prior's, the two are one. min_kl: 0.005 nats, the KL of a Gaussian channel of such a share, −½ ln(1 − 0.01).
    """
    check_gaussian_posterior(posterior, prior=False)
    kl, mean = posterior.kl(), posterior.mean.astype(np.float64)
    square = (mean - mean.mean(axis=0)) ** 2
    variance = square.mean(axis=0)
    return ActivityTests(
        kl=kl.mean(axis=0),
        kl_error=standard_errors(kl),
        variance=variance,
        variance_error=standard_errors(square),
        min_kl=min_kl,
        min_variance=min_share * (variance + (posterior.std.astype(np.float64) ** 2).mean(axis=0)),
    )


def output_changes(decoder: Any, posterior: Posterior, rows: np.ndarray, *, like: Any = None) -> np.ndarray:
    """How much a decoded value changes as one dimension crosses the central 95 % of q(z_j), (rows, D).

    Around the posterior mean of each row, with the other dimensions held: largest minus smallest over five nodes,
    averaged over the values of the sample.
    """
    low, high = aggregate_quantiles(posterior, CENTRAL_LEVELS)
    changes = np.empty((len(rows), posterior.size))
    for dim in range(posterior.size):
        codes = np.repeat(posterior.mean[rows, None].astype(np.float64), N_NODES, axis=1)
        codes[..., dim] = np.linspace(low[dim], high[dim], N_NODES)
        flat = posterior.with_codes(codes.reshape(-1, posterior.size), np.repeat(rows, N_NODES))
        decoded = decode(decoder, flat, reference=like).reshape(len(rows), N_NODES, -1)
        changes[:, dim] = np.ptp(decoded, axis=1).mean(axis=1)
    return changes


def gray_step(x: Any) -> float:
    """1/255 of the range of the data."""
    if x is None:
        return 1 / 255
    low, high = data_range(check_samples(x, "x"))
    spread = float(high) - float(low)
    if not spread > 0:
        raise InputError("x: all values are the same, so that no change can be judged; give min_effect")
    return spread / 255
