from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.mmd import equal_shift, shifted_mmd
from vaeviz.analysis.prior_mismatch import check_level, prior_mmd
from vaeviz.health.check import Measurement, health_check
from vaeviz.model.encode import encode


@health_check(
    unit="MMD²",
    flags="above",
    source="the test of Gretton et al. 2012 (JMLR 13), level: the conventional 1 %; max_shift: ours, since with enough "
    "samples any difference is found, however small",
)
def mismatch(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_shift: float = 0.5,
    level: float = 0.01,
    permutations: int = 500,
    n: int = 1000,
    seed: int = 0,
) -> Measurement:
    """Are the codes, all dimensions together, spread as the prior is?

    max_shift: they may differ as much as if the prior were shifted by so many standard deviations; MMD² between the
    two is known in closed form. level: and the difference may be chance, by the p-value of so many permutations.
    n: of so many codes, one each of different samples, and as many samples of the prior.
    """
    check_level(level, permutations)
    posterior = encode(encoder, x, condition)
    found = prior_mmd(posterior, n_codes=n, n_permutations=permutations, seed=seed)
    squared, size = found.squared, posterior.size
    threshold = shifted_mmd(max_shift, size, found.length)
    seen = found.p_value <= level
    flagged = seen and squared.value - 2 * squared.standard_error > threshold
    shift = equal_shift(squared.value, size, found.length)
    as_if = f"as if all were shifted by {shift:.2g} standard deviations" if np.isfinite(shift) else "beyond any shift"
    told = f"(MMD² {squared}, p = {found.p_value:.2g})"
    if not seen:
        sentence = f"No difference between the codes and N(0, I) shows at the level of {level:g} {told}."
    else:
        sentence = f"The codes differ from N(0, I) {'as much' if flagged else 'little,'} {as_if} {told}."
    return Measurement(
        flagged=flagged,
        sentence=sentence,
        value=squared.value,
        error=squared.standard_error,
        threshold=threshold,
        samples=min(n, len(posterior)),
        baselines={"chance, 99 %": float(np.quantile(found.null, 0.99))},
        numbers={"p_value": found.p_value, "equal_shift": shift, "kernel_length": found.length},
    )
