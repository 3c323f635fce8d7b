from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.model.encode import encode


@health_check(
    unit="nats",
    flags="above",
    source="the importance-weighted bound of Burda et al. 2016 (arXiv:1509.00519); the gap as in Cremer et al. 2018 "
    "(arXiv:1801.03558); max_gap: ours, what is lost to the encoder is then more than what the code costs",
)
def likelihood(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    max_gap: float = 1.0,
    count: int = 100,
    n: int = 200,
    seed: int = 0,
) -> Measurement:
    """Is the encoder's posterior close to the true one, so that the ELBO is close to ln p(x)?

    max_gap: ln p(x) may lie above the ELBO by so many times the KL. count: ln p(x) by the bound of so many importance
    samples, which is below it, so that the gap is at least what is said. n: of so many samples x.
    """
    posterior = encode(encoder, x, condition)
    x = check_samples(x, "x")
    rows = choose_rows(x, n, seed)
    bound = importance_bound(likelihood, take_rows(x, rows), posterior[rows], n_draws=count, seed=seed)
    gap, elbo, tight = (mean_estimate(v) for v in (bound.values[:, -1] - bound.elbo, bound.elbo, bound.values[:, -1]))
    threshold = max_gap * float(bound.kl.mean())
    flagged = gap.value - 2 * gap.standard_error > threshold
    return Measurement(
        flagged=flagged,
        sentence=_sentence(
            gap, elbo, bound.kl.mean(), max_gap, flagged, of="x" if posterior.condition is None else "x | y"
        ),
        value=gap.value,
        error=gap.standard_error,
        threshold=threshold,
        samples=len(rows),
        numbers={
            "elbo": elbo.value,
            "elbo_error": elbo.standard_error,
            "bound": tight.value,
            "bound_error": tight.standard_error,
            "kl": bound.kl.mean(),
            "importance_samples": count,
            "median_effective_size": np.median(bound.effective),
        },
    )


def _sentence(gap: Estimate, elbo: Estimate, kl: float, max_gap: float, flagged: bool, *, of: str) -> str:
    if gap.value < 2 * gap.standard_error:
        return f"The ELBO of {elbo} nats is tight: no gap to ln p({of}) is found ({gap} nats)."
    told = f"ln p({of}) is at least {gap} nats above the ELBO of {elbo} nats"
    if flagged:
        limit = "the KL" if max_gap == 1 else f"{max_gap:g} times the KL"
        return f"{told}, more than {limit} of {kl:.3g}: the encoder is far from the true posterior."
    return f"{told}; the KL is {kl:.3g}."
