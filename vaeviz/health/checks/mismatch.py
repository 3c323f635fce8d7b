"""Difference between the codes, all dimensions together, and the prior."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.estimates import N_ERRORS
from vaeviz.analysis.mmd import equal_shift, shifted_mmd
from vaeviz.analysis.prior_mismatch import check_level, prior_mmd
from vaeviz.health.check import Measurement, health_check
from vaeviz.model.encode import encode


@health_check(
    "Are the codes distributed like the prior in all dimensions together?",
    unit="MMD²",
    flags="above",
    source="the test of Gretton et al. 2012 (JMLR 13), level: the conventional 1 %; max_shift: our choice, because "
    "with enough samples the test finds any difference, however small",
)
def mismatch(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_shift: float = 0.5,
    level: float = 0.01,
    n_permutations: int = 500,
    n_codes: int = 1000,
    seed: int = 0,
) -> Measurement:
    """Measure the squared maximum mean discrepancy (MMD) between codes and prior.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_shift : float, default 0.5
        Largest difference allowed: that of a prior shifted by this many standard deviations, for which MMD² is known
        in closed form.
    level : float, default 0.01
        A difference with a larger p-value counts as chance.
    n_permutations : int, default 500
        Number of permutations that give the p-value.
    n_codes : int, default 1000
        Number of codes, one each of different samples, and of samples of the prior.
    seed : int, default 0
        Seed of the codes, the samples and the permutations.

    Returns
    -------
    Measurement
        MMD² between codes and prior.

    Raises
    ------
    NotApplicable
        If the prior is not known.
    """
    check_level(level, n_permutations)
    posterior = encode(encoder, x, condition)
    found = prior_mmd(posterior, n_codes=n_codes, n_permutations=n_permutations, seed=seed)
    squared, size = found.squared, posterior.size
    threshold = shifted_mmd(max_shift, size, found.length)
    is_significant = found.p_value <= level
    shift = equal_shift(squared.value, size, found.length)
    result = f"(MMD² {squared}, p = {found.p_value:.2g})"
    if not is_significant:
        sentence = f"The codes show no difference from N(0, I) at the level of {level:g} {result}."
    elif np.isfinite(shift):
        sentence = f"The codes differ from N(0, I) as if all were shifted by {shift:.2g} standard deviations {result}."
    else:
        sentence = f"The codes differ from N(0, I) more than any shift would make them differ {result}."
    margin = N_ERRORS * squared.standard_error
    least = squared.value - margin if is_significant else min(squared.value - margin, 0.0)
    return Measurement(
        sentence=sentence,
        value=squared.value,
        error=squared.standard_error,
        interval=(least, squared.value + margin),
        threshold=threshold,
        n_samples=min(n_codes, len(posterior)),
        baselines={"chance, 99 %": float(np.quantile(found.null, 0.99))},
        numbers={"p_value": found.p_value, "equal_shift": shift, "kernel_length": found.length},
    )
