"""The aggregate posterior q(z) = 1/N Σ q(z | x_n): the exact mixture of N Gaussian posteriors."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.batches import iterate_batches
from vaeviz.errors import InputError, NotApplicable, advise, declare
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

MAX_BLOCK_PAIRS = 1 << 16  # (code, component) pairs scored at once; 512 KB in float64 stay in the cache of a core
MAX_BLOCK_COMPONENTS = 1 << 12  # components of the mixture scored at once, each for 16 codes
MAX_POSTERIORS = 100_000  # default size of the mixture; every code is scored under all of its components
SEED_STREAM = 13126114  # separates the random numbers of the analysis, see `analysis_rng`
MIN_EXPONENT = -700.0  # e^-700 adds nothing to 1; below -708 results are subnormal, and each takes 20 times as long
MIN_STD = 1e-12  # of a posterior for quantiles, which divides
QUANTILE_REACH = 9  # standard deviations around each component that hold every quantile of the mixture


@dataclass(frozen=True, eq=False, repr=False)
class GridDensity(ShortRepr):
    """Density of q(z) in one or two latent dimensions, on the cells of a grid.

    Attributes
    ----------
    density : ndarray, shape (G,) or (rows, columns)
        Mean density of each cell. The first dimension runs along the columns, the second along the rows, row 0 being
        the lowest.
    mass : float
        Share of q(z) on the grid.
    min_std : float
        Least standard deviation of a posterior on the grid, in units of z; 0 if none was widened.
    n_widened : int
        Number of posteriors that were widened to it.
    """

    density: np.ndarray
    mass: float
    min_std: float
    n_widened: int


def check_gaussian_posterior(posterior: Posterior, *, needs_prior: bool = True, min_samples: int = 2) -> Posterior:
    """Return the posterior if it is Gaussian with a finite KL.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    needs_prior : bool, default: True
        Also require a known prior.
    min_samples : int, default: 2
        Smallest number of samples.

    Returns
    -------
    Posterior
        `posterior`.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic or not Gaussian, if a standard deviation is 0, if the prior is unknown, or if
        there are fewer than `min_samples` samples.
    """
    std = require_std(posterior)
    if len(posterior) < min_samples:
        count = "1 sample" if len(posterior) == 1 else f"{len(posterior)} samples"
        raise NotApplicable(f"x has {count}, and an average over samples needs at least {min_samples}.")
    if not std.all():
        rows, dims = np.nonzero(std == 0)
        raise NotApplicable(
            f"The KL is infinite: the standard deviation is 0 in {len(np.unique(rows))} of {len(posterior)} samples, "
            f"first in dimension {dims[0]} of row {rows[0]}.",
            fix="Return standard deviations above 0, or the mean alone if the encoder is deterministic.",
        )
    if needs_prior and posterior.prior is None:
        raise NotApplicable(
            "The prior of the encoder is not known to be N(0, I).",
            fix=advise(("If it is N(0, I)", declare("Encoder", prior="normal"))),
        )
    return posterior


def require_std(posterior: Posterior) -> np.ndarray:
    """Return the standard deviations of Gaussian posteriors.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.

    Returns
    -------
    ndarray, shape (N, D)
        Standard deviations, float32.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic or not Gaussian.
    """
    if posterior.std is None:
        raise NotApplicable(posterior.why_no_spread)
    return posterior.std


def require_kl(posterior: Posterior) -> np.ndarray:
    """Return the KL of Gaussian posteriors to the prior, for each sample and dimension.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.

    Returns
    -------
    ndarray, shape (N, D)
        KL(q(z_j | x) || N(0, 1)) in nats.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic or not Gaussian.
    """
    kl = posterior.kl()
    if kl is None:
        raise NotApplicable(posterior.why_no_spread)
    return kl


def analysis_rng(seed: int) -> np.random.Generator:
    """Return random numbers that differ from those of ``default_rng(seed)``.

    Parameters
    ----------
    seed : int
        Seed, which may also have generated the data.

    Returns
    -------
    numpy.random.Generator
        An independent stream for that seed.
    """
    return np.random.default_rng((seed, SEED_STREAM))


def subsample_posteriors(posterior: Posterior, max_points: int | None, seed: int) -> Posterior:
    """Return a random subset of the posteriors, in their order.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    max_points : int or None
        Largest number of posteriors; None for all.
    seed : int
        Seed of the choice.

    Returns
    -------
    Posterior
        `posterior` itself if it is small enough.
    """
    if max_points is None or max_points >= len(posterior):
        return posterior
    return posterior[subsample_rows(max_points, len(posterior), seed)]


def sample_rows(samples: Sized, n_samples: int | None, rng: np.random.Generator) -> np.ndarray:
    """Return the indices of different random samples, in ascending order.

    Parameters
    ----------
    samples : sized
        N samples.
    n_samples : int or None
        Largest number of indices, at least 2; None for all.
    rng : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    ndarray of int, shape (M,)
        Indices.

    Raises
    ------
    InputError
        If `n_samples` is below 2.
    """
    total = len(samples)
    if n_samples is not None and n_samples < 2:
        raise InputError(
            f"A sample size of {n_samples} is too small: an average needs at least 2 samples.",
            got=str(n_samples),
            expected="2 or more",
        )
    if n_samples is None or n_samples >= total:
        return np.arange(total)
    return np.sort(rng.permutation(total)[:n_samples])


def sample_codes(posterior: Posterior, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one code from the posterior of each row.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples.
    rows : ndarray of int, shape (M,)
        Rows to draw from. Different random rows give samples of q(z).
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray, shape (M, D)
        Codes z ~ q(z | x), float64.
    """
    mean, std = posterior.mean[rows].astype(np.float64), require_std(posterior)[rows].astype(np.float64)
    return np.asarray(mean + std * rng.standard_normal(mean.shape))


