"""How findings write numbers and latent dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vaeviz.analysis.estimates import Estimate


def percent(share: float, error: float = math.nan) -> str:
    """``13.3 ± 1.6 %``."""
    return f"{Estimate(100 * share, 100 * error)} %"


def count_noun(count: int, thing: str = "dimension") -> str:
    """``1 dimension``, ``2 dimensions``."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def all_of_them(count: int, thing: str = "dimension") -> str:
    """``The one dimension``, ``Both dimensions``, ``All 16 dimensions``."""
    return {1: f"The one {thing}", 2: f"Both {thing}s"}.get(count, f"All {count} {thing}s")


def is_or_are(count: int) -> str:
    return "is" if count == 1 else "are"


def list_dimensions(dims: Sequence[int], most: int = 6) -> str:
    """Latent dimensions by the names that figures give them, counted from 1: ``z1, z4 and 3 more``."""
    names = [f"z{dim + 1}" for dim in dims]
    if len(names) > most:
        names = names[: most - 1] + [f"{len(names) - most + 1} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
