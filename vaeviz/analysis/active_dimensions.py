"""Which latent dimensions are active, which collapsed, and which the decoder ignores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.analysis.aggregate_posterior import aggregate_quantiles, analysis_rng, check_gaussian_posterior, sample_rows
from vaeviz.analysis.estimates import standard_error
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import data_range
from vaeviz.errors import InputError
from vaeviz.model.decode import decode
from vaeviz.model.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

DimensionStatus = Literal["active", "ignored", "collapsed"]
Dimension = int | str
"""A latent dimension: its index, counted from 0, or its name, counted from "z1"."""

MIN_SHARE = 0.01  # of the variance of q(z_j); the threshold of Burda et al. 2016, section 5
MIN_KL = 0.005  # nats; the KL of a Gaussian channel whose mean has that share of the variance, −½ ln(1 − 0.01)
ROUNDING_SHARE = 1e-5  # relative standard deviation of a float32 code that varies by rounding alone
CENTRAL_LEVELS = (0.025, 0.975)  # quantiles between which a dimension is traversed
N_TRAVERSAL_NODES = 5  # an even function has equal values at both ends, so that two nodes are not enough


@dataclass(frozen=True, eq=False)
class ActiveDimensions:
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
    """

    kl: np.ndarray
    kl_error: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray
    min_kl: float
    min_variance: np.ndarray

    @cached_property
    def mask(self) -> np.ndarray:
        """Whether each dimension is active, shape (D,)."""
        has_kl = np.isnan(self.kl) | (self.kl > self.min_kl)
        return np.asarray(has_kl & (self.variance > self.min_variance))

    @property
    def activity(self) -> np.ndarray:
        """Strength by which dimensions are ranked, shape (D,): mean KL, or the variance of a deterministic code."""
        return self.variance if np.isnan(self.kl).any() else self.kl

    @property
    def ranking(self) -> np.ndarray:
        """Indices of all dimensions, shape (D,): active ones first, each group by descending `activity`."""
        return np.lexsort((-self.activity, ~self.mask))

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


