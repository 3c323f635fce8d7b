from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, ActiveDimensions, active_dimensions
from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.estimates import Estimate
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._wording import all_of_them, count_noun, is_or_are, list_dimensions
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior

NEARLY_ALL = 0.99


@health_check(
    unit="dimensions",
    flags="above",
    source="min_share: active units, Burda et al. 2016 (arXiv:1509.00519, section 5); min_kl: the KL of a Gaussian "
    "channel of that share; max_count: ours",
)
def collapsed(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_count: int = 0,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
) -> Measurement:
    """Do some dimensions of the code tell nothing about the samples?

    max_count: so many may. min_kl: a dimension is collapsed whose mean KL is not above so many nats, or (min_share) the
    variance of whose posterior mean is not above such a share of its whole variance. Of a deterministic encoder those
    dimensions count whose code is constant.
    """
    posterior = encode(encoder, x, condition)
    if posterior.std is None:
        return _of_codes(posterior, max_count)
    found = active_dimensions(
        check_gaussian_posterior(posterior, needs_prior=False), min_kl=min_kl, min_share=min_share
    )
    dims = np.flatnonzero(~found.mask)
    return Measurement(
        flagged=len(dims) > max_count,
        sentence=_sentence(found, dims),
        value=len(dims),
        threshold=max_count,
        samples=len(posterior),
        numbers={
            "dimensions": posterior.size,
            "collapsed": dims,
            "kl": found.kl,
            "kl_error": found.kl_error,
            "variance_of_mean": found.variance,
            "variance_of_mean_error": found.variance_error,
        },
    )


def _of_codes(posterior: Posterior, max_count: int) -> Measurement:
    found = active_dimensions(posterior)
    dims, size = np.flatnonzero(~found.mask), posterior.size
    varies = (
        "The code varies in its one dimension." if size == 1 else f"The code varies in {all_of_them(size).lower()}."
    )
    constant = (
        f"{len(dims)} of {count_noun(size)} {is_or_are(len(dims))} constant: {list_dimensions(dims)}."
        if len(dims)
        else ""
    )
    numbers = {"dimensions": size, "collapsed": dims, "variance_of_mean": found.variance}
    return Measurement(len(dims) > max_count, constant or varies, len(dims), max_count, len(posterior), numbers=numbers)


def _sentence(found: ActiveDimensions, dims: np.ndarray) -> str:
    size, total = len(found.kl), found.kl.sum()
    if len(dims) == size:
        return f"The code tells nothing about a sample: {all_of_them(size).lower()} collapsed (KL {total:.2g} nats)."
    if not len(dims):
        least = int(found.kl.argmin())
        kl = Estimate(found.kl[least], found.kl_error[least])
        which = f"; z{least + 1} the least, with a KL of {kl} nats." if size > 1 else f", with a KL of {kl} nats."
        return f"{all_of_them(size)} {is_or_are(size)} used{which}"
    falling = np.sort(found.kl)[::-1].cumsum() / total
    enough = int(np.searchsorted(falling, NEARLY_ALL)) + 1
    return (
        f"{len(dims)} of {size} dimensions collapsed: {list_dimensions(dims)} {'tells' if len(dims) == 1 else 'tell'} nothing "
        f"about a sample. {count_noun(enough)} {'carries' if enough == 1 else 'carry'} 99 % of the KL of {total:.3g} nats."
    )
