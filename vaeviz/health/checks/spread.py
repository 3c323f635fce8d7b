"""Standard deviations of the encoder that are too wide or too narrow for its decoder."""

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
    "Are the encoder's standard deviations as wide as its decoder needs them?",
    unit="times",
    flags="above",
    source="at the optimum of the ELBO, the best multiple of the standard deviations is 1; max_factor: our choice",
)
def spread(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    max_factor: float = 1.5,
    n_samples: int = 200,
    seed: int = 0,
) -> Measurement:
    """Measure the factor by which the encoder's standard deviations should be multiplied or divided.

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
    max_factor : float, default 1.5
        Largest factor allowed, by which they are too wide or too narrow.
    n_samples : int, default 200
        Number of samples x.
    seed : int, default 0
        Seed of the choice of samples and of the codes.

    Returns
    -------
    Measurement
        The factor with the highest ELBO, among multiples from 1/8 to 8 in steps of √2; 1 / factor if it is below 1.

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, or the prior is not known.
    """
    posterior, x = encode(encoder, x, condition), check_samples(x, "x")
    rows = choose_rows(x, n_samples, seed)
    found = scaled_elbo(likelihood, take_rows(x, rows), posterior[rows], seed=seed)
    best, gain = float(found.scales[found.best]), mean_estimate(found.gains)
    factor = max(best, 1 / best)
    flagged = factor > max_factor and gain.value - 2 * gain.standard_error > 0
    numbers = {"scales": found.scales, "elbo": found.elbo.mean(axis=1), "gain": gain.value}
    numbers["gain_error"] = gain.standard_error
    return Measurement(flagged, _describe_factor(best, gain, flagged), factor, max_factor, len(rows), numbers=numbers)


def _describe_factor(best: float, gain: Estimate, flagged: bool) -> str:
    if best == 1:
        return "The encoder's standard deviations suit the decoder: no multiple of them has a higher ELBO."
    if not flagged:
        return (
            f"The encoder's standard deviations suit the decoder: {best:.2g} times as wide, they change the ELBO by "
            f"{gain} nats."
        )
    factor, wrong, verb = (best, "narrow", "Multiplied") if best > 1 else (1 / best, "wide", "Divided")
    at_least = "at least " if best in (SCALES[0], SCALES[-1]) else ""
    return (
        f"The encoder's standard deviations are {at_least}{factor:.2g} times too {wrong}. {verb} by {factor:.2g}, they "
        f"would raise the ELBO by {gain} nats."
    )
