"""Known generative factors: classes or numbers, with missing values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.arrays import fill_masked
from vaeviz.errors import InputError
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

MAX_NOMINAL_VALUES = 10  # whole numbers with at most this many values are classes unless declared otherwise
MIN_SAMPLES_PER_VALUE = 5  # on average; a factor with more values than that is binned
MIN_KNOWN = 40  # samples; a factor that is known for fewer is not scored


@dataclass(frozen=True, eq=False, repr=False)
class Factor(ShortRepr):
    """One known factor of N samples.

    Attributes
    ----------
    codes : ndarray of int, shape (N,)
        Index of each sample's value, −1 where it is missing. Numbers are indexed in ascending order.
    numbers : ndarray, shape (N,), or None
        The values, NaN where they are missing; None for a nominal factor, whose values have no order.
    """

    codes: np.ndarray
    numbers: np.ndarray | None

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: np.ndarray) -> Factor:
        return replace(self, codes=self.codes[rows], numbers=None if self.numbers is None else self.numbers[rows])

    @property
    def is_nominal(self) -> bool:
        """Whether the values are classes without an order."""
        return self.numbers is None

    @property
    def known(self) -> np.ndarray:
        """Rows whose value is known, shape (M,)."""
        return np.flatnonzero(self.codes >= 0)

    @property
    def n_values(self) -> int:
        """Number of different values."""
        return len(np.unique(self.codes[self.known]))

    @property
    def can_be_scored(self) -> bool:
        """Whether enough values are known, and not all are equal."""
        return len(self.known) >= MIN_KNOWN and self.n_values > 1

    def discretize(self, n_bins: int) -> np.ndarray:
        """Return the indices of values or, for a number with many values, of bins of equal mass.

        Parameters
        ----------
        n_bins : int
            Number of bins for a number with fewer than five samples per value on average.

        Returns
        -------
        ndarray of int, shape (N,)
            Indices, −1 where the value is missing.
        """
        if self.numbers is None or self.n_values * MIN_SAMPLES_PER_VALUE <= len(self.known):
            return self.codes
        edges = np.quantile(self.numbers[self.known], np.arange(1, n_bins) / n_bins)
        return np.where(self.codes < 0, -1, np.searchsorted(edges, self.numbers, side="right"))

    def targets(self) -> np.ndarray:
        """Return what a regression predicts: a column of numbers, or a column of 0 and 1 for each class.

        Returns
        -------
        ndarray, shape (N, 1) or (N, C)
            Targets, NaN where the value is missing.
        """
        if self.numbers is not None:
            return self.numbers[:, None]
        classes = np.unique(self.codes[self.known])
        return np.where(self.codes[:, None] < 0, np.nan, self.codes[:, None] == classes)


def as_factors(factors: Any, n_samples: int, *, nominal: Collection[int] | None = None) -> tuple[Factor, ...]:
    """Convert known factors to columns of classes or numbers.

    Parameters
    ----------
    factors : array_like or DataFrame, shape (N,) or (N, K)
        Factors. Missing values are NaN or None.
    n_samples : int
        Number of samples, N.
    nominal : collection of int, optional
        Indices of the factors whose values have no order. By default those of text, booleans and pandas categories
        without an order, and those of whole numbers with at most ten different values.

    Returns
    -------
    tuple of Factor
        The K factors.

    Raises
    ------
    InputError
        If the factors are not N rows, a value is infinite, or `nominal` names a factor that does not exist.
    """
    columns = _columns(factors)
    if any(len(column) != n_samples for column in columns) or not columns:
        shape = np.shape(factors)
        raise InputError(
            f"factors has shape {shape}, but {n_samples} rows are needed, one for each sample.",
            got=f"shape {shape}",
            expected=f"shape ({n_samples}, K)",
        )
    unknown = sorted(set(() if nominal is None else nominal) - set(range(len(columns))))
    if unknown:
        raise InputError(
            f"nominal = {unknown[0]} is not the index of one of {len(columns)} factors, counted from 0.",
            got=f"nominal = {unknown[0]}",
            expected=f"from 0 to {len(columns) - 1}",
        )
    return tuple(
        _as_factor(column, None if nominal is None else index in nominal, index) for index, column in enumerate(columns)
    )


def _columns(factors: Any) -> list[Any]:
    """Return the columns of a data frame or an array as one-dimensional series or arrays."""
    if hasattr(factors, "columns"):
        return [factors[name] for name in factors.columns]
    if isinstance(factors, np.ma.MaskedArray):
        factors = fill_masked(factors)
    values = np.asarray(factors.detach().cpu() if hasattr(factors, "detach") else factors)
    values = values[:, None] if values.ndim == 1 else values
    return list(values.T) if values.ndim == 2 else []


def _as_factor(column: Any, is_nominal: bool | None, index: int) -> Factor:
    import pandas as pd

    series = pd.Series(column)
    values = _as_numbers(series)
    if values is None:
        return Factor(pd.factorize(series)[0], None)
    if np.isinf(values).any():
        raise InputError(
            f"Factor {index} has infinite values, but scores need finite numbers.",
            got="infinite factors",
            expected="finite numbers, or NaN where a value is missing",
        )
    if _are_few_whole_numbers(values) if is_nominal is None else is_nominal:
        return Factor(pd.factorize(values)[0], None)
    return Factor(pd.factorize(values, sort=True)[0], values)


def _as_numbers(series: pd.Series) -> np.ndarray | None:
    """Return numbers, or the places of ordered categories; None for values without an order."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        return np.asarray(series.cat.codes.where(series.notna()), dtype=np.float64) if series.cat.ordered else None
    numbers = pd.to_numeric(series, errors="coerce")
    if series.dtype == bool or not (numbers.isna() == series.isna()).all():
        return None
    return np.asarray(numbers, dtype=np.float64)


def _are_few_whole_numbers(values: np.ndarray) -> bool:
    distinct = np.unique(values[~np.isnan(values)])
    return len(distinct) <= MAX_NOMINAL_VALUES and bool((distinct == np.round(distinct)).all())
