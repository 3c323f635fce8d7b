"""Numbers, counts and latent dimensions as the sentences of checks write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vaeviz.analysis.estimates import Estimate
from vaeviz.errors import list_words


def percent(share: float, error: float = math.nan) -> str:
    """Write a share and its standard error in percent: ``13.3 ± 1.6 %``."""
    return f"{Estimate(100 * share, 100 * error)} %"


def count_noun(count: int, noun: str = "dimension") -> str:
    """Write a count with its noun: ``1 dimension``, ``2 dimensions``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def all_of_them(count: int, noun: str = "dimension") -> str:
    """Name all of a number of things: ``The one dimension``, ``Both dimensions``, ``All 16 dimensions``."""
    return {1: f"The one {noun}", 2: f"Both {noun}s"}.get(count, f"All {count} {noun}s")


def dimension_names(dims: Sequence[int] | np.ndarray) -> list[str]:
    """Return the names that figures give to latent dimensions, counted from 1: ``["z1", "z4"]``."""
    return [f"z{dim + 1}" for dim in dims]


def is_or_are(count: int) -> str:
    """Return the verb that goes with a count."""
    return "is" if count == 1 else "are"


def list_dimensions(dims: Sequence[int] | np.ndarray, max_names: int = 6) -> str:
    """List latent dimensions by their names: ``z1, z4 and 3 more``."""
    names = dimension_names(dims)
    if len(names) > max_names:
        names = names[: max_names - 1] + [f"{len(names) - max_names + 1} more"]
    return list_words(names)
