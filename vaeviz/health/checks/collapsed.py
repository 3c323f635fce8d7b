"""Collapsed latent dimensions, which carry no information about the samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, ActiveDimensions, active_dimensions
from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.estimates import Estimate
from vaeviz.health.check import Measurement, health_check
from vaeviz.health.checks._phrases import all_of_them, count_noun, dimension_names, is_or_are, list_dimensions
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior

MOST_OF_KL = 0.99  # share of the KL that the sentence attributes to the fewest dimensions


@health_check(
    "Do some latent dimensions carry no information about the samples?",
    unit="dimensions",
    flags="above",
    source="min_share: active units, Burda et al. 2016 (arXiv:1509.00519, section 5); min_kl: the KL of a Gaussian "
    "channel with that share; max_count: our choice",
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
    """Count collapsed latent dimensions.

    Parameters
    ----------
    encoder : object
        Anything that `vaeviz.encode` takes.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample.
    max_count : int, default 0
        Number of collapsed dimensions allowed.
    min_kl : float, default 0.005
        A dimension with mean KL at or below this (nats) counts as collapsed.
    min_share : float, default 0.01
        A dimension counts as collapsed if the variance of its posterior mean is at or below this share of its whole
        variance.

    Returns
    -------
    Measurement
        The number of collapsed dimensions; for a deterministic encoder, the number of constant dimensions.
    """
    posterior = encode(encoder, x, condition)
    if posterior.std is None:
        return _measure_codes(posterior, max_count)
    check_gaussian_posterior(posterior, needs_prior=False)
    found = active_dimensions(posterior, min_kl=min_kl, min_share=min_share)
    dims = np.flatnonzero(~found.mask)
    return Measurement(
        sentence=_describe_dimensions(found, dims, has_normal_prior=posterior.prior is not None),
        value=len(dims),
        threshold=max_count,
        n_samples=len(posterior),
        interval=(float(np.sum(~found.mask & ~found.uncertain)), float(np.sum(~found.mask | found.uncertain))),
        numbers={
            "dimensions": posterior.size,
            "collapsed": dims,
            "collapsed_names": dimension_names(dims),
            "kl": found.kl,
            "kl_error": found.kl_error,
            "variance_of_mean": found.variance,
            "variance_of_mean_error": found.variance_error,
        },
    )


def _measure_codes(posterior: Posterior, max_count: int) -> Measurement:
    """Count constant dimensions of the codes of a deterministic encoder."""
    found = active_dimensions(posterior)
    dims, size = np.flatnonzero(~found.mask), posterior.size
    if len(dims):
        sentence = f"{len(dims)} of {count_noun(size)} {is_or_are(len(dims))} constant: {list_dimensions(dims)}."
    else:
        sentence = f"{all_of_them(size)} of the code {'varies' if size == 1 else 'vary'}."
    numbers = {"dimensions": size, "collapsed": dims, "collapsed_names": dimension_names(dims)}
    numbers["variance_of_mean"] = found.variance
    return Measurement(sentence, len(dims), max_count, len(posterior), numbers=numbers)


def _describe_dimensions(found: ActiveDimensions, dims: np.ndarray, *, has_normal_prior: bool) -> str:
    size, total = len(found.kl), found.kl.sum()
    nats = "nats" if has_normal_prior else "nats from N(0, 1), which is not known to be the prior"
    if len(dims) == size:
        return (
            f"{all_of_them(size)} {is_or_are(size)} collapsed (KL {total:.2g} {nats}): the code carries no information "
            "about a sample."
        )
    n_enough = found.n_dims_with_kl_share(MOST_OF_KL)
    most = f"{count_noun(n_enough)} {'carries' if n_enough == 1 else 'carry'} 99 % of the KL of {total:.3g} {nats}"
    if len(dims):
        return (
            f"{len(dims)} of {size} dimensions {is_or_are(len(dims))} collapsed and "
            f"{'carries' if len(dims) == 1 else 'carry'} no information about a sample: {list_dimensions(dims)}. "
            f"{most}."
        )
    least = int(found.kl.argmin())
    kl = Estimate(found.kl[least], found.kl_error[least])
    if size == 1:
        return f"The one dimension is active, with a KL of {kl} {nats}."
    return f"{all_of_them(size)} are active; the least active, z{least + 1}, has a KL of {kl} nats. {most}."
