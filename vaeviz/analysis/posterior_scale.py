"""Whether an encoder's spread suits its decoder: the ELBO as all standard deviations are stretched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng, check_gaussian_posterior
from vaeviz.data.batches import check_samples
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.posterior import Posterior

SCALES = tuple(2.0 ** (power / 2) for power in range(-6, 7))


@dataclass(frozen=True, eq=False)
class StretchedELBO:
    """The ELBO of each sample, in nats, where q(z | x) has `scales` times the encoder's standard deviation.

    scales: (S,). elbo: (S, N), by the same noise throughout, so that differences are sharper than values.
    """

    scales: np.ndarray
    elbo: np.ndarray

    @property
    def best(self) -> int:
        """Which of the scales has the highest mean ELBO."""
        return int(self.elbo.mean(axis=1).argmax())

    @property
    def gains(self) -> np.ndarray:
        """By how much the ELBO of each sample is higher at the best scale than as encoded, (N,)."""
        return self.elbo[self.best] - self.elbo[np.flatnonzero(self.scales == 1)[0]]


def stretched_elbo(
    likelihood: Any,
    x: Any,
    posterior: Posterior,
    *,
    scales: tuple[float, ...] = SCALES,
    draws: int = 4,
    seed: int = 0,
) -> StretchedELBO:
    """The ELBO of x (N, ...) as the spread of all its posteriors is stretched: at the ELBO's optimum, 1 is best.

    likelihood: see `vaeviz.log_likelihood`. scales: 1 among them. draws: codes for each sample and scale, the KL is
    exact.
    """
    x = check_samples(x, "x", reference=check_gaussian_posterior(posterior).mean)
    noise = analysis_rng(seed).standard_normal((draws, *posterior.mean.shape))
    rows = []
    for scale in scales:
        stretched = replace(posterior, std=posterior.std * np.float32(scale))
        codes = [replace(posterior, mean=posterior.mean + stretched.std * part) for part in noise]
        fit = np.mean([log_likelihood(likelihood, x, code) for code in codes], axis=0)
        rows.append(fit - stretched.kl().sum(axis=1))
    return StretchedELBO(np.array(scales), np.array(rows))
