"""Find latent dimensions that are active, collapsed, or ignored by the decoder."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.estimates import N_ERRORS
from vaeviz.analysis.output_effects import OutputEffects, default_min_effect, output_effects
from vaeviz.data.out_of_core import iterate_rows
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.posterior import Posterior, gaussian_kl
from vaeviz.plugins.options import check_arguments
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

DimensionStatus = Literal["active", "ignored", "collapsed", "uncertain"]
Dimension = int | str
"""A latent dimension: its index, counted from 0, or its name, counted from "z1"."""

MIN_SHARE = 0.01  # of the variance of q(z_j); the threshold of Burda et al. 2016, section 5
MIN_KL = 0.005  # nats; the KL of a Gaussian channel whose mean has that share of the variance, −½ ln(1 − 0.01)
ROUNDING_SHARE = 1e-5  # relative standard deviation of a float32 code that varies by rounding alone


@dataclass(frozen=True, eq=False, repr=False)
class ActiveDimensions(ShortRepr):
    """Which latent dimensions distinguish samples, and the numbers that decide it.

    Attributes
    ----------
    kl : ndarray, shape (D,)
        Mean KL(q(z_j | x) || N(0, 1)) in nats; NaN for a deterministic encoder.
    kl_error : ndarray, shape (D,)
        Standard errors of `kl`.
    variance : ndarray, shape (D,)
        Variance of the posterior mean over the samples.
    variance_error : ndarray, shape (D,)
        Standard errors of `variance`.
    min_kl : float
        Threshold of `kl` in nats.
    min_variance : ndarray, shape (D,)
        Threshold of `variance`.
    min_share : float
        Threshold of the variance as a share of that of q(z_j); 0 for a deterministic encoder.
    """

    kl: np.ndarray
    kl_error: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray
    min_kl: float
    min_variance: np.ndarray
    min_share: float

    @cached_property
    def mask(self) -> np.ndarray:
        """Whether each dimension is active, shape (D,)."""
        has_kl = np.isnan(self.kl) | (self.kl > self.min_kl)
        return np.asarray(has_kl & (self.variance > self.min_variance))

    @property
    def uncertain(self) -> np.ndarray:
        """Whether numbers within two standard errors of a threshold decide about a dimension, shape (D,)."""
        kl_error = N_ERRORS * np.nan_to_num(self.kl_error)
        variance_error = (
            N_ERRORS * np.nan_to_num(self.variance_error) * (1 - self.min_share)
        )  # its threshold varies too
        kl = np.where(np.isnan(self.kl), np.inf, self.kl)
        possible = (kl + kl_error > self.min_kl) & (self.variance + variance_error > self.min_variance)
        certain = (kl - kl_error > self.min_kl) & (self.variance - variance_error > self.min_variance)
        return np.asarray(possible & ~certain)

    @property
    def activity(self) -> np.ndarray:
        """Strength by which dimensions are ranked, shape (D,): mean KL, or the variance of a deterministic code."""
        return self.variance if np.isnan(self.kl).any() else self.kl

    @property
    def ranking(self) -> np.ndarray:
        """Indices of all dimensions, shape (D,): active ones first, each group by descending `activity`."""
        return np.lexsort((-self.activity, ~self.mask))

    def n_dims_with_kl_share(self, share: float = 0.99) -> int:
        """Return the smallest number of dimensions that together carry a share of the KL.

        Parameters
        ----------
        share : float, default: 0.99
            Share of the sum of `kl`.

        Returns
        -------
        int
            Number of dimensions, 0 if the KL is 0.

        Raises
        ------
        NotApplicable
            If the KL is unknown or infinite.
        """
        total = self.kl.sum()
        if not np.isfinite(total):
            raise NotApplicable("The KL is unknown or infinite, so no dimensions carry a share of it.")
        carried = np.sort(self.kl)[::-1].cumsum()
        return int(np.searchsorted(carried, share * total) + 1) if total > 0 else 0

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per dimension.

        Returns
        -------
        pandas.DataFrame
            Columns ``dimension`` (counted from 0), ``active``, and the per-dimension attributes.
        """
        import pandas as pd

        values = {field.name: getattr(self, field.name) for field in fields(self)}
        columns = {name: value for name, value in values.items() if np.ndim(value) == 1}
        return pd.DataFrame({"dimension": np.arange(len(self.kl)), "active": self.mask, **columns})


