"""Single latent dimensions whose codes are not distributed like the prior."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS, subsample_posteriors
from vaeviz.analysis.estimates import N_ERRORS, Estimate
from vaeviz.analysis.prior_mismatch import marginal_kl
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import count_noun, dimension_names, is_or_are
from vaeviz.health.checks._sampling import n_codes_to_score
from vaeviz.model.encode import encode


@health_check(
    "Are the codes distributed like the prior in each dimension?",
    unit="nats",
    flags="above",
    source="the dimension-wise KL of Chen et al. 2018 (arXiv:1802.04942); max_kl: our choice, the KL of codes that are "
    "shifted by half a standard deviation",
)
def marginals(
    encoder: Any, x: Any, condition: Any = None, *, max_kl: float = 0.125, n_codes: int = 1000, seed: int = 0
) -> Measurement:
    """Measure the KL of the dimension that differs most from the prior.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_kl : float, default 0.125
        Largest KL(q(z_j) || N(0, 1)) allowed for any dimension (nats).
    n_codes : int, default 1000
        Number of codes, each scored under all posteriors.
    seed : int, default 0
        Seed of the codes.

    Returns
    -------
    Measurement
        The largest KL of a dimension (nats).

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, or the prior is not known.
    """
    posterior = encode(encoder, x, condition)
    n_codes = n_codes_to_score(n_codes, len(posterior), posterior.size)
    found = marginal_kl(subsample_posteriors(posterior, MAX_POSTERIORS, seed), n_codes=n_codes, seed=seed)
    kl, error = found.value, found.error
    mean, std = _code_moments(posterior)
    least, most = kl - N_ERRORS * error, kl + N_ERRORS * error
    farthest, count = int(least.argmax()), int((least > max_kl).sum())
    name, farthest_kl = f"z{farthest + 1}", Estimate(float(kl[farthest]), float(error[farthest]))
    moments = f"mean {round(mean[farthest], 2) + 0.0:.2f} and standard deviation {std[farthest]:.2f}".replace("-", "−")
    which = f"{name}, which differs most from N(0, 1)," if len(kl) > 1 else name
    others = f"; {count} of {count_noun(len(kl))} {is_or_are(count)} beyond the threshold" if count > 1 else ""
    return Measurement(
        sentence=f"{which} has a KL of {farthest_kl} nats, {moments}{others}.",
        value=farthest_kl.value,
        error=farthest_kl.standard_error,
        interval=(float(least.max()), float(most.max())),
        threshold=max_kl,
        n_samples=min(n_codes, len(posterior)),
        numbers={
            "dimension": farthest,
            "name": name,
            "names": dimension_names(np.arange(len(kl))),
            "kl": kl,
            "kl_error": error,
            "kl_by_spacings": found.by_spacings,
            "mean": mean,
            "standard_deviation": std,
        },
    )


def _code_moments(posterior: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the codes, shape (D,) each: the moments of a mixture of Gaussians."""
    mean = posterior.mean.mean(axis=0, dtype=np.float64)
    within = (posterior.std.astype(np.float64) ** 2).mean(axis=0)
    return mean, np.sqrt(posterior.mean.var(axis=0, dtype=np.float64) + within)
