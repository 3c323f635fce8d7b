"""How much of the data a finding looks at, so that its time and memory are bounded whatever their size."""

from __future__ import annotations

import math

import numpy as np

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS, analysis_rng, sample_rows
from vaeviz.model.posterior import Posterior

VALUES = 1 << 25
"""Of x, at once: 268 MB in float64."""

SCORES = 1_000_000_000
"""(code, posterior, dimension) triples: some ten seconds of one core."""


def choose_rows(x: np.ndarray, n: int, seed: int, *, among: np.ndarray | None = None) -> np.ndarray:
    """At most `n` different rows of x, fewer where samples are large; at random with `seed`, in their order.

    among: the rows that may be taken, ascending; None for all.
    """
    among = np.arange(len(x)) if among is None else among
    return among[sample_rows(among, max(2, min(n, VALUES // math.prod(x.shape[1:]))), analysis_rng(seed))]


def n_codes_to_score(n: int, posterior: Posterior) -> int:
    """`n` codes to score under the posteriors that q(z) is made of, or fewer where these are many and large.

    Never below a hundred.
    """
    mixed = min(len(posterior), MAX_POSTERIORS) * posterior.size
    return min(n, max(100, SCORES // mixed))
