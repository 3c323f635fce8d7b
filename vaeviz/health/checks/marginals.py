from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS, subsample_posteriors
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.prior_mismatch import marginal_kl
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._sampling import n_codes_to_score
from vaeviz.health.checks._wording import all_of_them, count_noun, is_or_are
from vaeviz.model.encode import encode


@health_check(
    unit="nats",
    flags="above",
    source="the dimension-wise KL of Chen et al. 2018 (arXiv:1802.04942); max_kl: ours, that of a code that is shifted "
    "by half a standard deviation",
)
def marginals(
    encoder: Any, x: Any, condition: Any = None, *, max_kl: float = 0.125, n: int = 1000, seed: int = 0
) -> Measurement:
    """Is each dimension of the codes spread as the prior is?

    max_kl: KL(q(z_j) || N(0, 1)) of the farthest dimension may be so many nats. n: by so many codes, each scored under
    all posteriors.
    """
    posterior = encode(encoder, x, condition)
    n = n_codes_to_score(n, posterior)
    kl, error = marginal_kl(subsample_posteriors(posterior, MAX_POSTERIORS, seed), n_codes=n, seed=seed)
    mean = posterior.mean.mean(axis=0, dtype=np.float64)
    spread = posterior.mean.var(axis=0, dtype=np.float64) + (posterior.std.astype(np.float64) ** 2).mean(axis=0)
    beyond, std = kl - 2 * error > max_kl, np.sqrt(spread)
    farthest = int((kl - 2 * error if beyond.any() else kl).argmax())
    told = (
        f"z{farthest + 1} is farthest from N(0, 1), {Estimate(kl[farthest], error[farthest])} nats, "
        f"with mean {round(mean[farthest], 2) + 0.0:.2f} and standard deviation {std[farthest]:.2f}."
    ).replace("-", "−")
    count = int(beyond.sum())
    if count:
        sentence = f"{count} of {count_noun(len(kl))} {is_or_are(count)} not spread as the prior: {told}"
    else:
        sentence = f"{all_of_them(len(kl))} {is_or_are(len(kl))} spread about as the prior: {told}"
    return Measurement(
        flagged=count > 0,
        sentence=sentence,
        value=float(kl[farthest]),
        error=float(error[farthest]),
        threshold=max_kl,
        samples=min(n, len(posterior)),
        numbers={"kl": kl, "kl_error": error, "mean": mean, "standard_deviation": std},
    )
