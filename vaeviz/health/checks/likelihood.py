"""Gap between ln p(x) and the ELBO, which the encoder leaves open."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.importance_bound import MAX_EVALUATIONS, importance_bound
from vaeviz.data.batches import check_samples
from vaeviz.health.check import Measurement, health_check
from vaeviz.model.encode import encode


@health_check(
    "Is the encoder's posterior close to the true one, so that the ELBO is close to ln p(x)?",
    unit="nats",
    flags="above",
    source="the importance-weighted bound of Burda et al. 2016 (arXiv:1509.00519); the gap as in Cremer et al. 2018 "
    "(arXiv:1801.03558); max_gap: our choice, the encoder then loses more than the code costs",
)
def likelihood(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    max_gap: float = 1.0,
    n_draws: int = 500,
    max_evaluations: int = MAX_EVALUATIONS,
    seed: int = 0,
) -> Measurement:
    """Measure the gap between an importance-weighted bound on ln p(x) and the ELBO.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    likelihood : callable
        Function of batches x and z that returns ln p(x | z) in nats.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_gap : float, default 1.0
        Largest gap allowed, as a multiple of the KL.
    n_draws : int, default 500
        Number of importance samples. The bound is below ln p(x), so that the gap is at least the one measured.
    max_evaluations : int, default 50000
        Largest number of decoded codes, which limits the number of samples x.
    seed : int, default 0
        Seed of the choice of samples and of the importance samples.

    Returns
    -------
    Measurement
        The mean gap (nats).

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, or the prior is not known.
    """
    posterior = encode(encoder, x, condition)
    x = check_samples(x, "x")
    bound = importance_bound(likelihood, x, posterior, n_draws=n_draws, max_evaluations=max_evaluations, seed=seed)
    tightest = bound.values[:, -1]
    gap, elbo, tight = (mean_estimate(values) for values in (tightest - bound.elbo, bound.elbo, tightest))
    kl = float(bound.kl.mean())
    evidence = "ln p(x)" if posterior.condition is None else "ln p(x | y)"
    return Measurement(
        sentence=_describe_gap(gap, elbo, kl, evidence),
        value=gap.value,
        error=gap.standard_error,
        threshold=max_gap * kl,
        n_samples=len(bound.rows),
        numbers={
            "elbo": elbo.value,
            "elbo_error": elbo.standard_error,
            "bound": tight.value,
            "bound_error": tight.standard_error,
            "kl": kl,
            "importance_samples": n_draws,
            "median_effective_size": np.median(bound.effective),
        },
    )


def _describe_gap(gap: Estimate, elbo: Estimate, kl: float, evidence: str) -> str:
    if gap.value < 2 * gap.standard_error:
        return f"The ELBO of {elbo} nats is tight: no gap to {evidence} is found ({gap} nats)."
    return f"{evidence} is at least {gap} nats above the ELBO of {elbo} nats; the KL is {kl:.3g} nats."