@dataclass(frozen=True, eq=False, repr=False)
class Triage(ActiveDimensions):
    """Active dimensions, and how much the decoder responds to each dimension.

    Attributes
    ----------
    kl, kl_error, variance, variance_error, min_kl, min_variance, min_share
        As in `ActiveDimensions`.
    effects : OutputEffects
        Share of the variance of the decoder's output that each dimension causes.
    min_effect : float
        Threshold of ``effects.share``; that of ``effects.local`` is ten times as high.
    """

    effects: OutputEffects
    min_effect: float

    @property
    def effect(self) -> np.ndarray:
        """Share of the variance of the decoder's output that each dimension causes, shape (D,)."""
        return self.effects.share

    @property
    def effect_error(self) -> np.ndarray:
        """Standard errors of `effect`, shape (D,)."""
        return self.effects.share_error

    @property
    def status(self) -> np.ndarray:
        """Status of each dimension, shape (D,): "active", "ignored" (by the decoder), "collapsed" or "uncertain".

        A dimension is uncertain if a number that decides is within two standard errors of its threshold.
        """
        used, ignored = self.effects.used(self.min_effect), self.effects.ignored(self.min_effect)
        cases = [self.uncertain, ~self.mask, used, ignored]
        return np.select(cases, ["uncertain", "collapsed", "active", "ignored"], "uncertain")

    def count(self, status: DimensionStatus) -> int:
        """Return the number of dimensions with a status.

        Parameters
        ----------
        status : {"active", "ignored", "collapsed", "uncertain"}
            The status to count.

        Returns
        -------
        int
            Number of dimensions.
        """
        return int((self.status == status).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per dimension.

        Returns
        -------
        pandas.DataFrame
            Columns ``dimension`` (counted from 0), ``status``, ``active``, the per-dimension attributes, and
            ``effect`` and ``local_effect`` with their standard errors.
        """
        frame = super().to_frame()
        frame.insert(1, "status", self.status)
        local = {"local_effect": self.effects.local, "local_effect_error": self.effects.local_error}
        return frame.assign(effect=self.effect, effect_error=self.effect_error, **local)


def active_dimensions(
    posterior: Posterior, *, min_kl: float = MIN_KL, min_share: float = MIN_SHARE
) -> ActiveDimensions:
    """Find the latent dimensions that distinguish samples.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples; codes of a deterministic encoder are accepted.
    min_kl : float, default: 0.005
        A dimension with mean KL at or below this (nats) is collapsed.
    min_share : float, default: 0.01
        A dimension is collapsed if its posterior mean varies by at most this share of the variance of q(z_j).

    Returns
    -------
    ActiveDimensions
        Per-dimension numbers, thresholds, and the boolean ``mask``.

    Notes
    -----
    Dimension j is active if both hold:

    1. E_x KL(q(z_j | x) || N(0, 1)) > ``min_kl``.
    2. Var_x[μ_j(x)] > ``min_share`` · (Var_x[μ_j(x)] + E_x[σ_j²(x)]), the variance of the aggregate posterior q(z_j).

    The second rule is that of Burda et al. 2016, who suppose a q(z_j) of unit variance; as a share it also holds
    for a q(z_j) of another scale. Neither rule is enough alone: a constant posterior that is narrower than the prior
    has a KL but distinguishes nothing. A deterministic encoder has no KL; its dimension is active if the code varies
    by more than float32 rounding. With one sample no dimension is active, because nothing varies.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", arXiv:1509.00519, section 5.

    Examples
    --------
    The second dimension has a KL of 0.32 nats, but the same posterior for every sample:

    >>> mean = np.column_stack([np.linspace(-1.5, 1.5, 50), np.full(50, 0.8)])
    >>> found = active_dimensions(Posterior(mean, np.column_stack([np.full(50, 0.5), np.ones(50)])))
    >>> round(float(found.kl[1]), 2)
    0.32
    >>> found.mask.tolist()
    [True, False]
    """
    n_samples = len(posterior)
    center, mean_square, within, kl = (total / n_samples for total in _totals(posterior))
    square_deviations, fourth_powers, kl_deviations = _deviation_totals(posterior, center, kl)
    variance = square_deviations / n_samples
    if posterior.std is None:
        min_variance, min_share = ROUNDING_SHARE**2 * np.maximum(mean_square, variance.max()), 0.0
    else:
        min_variance = min_share * (variance + within)
    n_pairs = n_samples * (n_samples - 1) or np.nan  # a standard error needs two samples
    kl_error = np.sqrt(kl_deviations / n_pairs)
    variance_error = np.sqrt(np.maximum(fourth_powers - n_samples * variance**2, 0) / n_pairs)
    return ActiveDimensions(kl, kl_error, variance, variance_error, min_kl, min_variance, min_share)


def _totals(posterior: Posterior) -> tuple[np.ndarray, ...]:
    """Sum means, their squares, variances and KL over the samples, shapes (D,)."""
    totals: Any = 0.0
    for mean, var, kl in _columns(posterior):
        totals = totals + np.array([mean.sum(axis=1), (mean**2).sum(axis=1), var.sum(axis=1), kl.sum(axis=1)])
    return tuple(totals)


def _deviation_totals(posterior: Posterior, center: np.ndarray, mean_kl: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sum the squares and fourth powers of deviations of the means, and the squares of those of the KL, shapes (D,)."""
    totals: Any = 0.0
    for mean, _, kl in _columns(posterior):
        squares = (mean - center[:, None]) ** 2
        with np.errstate(invalid="ignore"):  # the KL of a standard deviation of 0 is infinite
            kl_squares = (kl - mean_kl[:, None]) ** 2
        totals = totals + np.array([squares.sum(axis=1), (squares**2).sum(axis=1), kl_squares.sum(axis=1)])
    return tuple(totals)


def _columns(posterior: Posterior) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield means, variances and KL of the next samples, shapes (D, n), whose sums take less time than those of rows.

    The variances and KL of a deterministic encoder are one column of NaN.
    """
    unknown = np.full((posterior.size, 1), np.nan)
    stds = itertools.repeat(None) if posterior.std is None else iterate_rows(posterior.std)
    for rows, std in zip(iterate_rows(posterior.mean), stds):
        mean = np.array(rows.T, np.float64, order="C")
        var = unknown if std is None else np.array(std.T, np.float64, order="C") ** 2
        yield mean, var, unknown if std is None else gaussian_kl(mean, var)


def active_mask(posterior: Posterior) -> np.ndarray:
    """Return which latent dimensions may be called active.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.

    Returns
    -------
    ndarray of bool, shape (D,)
        The mask of `active_dimensions`; True for a single sample, which has no variation to judge by.
    """
    return active_dimensions(posterior).mask | (len(posterior) == 1)


def most_active_dims(posterior: Posterior, n_dims: int) -> tuple[int, ...]:
    """Return the most active latent dimensions, in order of their index.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    n_dims : int
        Number of dimensions.

    Returns
    -------
    tuple of int
        The first `n_dims` of `ActiveDimensions.ranking`, sorted.
    """
    if posterior.size <= n_dims:
        return tuple(range(posterior.size))
    return tuple(sorted(int(dim) for dim in active_dimensions(posterior).ranking[:n_dims]))


def check_dims(dims: Sequence[Dimension], latent_dim: int, n_dims: int | None = None) -> tuple[int, ...]:
    """Return the dimensions that a caller selected, if they exist and differ.

    Parameters
    ----------
    dims : sequence of int or str
        Latent dimensions, as indices from 0 or as names from "z1".
    latent_dim : int
        Number of latent dimensions.
    n_dims : int, optional
        Required number of indices.

    Returns
    -------
    tuple of int
        Their indices.

    Raises
    ------
    InputError
        If a dimension repeats or does not exist, or if their number is not `n_dims`.

    Examples
    --------
    >>> check_dims(("z1", "z3"), 4), check_dims((0, 2), 4)
    ((0, 2), (0, 2))
    """
    received = ", ".join(map(str, dims))
    indices = tuple(map(_dimension_index, dims))
    exist = all(0 <= dim < latent_dim for dim in indices)
    if len(set(indices)) < len(dims) or not exist or n_dims not in (None, len(dims)):
        names = f"z1 to z{latent_dim}, or from 0 to {latent_dim - 1}"
        expected = f"{f'{n_dims} ' if n_dims else ''}different dimensions, from {names}"
        raise InputError(f"dims = ({received}) is not a set of {expected}.", got=f"({received})", expected=expected)
    return indices


def _dimension_index(dim: Dimension) -> int:
    """Return the index of a dimension, −1 for a text that does not name one."""
    if isinstance(dim, str):
        name = re.fullmatch(r"z_?([0-9]+)", dim.strip())
        return int(name[1]) - 1 if name else -1
    return int(dim)


def triage(
    posterior: Posterior,
    decoder: Any,
    x: Any = None,
    *,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    min_effect: float | None = None,
    n_samples: int = 64,
    seed: int = 0,
) -> Triage:
    """Classify latent dimensions as active, ignored by the decoder, or collapsed.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples.
    decoder : callable or model
        Maps codes (M, D) to samples.
    x : array_like, shape (N, ...), optional
        Samples that have the shape of the decoder's output.
    min_kl : float, default: 0.005
        A dimension with mean KL at or below this (nats) is collapsed.
    min_share : float, default: 0.01
        A dimension is collapsed if its posterior mean varies by at most this share of the variance of q(z_j).
    min_effect : float, optional
        The decoder ignores a dimension that causes at most this share of the variance of its output, and at most ten
        times as much of the variance of any single value. The default is 0.001, or 0.01 / D for more than ten
        dimensions.
    n_samples : int, default: 64
        Largest number of random samples around whose posterior means the effect is measured.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    Triage
        Numbers, thresholds and the status of each dimension.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, or fewer than two.

    Notes
    -----
    Whether a dimension is active is defined by `vaeviz.analysis.active_dimensions.active_dimensions`. An active
    dimension may still be ignored by the decoder: `vaeviz.analysis.output_effects.output_effects` measures the share
    of the output's variance that it causes while the other dimensions are fixed.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", arXiv:1509.00519, section 5.

    Examples
    --------
    The decoder does not use the second dimension:

    >>> mean = np.random.default_rng(0).standard_normal((500, 2))
    >>> found = triage(Posterior(mean, np.full(mean.shape, 0.5), "normal"), lambda z: z * [1, 0])
    >>> found.status.tolist()
    ['active', 'ignored']
    """
    check_arguments(triage, locals())
    check_gaussian_posterior(posterior, needs_prior=False)
    active = active_dimensions(posterior, min_kl=min_kl, min_share=min_share)
    effects = output_effects(decoder, posterior, n_samples=n_samples, reference=x, seed=seed)
    return Triage(
        **{field.name: getattr(active, field.name) for field in fields(active)},
        effects=effects,
        min_effect=default_min_effect(posterior.size) if min_effect is None else min_effect,
    )
