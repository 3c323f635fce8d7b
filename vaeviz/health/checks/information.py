"""How much of the KL is information about the samples."""

from __future__ import annotations

from typing import Any

from vaeviz.analysis.active_dimensions import MIN_KL
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.estimates import Estimate
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
        The share of the KL: the upper bound if it is flagged, the lower bound if not.

    Raises
    ------
    NotApplicable
        If the encoder gives no Gaussian posteriors, the prior is not known, the KL is about 0, or the samples are too
        few to decide.
    """
    posterior = encode(encoder, x, condition)
    n_codes = n_codes_to_score(n_codes, posterior)
    found = elbo_terms(posterior, n_codes=n_codes, seed=seed)
    kl = found.exact_kl.value
    if kl <= MIN_KL * posterior.size:
        raise NotApplicable(f"The KL is {kl:.2g} nats, too little to contain information; see collapsed.")
    low, high = (_share_of_kl(bound, kl) for bound in (found.with_own, found.left_out))
    flagged = high.value + 2 * high.standard_error < min_share
    if not flagged and low.value - 2 * low.standard_error < min_share:
        raise NotApplicable(
            f"The KL is {kl:.3g} nats. {found.n_posteriors:,} samples leave the mutual information between "
            f"{found.with_own.value:.3g} and {min(found.left_out.value, kl):.3g} nats.",
            fix="Use more samples to decide.",
        )
    decisive = high if flagged else low
    share = (
        f"{percent(decisive.value, decisive.standard_error)} of the KL of {kl:.3g} nats is information about samples"
    )
    if flagged:
        sentence = f"At most {share}; the rest is distance between the codes and the prior."
    else:
        bound = "At least " if high.value - low.value > NEGLIGIBLE_GAP else ""
        sentence = f"{bound}{share}; the rest is distance between the codes and the prior."
    parts = ("mutual_information", "with_own", "left_out", "total_correlation", "dimension_kl_sum", "exact_kl")
    numbers = {part: getattr(found, part).value for part in parts}
    numbers |= {f"{part}_error": getattr(found, part).standard_error for part in parts}
    numbers |= {"saturated": found.saturated, "ceiling": found.ceiling, "dimension_kl": found.dimension_kl}
    numbers |= {"dimension_kl_by_spacings": found.dimension_kl_by_spacings}
    return Measurement(
        flagged, sentence, decisive.value, min_share, found.n_codes, error=decisive.standard_error, numbers=numbers
    )


def _share_of_kl(information: Estimate, kl: float) -> Estimate:
    """Return the share of the KL, which information cannot exceed."""
    value = min(information.value / kl, 1.0)
    return Estimate(value, information.standard_error / kl if value < 1 else 0.0)
