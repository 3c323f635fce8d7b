"""Standard deviations of the encoder that are too wide or too narrow for its decoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.estimates import N_ERRORS, Estimate, mean_estimate, standard_error
from vaeviz.analysis.posterior_scale import SCALES, ScaledELBO, scaled_elbo
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
    factors = _allowed_factors(found)
    return Measurement(
        sentence=_describe_factor(best, gain),
        value=max(best, 1 / best),
        threshold=max_factor,
        n_samples=len(rows),
        interval=(float(factors.min()), float(factors.max())),
        numbers={
            "scales": found.scales,
            "elbo": found.elbo.mean(axis=1),
            "gain": gain.value,
            "gain_error": gain.standard_error,
        },
    )


def _allowed_factors(found: ScaledELBO) -> np.ndarray:
    """Return the factors of the scales whose ELBO is not clearly below the highest one."""
    losses = (found.elbo[found.best] - found.elbo).T
    margin = N_ERRORS * standard_error(losses)
    allowed = found.scales[~(losses.mean(axis=0) > margin)]
    return np.asarray(np.maximum(allowed, 1 / allowed))


def _describe_factor(best: float, gain: Estimate) -> str:
    if best == 1:
        return "No multiple of the encoder's standard deviations has a higher ELBO."
    at_least = "at least " if best in (SCALES[0], SCALES[-1]) else ""
    factor, verb = (best, "multiplied") if best > 1 else (1 / best, "divided")
    return (
        f"The ELBO is highest with the encoder's standard deviations {verb} by {at_least}{factor:.2g}: {gain} nats "
        "higher than as encoded."
    )