@dataclass(frozen=True, eq=False)
class Triage(ActiveDimensions):
    """Active dimensions, and how much the decoder responds to each dimension.

    Attributes
    ----------
    kl, kl_error, variance, variance_error, min_kl, min_variance
        As in `ActiveDimensions`.
    effect : ndarray, shape (D,)
        Mean change of a decoded value over the central 95 % of the aggregate posterior, in units of the data.
    effect_error : ndarray, shape (D,)
        Standard errors of `effect`.
    min_effect : float
        Threshold of `effect`.
    """

    effect: np.ndarray
    effect_error: np.ndarray
    min_effect: float

    @property
    def status(self) -> np.ndarray:
        """Status of each dimension, shape (D,): "active", "ignored" (by the decoder) or "collapsed"."""
        return np.where(self.mask, np.where(self.effect > self.min_effect, "active", "ignored"), "collapsed")

    def count(self, status: DimensionStatus) -> int:
        """Return the number of dimensions with a status.

        Parameters
        ----------
        status : {"active", "ignored", "collapsed"}
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
            Columns ``dimension`` (counted from 0), ``status``, ``active``, and the per-dimension attributes.
        """
        frame = super().to_frame()
        frame.insert(1, "status", self.status)
        return frame


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
    mean, kl = posterior.mean.astype(np.float64), posterior.kl()
    squares = (mean - mean.mean(axis=0)) ** 2
    variance = squares.mean(axis=0)
    if kl is None or posterior.std is None:
        kl = np.full(mean.shape, np.nan)
        min_variance = ROUNDING_SHARE**2 * np.maximum((mean**2).mean(axis=0), variance.max())
    else:
        min_variance = min_share * (variance + (posterior.std.astype(np.float64) ** 2).mean(axis=0))
    with np.errstate(invalid="ignore"):  # the KL of a standard deviation of 0 is infinite
        kl_error = standard_error(kl)
    return ActiveDimensions(kl.mean(axis=0), kl_error, variance, standard_error(squares), min_kl, min_variance)


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
        The data; their range sets the default of `min_effect`.
    min_kl : float, default: 0.005
        A dimension with mean KL at or below this (nats) is collapsed.
    min_share : float, default: 0.01
        A dimension is collapsed if its posterior mean varies by at most this share of the variance of q(z_j).
    min_effect : float, optional
        The decoder ignores a dimension if a decoded value changes by at most this on average. The default is 1/255 of
        the range of `x` (of 1 without `x`), one step of an 8-bit gray level.
    n_samples : int, default: 64
        Number of random samples around whose posterior means the effect is measured.
    seed : int, default: 0
        Seed of their choice.

    Returns
    -------
    Triage
        Numbers, thresholds and the status of each dimension.

    Raises
    ------
    NotApplicable
        If the posteriors are not Gaussian, or fewer than two.
    InputError
        If all values of `x` are equal and `min_effect` is not set.

    Notes
    -----
    Whether a dimension is active is defined by `vaeviz.analysis.active_dimensions.active_dimensions`. An active
    dimension may still be ignored by the decoder: `output_changes` measures the response while the other
    dimensions are fixed.

    References
    ----------
    Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", arXiv:1509.00519, section 5.
    """
    check_gaussian_posterior(posterior, needs_prior=False)
    active = active_dimensions(posterior, min_kl=min_kl, min_share=min_share)
    min_effect = gray_step(x) if min_effect is None else min_effect
    rows = sample_rows(posterior, n_samples, analysis_rng(seed))
    effects = output_changes(decoder, posterior, rows, reference=x)
    return Triage(
        kl=active.kl,
        kl_error=active.kl_error,
        variance=active.variance,
        variance_error=active.variance_error,
        min_kl=active.min_kl,
        min_variance=active.min_variance,
        effect=effects.mean(axis=0),
        effect_error=standard_error(effects),
        min_effect=min_effect,
    )


def output_changes(decoder: Any, posterior: Posterior, rows: np.ndarray, *, reference: Any = None) -> np.ndarray:
    """Measure how much decoded values change along each latent dimension.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (M, D) to samples.
    posterior : Posterior
        Posteriors of N samples.
    rows : ndarray of int, shape (R,)
        Samples around whose posterior means one dimension moves while the others are fixed.
    reference : array_like, shape (N, ...), optional
        Samples that have the shape of the decoder's output.

    Returns
    -------
    ndarray, shape (R, D)
        Largest minus smallest decoded value over five nodes across the central 95 % of q(z_j), averaged over the
        values of a sample.
    """
    low, high = aggregate_quantiles(posterior, CENTRAL_LEVELS)
    changes = np.empty((len(rows), posterior.size))
    for dim in range(posterior.size):
        codes = np.repeat(posterior.mean[rows, None].astype(np.float64), N_TRAVERSAL_NODES, axis=1)
        codes[..., dim] = np.linspace(low[dim], high[dim], N_TRAVERSAL_NODES)
        flat = posterior.with_codes(codes.reshape(-1, posterior.size), np.repeat(rows, N_TRAVERSAL_NODES))
        decoded = decode(decoder, flat, reference=reference).reshape(len(rows), N_TRAVERSAL_NODES, -1)
        changes[:, dim] = np.ptp(decoded, axis=1).mean(axis=1)
    return changes


def gray_step(x: Any) -> float:
    """Return 1/255 of the range of the data, one step of an 8-bit gray level.

    Parameters
    ----------
    x : array_like, shape (N, ...), or None
        The data; None for data in [0, 1].

    Returns
    -------
    float
        The step, in units of the data.

    Raises
    ------
    InputError
        If all values are equal.
    """
    if x is None:
        return 1 / 255
    low, high = data_range(check_samples(x, "x"))
    spread = float(high) - float(low)
    if not spread > 0:
        raise InputError(
            f"All values of x are {float(low):g}, so that x has no range to compare changes with.",
            got="constant x",
            expected="x with different values",
            fix="Pass min_effect, the smallest change of a decoded value that counts.",
        )
    return spread / 255
