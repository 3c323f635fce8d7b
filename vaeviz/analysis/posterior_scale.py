"""The ELBO as a function of the scale of all posterior standard deviations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng, check_gaussian_posterior, require_kl, require_std
from vaeviz.data.batches import check_samples
from vaeviz.model.likelihood import log_likelihood
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

SCALES = tuple(2.0 ** (power / 2) for power in range(-6, 7))  # 1/8 to 8 in steps of √2


@dataclass(frozen=True, eq=False, repr=False)
class ScaledELBO(ShortRepr):
    """ELBO of each sample where q(z | x) has a multiple of the encoder's standard deviation.

    Attributes
    ----------
    scales : ndarray, shape (S,)
        Multiples of the standard deviation, 1 among them.
    elbo : ndarray, shape (S, N)
        ELBO in nats. All scales use the same noise, so that differences are more precise than values.
    """

    scales: np.ndarray
    elbo: np.ndarray

    @property
    def best(self) -> int:
        """Index of the scale with the highest mean ELBO."""
        return int(self.elbo.mean(axis=1).argmax())

    @property
    def gains(self) -> np.ndarray:
        """Difference between the ELBO at the best scale and as encoded, for each sample, shape (N,)."""
        return np.asarray(self.elbo[self.best] - self.elbo[np.flatnonzero(self.scales == 1)[0]])

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per scale and sample.

        Returns
        -------
        pandas.DataFrame
            Columns ``scale``, ``sample`` (the row of x) and ``elbo`` in nats.
        """
        import pandas as pd

        n_scales, n_samples = self.elbo.shape
        return pd.DataFrame(
            {
                "scale": np.repeat(self.scales, n_samples),
                "sample": np.tile(np.arange(n_samples), n_scales),
                "elbo": self.elbo.ravel(),
            }
        )


def scaled_elbo(
    likelihood: Any,
    x: Any,
    posterior: Posterior,
    *,
    scales: tuple[float, ...] = SCALES,
    n_draws: int = 4,
    seed: int = 0,
) -> ScaledELBO:
    """Compute the ELBO as all posterior standard deviations are scaled.

    Parameters
    ----------
    likelihood : callable
        ln p(x | z) of pairs in nats, see `vaeviz.log_likelihood`.
    x : array_like, shape (N, ...)
        Samples.
    posterior : Posterior
        Gaussian posteriors of `x` with a known prior.
    scales : tuple of float
        Multiples of the standard deviation, 1 among them; by default 1/8 to 8 in steps of √2.
    n_draws : int, default: 4
        Codes per sample and scale; the KL is in closed form.
    seed : int, default: 0
        Seed of the noise.

    Returns
    -------
    ScaledELBO
        ELBO of each sample at each scale.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, fewer than two, or without a known prior.
    InputError
        If `x` does not match the posteriors, or the likelihood fails.

    Notes
    -----
    ELBO(s) = E ln p(x | μ + sσε) − KL(N(μ, s²σ²) || N(0, I)), ε ~ N(0, I). At an optimum of the ELBO the best scale s
    is 1. A higher one means that the encoder's posteriors are too narrow.
    """
    x = check_samples(x, "x", reference=check_gaussian_posterior(posterior).mean)
    noise = analysis_rng(seed).standard_normal((n_draws, *posterior.mean.shape))
    rows = []
    for scale in scales:
        scaled = replace(posterior, std=require_std(posterior) * np.float32(scale))
        codes = [replace(posterior, mean=posterior.mean + require_std(scaled) * draw) for draw in noise]
        fit = np.mean([log_likelihood(likelihood, x, code) for code in codes], axis=0)
        rows.append(fit - require_kl(scaled).sum(axis=1))
    return ScaledELBO(np.array(scales), np.array(rows))
