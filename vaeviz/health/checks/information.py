"""The share of the KL that is information about the samples."""

from __future__ import annotations

from typing import Any

from vaeviz.analysis.active_dimensions import MIN_KL
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.estimates import N_ERRORS, Estimate
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import percent
from vaeviz.health.checks._sampling import n_codes_to_score
from vaeviz.model.encode import encode

NEGLIGIBLE_GAP = 0.01  # of the KL; bounds that are closer than this are written as one number


@health_check(
    "Is the KL spent on information about the samples?",
    unit="of the KL",
    flags="below",
    source="ELBO surgery, Hoffman & Johnson 2016 (NIPS workshop on approximate inference), Chen et al. 2018 "
    "(arXiv:1802.04942), between the bounds of Poole et al. 2019 (arXiv:1905.06922); min_share: our choice",
)
def information(
    encoder: Any, x: Any, condition: Any = None, *, min_share: float = 0.75, n_codes: int = 2000, seed: int = 0
) -> Measurement:
    """Measure the share of the KL that is mutual information between sample and code.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    min_share : float, default 0.75
        Smallest share of the KL that must be mutual information. The rest is the distance between the codes and the
        prior.
    n_codes : int, default 2000
        Number of codes, each scored under all posteriors.
    seed : int, default 0
        Seed of the codes.

    Returns
    -------
    Measurement
        The share of the KL: the upper bound if it is below the threshold, else the lower bound.

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, the prior is not known, or the KL is about 0.
    """
    posterior = encode(encoder, x, condition)
    n_codes = n_codes_to_score(n_codes, len(posterior), posterior.size)
    found = elbo_terms(posterior, n_codes=n_codes, seed=seed)
    kl = found.exact_kl.value
    if kl <= MIN_KL * posterior.size:
        raise NotApplicable(f"The KL is {kl:.2g} nats, too little to contain information; see collapsed.")
    low, high = (_share_of_kl(bound, kl) for bound in (found.with_own, found.left_out))
    least, most = low.value - N_ERRORS * low.standard_error, high.value + N_ERRORS * high.standard_error
    decisive = high if most < min_share else low
    parts = ("mutual_information", "with_own", "left_out", "total_correlation", "dimension_kl_sum", "exact_kl")
    numbers = {part: getattr(found, part).value for part in parts}
    numbers |= {f"{part}_error": getattr(found, part).standard_error for part in parts}
    numbers |= {"ceiling": found.ceiling, "dimension_kl": found.dimension_kl}
    numbers |= {"saturated": found.saturated, "dimension_kl_by_spacings": found.dimension_kl_by_spacings}
    return Measurement(
        sentence=_describe_share(low, high, kl, found.n_posteriors),
        value=decisive.value,
        threshold=min_share,
        n_samples=found.n_codes,
        error=decisive.standard_error,
        interval=(least, most),
        numbers=numbers,
    )


def _describe_share(low: Estimate, high: Estimate, kl: float, n_posteriors: int) -> str:
    if high.value - low.value <= NEGLIGIBLE_GAP:
        share = percent(low.value, low.standard_error)
    else:
        share = f"Between {percent(low.value, low.standard_error)} and {percent(high.value, high.standard_error)}"
    return (
        f"{share} of the KL of {kl:.3g} nats is information about samples, estimated from {n_posteriors:,} of them; "
        "the rest is distance between the codes and the prior."
    )


def _share_of_kl(information: Estimate, kl: float) -> Estimate:
    """Return the share of the KL, which information cannot exceed."""
    value = min(information.value / kl, 1.0)
    return Estimate(value, information.standard_error / kl if value < 1 else 0.0)