def log_posterior(z: np.ndarray, posterior: Posterior, rows: np.ndarray) -> np.ndarray:
    """Return ln q(z_j | x) of each coordinate of codes under the posterior of their own row.

    Parameters
    ----------
    z : ndarray, shape (M, D)
        Codes.
    posterior : Posterior
        Posteriors of N samples.
    rows : ndarray of int, shape (M,)
        Row of each code.

    Returns
    -------
    ndarray, shape (M, D)
        Log-densities in nats.
    """
    return _log_normal(z, posterior.mean[rows], require_std(posterior)[rows])


def log_prior(z: np.ndarray) -> np.ndarray:
    """Return ln N(z_j; 0, 1) of each coordinate.

    Parameters
    ----------
    z : ndarray, shape (M, D)
        Codes.

    Returns
    -------
    ndarray, shape (M, D)
        Log-densities in nats.
    """
    return np.asarray(-0.5 * (z**2 + np.log(2 * np.pi)))


def log_aggregate(z: np.ndarray, posterior: Posterior, *, left_out: np.ndarray | None = None) -> np.ndarray:
    """Return ln q(z) of codes under the mixture of all posteriors.

    Parameters
    ----------
    z : ndarray, shape (M, D)
        Codes.
    posterior : Posterior
        Gaussian posteriors of N samples.
    left_out : ndarray of int, shape (M,), optional
        Row whose posterior each code is scored without.

    Returns
    -------
    ndarray, shape (M,)
        Log-densities in nats, float64.

    Notes
    -----
    A code that was drawn from q(z | x_n) is close to that posterior's center, and in high dimensions far from all
    others. Scored with its own component, every code seems typical of q(z); `left_out` removes it.

    Computed by log-sum-exp in blocks of bounded memory; the cost is M × N × D.
    """
    scores = np.full(len(z), -np.inf)
    for rows, start, part in _codes_and_components(z, posterior):
        log_density = _log_joint(z[rows], part)
        if left_out is not None:
            log_density[_own_pairs(left_out[rows] - start, len(part))] = -np.inf
        scores[rows] = np.logaddexp(scores[rows], _log_sum_exp(log_density))
    return np.asarray(scores - np.log(len(posterior) - (left_out is not None)))


