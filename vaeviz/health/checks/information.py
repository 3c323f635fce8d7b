from __future__ import annotations

from typing import Any

from vaeviz.analysis.active_dimensions import MIN_KL
from vaeviz.analysis.elbo_decomposition import elbo_terms
from vaeviz.analysis.estimates import Estimate
from vaeviz.errors import NotApplicable
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import n_codes_to_score
from vaeviz.health.checks._wording import percent
from vaeviz.model.encode import encode


@health_check(
    unit="of the KL",
    flags="below",
    source="ELBO surgery, Hoffman & Johnson 2016 (NIPS workshop on approximate inference), Chen et al. 2018 "
    "(arXiv:1802.04942), between the bounds of Poole et al. 2019 (arXiv:1905.06922); min_share: ours",
)
def information(
    encoder: Any, x: Any, condition: Any = None, *, min_share: float = 0.75, n: int = 2000, seed: int = 0
) -> Measurement:
    """Is the KL spent on telling samples apart?

    min_share: such a share of the KL must be mutual information between sample and code; the rest is the distance of
    the codes from the prior, and buys nothing. n: by so many codes, each scored under all posteriors.
    """
    posterior = encode(encoder, x, condition)
    n = n_codes_to_score(n, posterior)
    found = elbo_terms(posterior, n_codes=n, seed=seed)
    kl = found.exact_kl.value
    if kl <= MIN_KL * posterior.size:
        raise NotApplicable(f"the KL is {kl:.2g} nats: nothing is spent, see collapsed")
    low, high = (_share(information, kl) for information in (found.mutual_information, found.left_out))
    flagged = high.value + 2 * high.standard_error < min_share
    if not flagged and low.value - 2 * low.standard_error < min_share:
        raise NotApplicable(
            f"from {found.n_posteriors:,} samples the mutual information is between {found.mutual_information.value:.3g} and "
            f"{min(found.left_out.value, kl):.3g} nats, of a KL of {kl:.3g}: more samples would tell"
        )
    decisive = high if flagged else low
    told = f"{percent(decisive.value, decisive.standard_error)} of the KL of {kl:.3g} nats tells samples apart"
    if flagged:
        sentence = f"At most {told}; the rest is paid for lying off the prior."
    else:
        sentence = f"{'At least ' if high.value - low.value > 0.01 else ''}{told}, the rest is distance from the prior."
    parts = ("mutual_information", "left_out", "total_correlation", "dimension_kl_sum", "exact_kl")
    numbers = {part: getattr(found, part).value for part in parts}
    numbers |= {f"{part}_error": getattr(found, part).standard_error for part in parts}
    numbers |= {"ceiling": found.ceiling, "dimension_kl": found.dimension_kl}
    return Measurement(
        flagged, sentence, decisive.value, min_share, found.n_codes, error=decisive.standard_error, numbers=numbers
    )


def _share(information: Estimate, kl: float) -> Estimate:
    """Of the KL, which the information cannot exceed."""
    value = min(information.value / kl, 1.0)
    return Estimate(value, information.standard_error / kl if value < 1 else 0.0)
