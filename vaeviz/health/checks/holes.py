from __future__ import annotations

from typing import Any

from vaeviz.analysis.prior_holes import find_holes
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import n_codes_to_score
from vaeviz.health.checks._wording import percent
from vaeviz.model.encode import encode


@health_check(
    unit="of the prior's mass",
    flags="above",
    source="regions of low q(z) as in Rosca et al. 2018 (arXiv:1802.06847); max_mass: ours, one prior sample in twenty",
)
def holes(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_mass: float = 0.05,
    level: float = 0.01,
    n: int = 2000,
    seed: int = 0,
) -> Measurement:
    """Does the prior have mass where no codes lie?

    max_mass: such a share of the prior may lie where q(z) is lower than at all but the share `level` of its own
    samples. n: by so many samples of q(z) and of the prior, each scored under all posteriors.
    """
    posterior = encode(encoder, x, condition)
    n = n_codes_to_score(n, posterior)
    found = find_holes(posterior, n_codes=n, level=level, tolerance=max_mass, seed=seed)
    mass = percent(found.mass.value, found.mass.standard_error)
    if found.flagged:
        sentence = (
            f"{mass} of the prior lies in holes, where hardly any code does ({100 * level:g} % if the codes were "
            "spread as the prior): what is decoded there is made up."
        )
    else:
        sentence = f"The codes cover the prior: {mass} of it lies where hardly any code does."
    return Measurement(
        flagged=found.flagged,
        sentence=sentence,
        value=found.mass.value,
        error=found.mass.standard_error,
        threshold=max_mass,
        samples=len(found.own),
        baselines={"codes spread as the prior": level},
        numbers={"log_density_at_the_edge": found.threshold},
    )
