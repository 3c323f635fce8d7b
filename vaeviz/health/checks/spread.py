from __future__ import annotations

from typing import Any

from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.posterior_scale import SCALES, scaled_elbo
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import choose_rows
from vaeviz.model.encode import encode


@health_check(
    unit="times",
    flags="above",
    source="where the ELBO is at its optimum, the best multiple of the standard deviations is 1; max_factor: ours",
)
def spread(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    max_factor: float = 1.5,
    n: int = 200,
    seed: int = 0,
) -> Measurement:
    """Are the encoder's standard deviations as wide as its decoder asks for?

    max_factor: they may be so many times too wide or too narrow, as the ELBO judges, which is compared at multiples of
    them from 1/8 to 8 in steps of √2. n: of so many samples x.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    rows = choose_rows(x, n, seed)
    found = scaled_elbo(likelihood, take_rows(x, rows), posterior[rows], seed=seed)
    best, gain = float(found.scales[found.best]), mean_estimate(found.gains)
    factor = max(best, 1 / best)
    flagged = factor > max_factor and gain.value - 2 * gain.standard_error > 0
    numbers = {"scales": found.scales, "elbo": found.elbo.mean(axis=1), "gain": gain.value}
    numbers["gain_error"] = gain.standard_error
    return Measurement(flagged, _sentence(best, gain, flagged), factor, max_factor, len(rows), numbers=numbers)


def _sentence(best: float, gain: Estimate, flagged: bool) -> str:
    if best == 1:
        return "The encoder's spread suits the decoder: no multiple of it has a higher ELBO."
    if not flagged:
        return f"The encoder's spread suits the decoder: {best:.2g} times as wide, the ELBO changes by {gain} nats."
    factor, wrong, mended = (best, "narrow", "multiplied") if best > 1 else (1 / best, "wide", "divided")
    at_least = "at least " if best in (SCALES[0], SCALES[-1]) else ""
    return (
        f"The encoder's standard deviations are {at_least}{factor:.2g} times too {wrong}: so {mended}, they would "
        f"raise the ELBO by {gain} nats."
    )