def log_aggregate_and_marginals(
    z: np.ndarray, posterior: Posterior, *, left_out: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return ln q(z) and the log-density of each of its marginals.

    Parameters
    ----------
    z : ndarray, shape (M, D)
        Codes.
    posterior : Posterior
        Gaussian posteriors of N samples.
    left_out : ndarray of int, shape (M,), optional
        Row whose posterior each code is scored without.

    Returns
    -------
    joint : ndarray, shape (M,)
        ln q(z) in nats.
    marginals : ndarray, shape (M, D)
        ln q(z_j) in nats.
    """
    joint, marginals = np.full(len(z), -np.inf), np.full(z.shape, -np.inf)
    for rows, start, part in _codes_and_components(z, posterior):
        log_density = np.zeros((len(z[rows]), len(part)))
        own = None if left_out is None else _own_pairs(left_out[rows] - start, len(part))
        for dim in range(part.size):
            marginal = _log_components(z[rows, dim], part, dim)
            if own is not None:
                marginal[own] = -np.inf
            log_density += marginal
            marginals[rows, dim] = np.logaddexp(marginals[rows, dim], _log_sum_exp(marginal))
        joint[rows] = np.logaddexp(joint[rows], _log_sum_exp(log_density))
    log_total = np.log(len(posterior) - (left_out is not None))
    return joint - log_total, marginals - log_total


def grid_density(
    posterior: Posterior, dims: tuple[int, ...], nodes: tuple[np.ndarray, ...], *, min_cells: float = 0.0
) -> GridDensity:
    """Return the density of q on a grid in one or two dimensions.

    Parameters
    ----------
    posterior : Posterior
        Gaussian posteriors of N samples.
    dims : tuple of int
        One or two latent dimensions; the others are integrated out exactly.
    nodes : tuple of ndarray
        Evenly spaced centers of the cells along each of `dims`.
    min_cells : float, default: 0
        Least standard deviation of a posterior, in cells. Narrower ones are widened to it, which smooths what is
        finer than the grid.

    Returns
    -------
    GridDensity
        Mean density of each cell.

    Notes
    -----
    Each Gaussian is integrated over each cell exactly, [Φ((b − μ)/σ) − Φ((a − μ)/σ)] / (b − a) for a cell from a to b,
    so that a posterior narrower than a cell keeps its mass.
    """
    from scipy.special import ndtr

    edges = [_cell_edges(along) for along in nodes]
    widths = np.array([along[1] - along[0] for along in edges])
    std = require_std(posterior)[:, dims].astype(np.float64)
    narrow = (std < min_cells * widths).any(axis=1)
    std = np.maximum(std, min_cells * widths)
    density = np.zeros([len(along) for along in nodes][::-1])
    for rows in _blocks(posterior.mean, max(density.shape)):
        factors = [
            np.diff(ndtr((along[:, None] - posterior.mean[rows, dim]) / std[rows, place]), axis=0) / widths[place]
            for place, (dim, along) in enumerate(zip(dims, edges))
        ]
        density += factors[0].sum(axis=1) if len(dims) == 1 else factors[1] @ factors[0].T
    density /= len(posterior)
    return GridDensity(
        density=density,
        mass=float(density.sum() * widths.prod()),
        min_std=float(min_cells * widths.max()),
        n_widened=int(narrow.sum()),
    )


def _cell_edges(nodes: np.ndarray) -> np.ndarray:
    """Return the edges of cells around evenly spaced nodes, shape (G + 1,)."""
    half = (nodes[1] - nodes[0]) / 2
    return np.append(nodes - half, nodes[-1] + half)


def aggregate_quantiles(posterior: Posterior, levels: tuple[float, ...]) -> np.ndarray:
    """Return quantiles of each marginal q(z_j).

    Parameters
    ----------
    posterior : Posterior
        Posteriors of N samples; for a deterministic encoder the quantiles are those of its codes.
    levels : tuple of float
        Probabilities.

    Returns
    -------
    ndarray, shape (levels, D)
        Quantiles: the roots z of 1/N Σ Φ((z − μ_nj) / σ_nj) = level.

    Examples
    --------
    >>> prior = Posterior(np.zeros((3, 1)), np.ones((3, 1)))
    >>> aggregate_quantiles(prior, (0.025, 0.975)).round(2).tolist()
    [[-1.96], [1.96]]
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    mean, std = np.empty(len(posterior)), np.empty(len(posterior))  # of one dimension at a time, to bound memory

    def excess(z: float, level: float) -> float:
        return float(ndtr((z - mean) / std).mean() - level)

    quantiles = np.empty((len(levels), posterior.size))
    for dim in range(posterior.size):
        mean[:] = posterior.mean[:, dim]
        if posterior.std is None:
            quantiles[:, dim] = np.quantile(mean, levels)
            continue
        std[:] = np.maximum(posterior.std[:, dim], MIN_STD)
        low, high = (mean - QUANTILE_REACH * std).min(), (mean + QUANTILE_REACH * std).max()
        quantiles[:, dim] = [brentq(excess, low, high, args=(level,)) for level in levels]
    return quantiles


def _log_joint(z: np.ndarray, posterior: Posterior) -> np.ndarray:
    """Return ln q(z | x_n) of each code under each posterior, shape (M, N)."""
    mean, std = posterior.mean.T.astype(np.float64), require_std(posterior).T.astype(np.float64)
    squares, scaled = np.zeros((len(z), len(posterior))), np.empty((len(z), len(posterior)))
    for dim in range(posterior.size):
        np.subtract(z[:, dim, None], mean[dim], out=scaled)  # in place: time goes into memory traffic
        scaled /= std[dim]
        squares += np.square(scaled, out=scaled)
    squares *= -0.5
    squares -= np.log(std).sum(axis=0) + 0.5 * posterior.size * np.log(2 * np.pi)
    return squares


def _log_components(values: np.ndarray, posterior: Posterior, dim: int) -> np.ndarray:
    """Return ln q(z_j | x_n) of each value under each posterior, shape (M, N)."""
    return _log_normal(values[:, None], posterior.mean[:, dim], require_std(posterior)[:, dim])


def _log_normal(z: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    std = std.astype(np.float64)
    values = np.asarray(z - mean.astype(np.float64))
    values /= std  # in place: time goes into memory traffic
    np.square(values, out=values)
    values *= -0.5
    values -= np.log(std) + 0.5 * np.log(2 * np.pi)
    return values


def _log_sum_exp(values: np.ndarray) -> np.ndarray:
    """Return the log-sum-exp over the last axis, −∞ where all values are −∞. The values are overwritten."""
    top = values.max(axis=-1, keepdims=True)
    values -= np.where(np.isfinite(top), top, 0)
    np.maximum(values, MIN_EXPONENT, out=values)
    return np.asarray(np.log(np.exp(values, out=values).sum(axis=-1)) + top[..., 0])


def _own_pairs(own: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of codes and of their own components among `n_components`, for the codes that have one."""
    codes = np.flatnonzero((own >= 0) & (own < n_components))
    return codes, own[codes]


def _codes_and_components(z: np.ndarray, posterior: Posterior) -> Iterator[tuple[slice, int, Posterior]]:
    """Yield (rows of z, index of the first component, components) until every pair was yielded once."""
    starts = range(0, len(posterior), MAX_BLOCK_COMPONENTS)
    parts = [(start, posterior[start : start + MAX_BLOCK_COMPONENTS]) for start in starts]
    for rows in _blocks(z, len(parts[0][1])):
        for start, part in parts:
            yield rows, start, part


def _blocks(z: np.ndarray, n_columns: int) -> Iterator[slice]:
    """Yield slices of rows with at most `MAX_BLOCK_PAIRS` values of `n_columns` columns each."""
    size = max(1, MAX_BLOCK_PAIRS // n_columns)
    return (rows for rows, _ in iterate_batches(z, size, desc="mixing posteriors"))
