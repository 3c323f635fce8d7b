"""Numbers with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PLACES = 6


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error."""

    value: float
    standard_error: float

    def __str__(self) -> str:
        """Both to the same place: two digits of the error, ``0.0113 ± 0.0024``; alone where six places show none."""
        if not (math.isfinite(self.standard_error) and self.standard_error >= 10**-PLACES / 2):
            return _signed(f"{self.value:.3g}")
        places = min(PLACES, max(0, 1 - math.floor(math.log10(self.standard_error))))
        return _signed(f"{round(self.value, places) + 0.0:.{places}f} ± {self.standard_error:.{places}f}")


def _signed(text: str) -> str:
    return text.replace("-", "−")


def mean_estimate(values: np.ndarray) -> Estimate:
    """The mean of independent values (n,), with standard error s / √n; NaN for a single or an infinite one."""
    known = len(values) > 1 and np.isfinite(values).all()
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if known else math.nan
    return Estimate(float(np.mean(values)), float(error))


def standard_errors(values: np.ndarray) -> np.ndarray:
    """Standard errors of the means over the rows of values (n, D): (D,)."""
    return values.std(axis=0, ddof=1) / math.sqrt(len(values))
