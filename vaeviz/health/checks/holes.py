"""Holes: regions where the prior has mass but there are hardly any codes."""

from __future__ import annotations

from typing import Any

from vaeviz.analysis.prior_holes import find_holes
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import percent
from vaeviz.model.encode import encode


@health_check(
    "Does the prior have mass where there are no codes?",
    unit="of the prior's mass",
    flags="above",
    source="regions of low q(z) as in Rosca et al. 2018 (arXiv:1802.06847); max_mass: our choice, one prior sample in "
    "twenty",
)
def holes(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_mass: float = 0.05,
    level: float = 0.01,
    n_codes: int = 2000,
    seed: int = 0,
) -> Measurement:
    """Measure the share of the prior in regions without codes.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_mass : float, default 0.05
        Largest share of the prior allowed in holes.
    level : float, default 0.01
        A hole is where q(z) is lower than at all but this share of the codes.
    n_codes : int, default 2000
        Number of samples of q(z) and of the prior, each scored under all posteriors.
    seed : int, default 0
        Seed of the samples.

    Returns
    -------
    Measurement
        The share of the prior in holes.

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, or the prior is not known.
    """
    posterior = encode(encoder, x, condition)
    found = find_holes(posterior, n_codes=n_codes, level=level, tolerance=max_mass, seed=seed)
    mass = percent(found.mass.value, found.mass.standard_error)
    n_dims, n_compared = posterior.size, len(found.density_dims)
    compared = f" Only the {n_compared} most active dimensions were compared." if n_compared < n_dims else ""
    if found.n_posteriors < len(posterior):
        compared += f" The density is that of {found.n_posteriors:,} of {len(posterior):,} posteriors."
    return Measurement(
        sentence=f"{mass} of the prior is where there are hardly any codes ({percent(level)} if the codes were "
        f"distributed like the prior).{compared}",
        value=found.mass.value,
        error=found.mass.standard_error,
        threshold=max_mass,
        n_samples=len(found.own),
        blind_spot=found.unseen
        and f"With {len(found.own):,} codes of {n_dims:,} dimensions, a {found.unseen} prior would not be seen.",
        baselines={"codes distributed like the prior": level},
        numbers={
            "found_by": found.decisive.name,
            "score_at_the_edge": found.threshold,
            "smallest_visible_empty_share": found.visible_share,
            "compared_dimensions": n_compared,
            "posteriors": found.n_posteriors,
            "classified_dimensions": len(found.classified_dims),
            **{scores.name.replace(" ", "_"): scores.mass.value for scores in found.scores},
        },
    )
