"""Estimates with their standard errors, and how they are printed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vaeviz.plugins.short_repr import ShortRepr

N_ERRORS = 2  # standard errors by which a number must differ from a threshold to decide, about 95 % of a normal law
ROUNDING_ERROR = 1e-9  # a smaller standard error comes from floating-point arithmetic


@dataclass(frozen=True, repr=False)
class Estimate(ShortRepr):
    """A number and its standard error.

    Attributes
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error; NaN where it is unknown.

    Notes
    -----
    ``str`` rounds both numbers to the second significant digit of the error. An unknown error is left out, and an
    error of the floating-point arithmetic alone is printed as 0.

    Examples
    --------
    >>> print(Estimate(-24.9149, 0.1312))
    −24.91 ± 0.13
    >>> print(Estimate(0.5, float("nan")))
    0.5
    """

    value: float
    standard_error: float

    def __str__(self) -> str:
        if not math.isfinite(self.standard_error):
            text = f"{self.value:.3g}"
        elif self.standard_error <= ROUNDING_ERROR:
            text = f"{round(self.value, 9) + 0.0:.3g} ± 0"
        else:
            decimals = max(0, 1 - math.floor(math.log10(self.standard_error)))
            text = f"{round(self.value, decimals) + 0.0:.{decimals}f} ± {self.standard_error:.{decimals}f}"
        return text.replace("-", "−")


@dataclass(frozen=True, repr=False)
class Score(Estimate):
    """An estimate, and the value that it has by chance.

    Attributes
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error; NaN where it is unknown.
    null : float
        Mean value of the score where the compared quantities are independent.
    name : str, default: ""
        Short name, as figures write it.
    """

    null: float
    name: str = ""


def mean_estimate(values: np.ndarray) -> Estimate:
    """Return the mean of independent values and its standard error.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Independent values.

    Returns
    -------
    Estimate
        The error is NaN for a single value, and where a value is infinite.

    Examples
    --------
    >>> mean_estimate(np.array([1.0, 3.0]))
    Estimate(value=2.0, standard_error=1.0)
    """
    error = standard_error(values) if np.isfinite(values).all() else math.nan
    return Estimate(float(np.mean(values)), float(error))


def standard_error(values: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean of independent rows.

    Parameters
    ----------
    values : array_like, shape (N, ...)
        Independent along the first axis.

    Returns
    -------
    ndarray, shape (...)
        s / √N, with s the sample standard deviation; NaN for fewer than two rows.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(len(values)))
