from __future__ import annotations

from typing import Any

from vaeviz.analysis.surgery import elbo_terms
from vaeviz.encoding import encode
from vaeviz.errors import NotApplicable
from vaeviz.finding import Answer, question
from vaeviz.findings._sampling import scored
from vaeviz.findings._wording import percent

LEAST_KL = 0.005  # a dimension, see `collapsed`


@question(
    unit="of the KL",
    flags="below",
    source="ELBO surgery, Hoffman & Johnson 2016 (NIPS workshop on approximate inference), Chen et al. 2018 "
    "(arXiv:1802.04942), the full-N estimator; min_share: ours",
)
def information(
    encoder: Any, x: Any, condition: Any = None, *, min_share: float = 0.75, n: int = 2000, seed: int = 0
) -> Answer:
    """Is the KL spent on telling samples apart?

    min_share: such a share of the KL must be mutual information between sample and code; the rest is the distance of
    the codes from the prior, and buys nothing. n: by so many codes, each scored under all posteriors.
    """
    posterior = encode(encoder, x, condition)
    n = scored(n, posterior)
    found = elbo_terms(posterior, n=n, seed=seed)
    kl = found.exact_kl.value
    if kl <= LEAST_KL * posterior.size:
        raise NotApplicable(f"the KL is {kl:.2g} nats: nothing is spent, see collapsed")
    share = 1 - found.marginal_kl.value / kl
    error = found.marginal_kl.standard_error / kl
    if found.saturated and share - 2 * error < min_share:
        raise NotApplicable(
            f"{found.total:,} samples measure a mutual information of {found.ceiling:.3g} nats at most (ln N), and the "
            f"code has {found.mutual_information}: it tells nearly every sample apart; more samples would show how much"
        )
    told = f"{percent(share, error)} of the KL of {kl:.3g} nats"
    flagged = share + 2 * error < min_share
    if flagged:
        sentence = f"Only {told} tells samples apart; {found.marginal_kl} nats are paid for lying off the prior."
    else:
        sentence = f"{told} tells samples apart ({found.mutual_information} nats of mutual information)."
    parts = ("mutual_information", "total_correlation", "dimension_kl_sum", "marginal_kl", "exact_kl")
    numbers = {part: getattr(found, part).value for part in parts}
    numbers |= {f"{part}_error": getattr(found, part).standard_error for part in parts}
    numbers |= {"ceiling": found.ceiling, "dimension_kl": found.dimension_kl}
    return Answer(flagged, sentence, share, min_share, found.n, error, numbers=numbers)
