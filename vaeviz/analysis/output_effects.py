"""Measure the share of the variance of decoded samples that each latent dimension causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.analysis.aggregate_posterior import analysis_rng, sample_rows
from vaeviz.analysis.estimates import N_ERRORS, standard_error
from vaeviz.model.decode import decode
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.short_repr import ShortRepr

MIN_EFFECT = 1e-3  # of the variance of the output; our choice, a standard deviation of 3 % of the output's own
MIN_PART = 1e-2  # of an equal share 1/D; our choice, which is less than `MIN_EFFECT` for more than ten dimensions
LOCAL_FACTOR = 10  # a single output value counts from this multiple on; our choice, a standard deviation of 10 %
N_NODES = 6  # values of a dimension, one in each sixth of q(z_j)
MAX_DECODED = 20_000  # codes; many dimensions are measured around fewer samples
MIN_ROWS = 4  # samples around which a dimension is measured, however many there are
MAX_REFERENCE_ROWS = 512  # codes over which the variance of the output is computed
MIN_VARIANCE_SHARE = 0.01  # of the largest variance of an output value; steadier values have no local effect
ROUNDING_SHARE = 1e-5  # relative standard deviation of float32 outputs that differ by rounding alone
MAX_CODES_AT_ONCE = 1024  # codes of several dimensions that are passed to the decoder together


@dataclass(frozen=True, eq=False, repr=False)
class OutputEffects(ShortRepr):
    """Share of the output's variance that each latent dimension causes.

    Attributes
    ----------
    share : ndarray, shape (D,)
        Variance of a decoded sample while one dimension varies as in q(z_j), as a share of the variance of samples
        decoded from q(z).
    share_error : ndarray, shape (D,)
        Standard errors of `share`.
    local : ndarray, shape (D,)
        The largest such share of a single output value.
    local_error : ndarray, shape (D,)
        Standard errors of `local`.
    n_rows : int
        Number of samples around which each dimension was varied.
    """

    share: np.ndarray
    share_error: np.ndarray
    local: np.ndarray
    local_error: np.ndarray
    n_rows: int

    def used(self, min_effect: float | None = None) -> np.ndarray:
        """Return whether the decoder uses each dimension, beyond two standard errors.

        Parameters
        ----------
        min_effect : float, optional
            Share of the output's variance above which a dimension is used, as it is above ten times this share of the
            variance of a single value; by default `default_min_effect`.

        Returns
        -------
        ndarray of bool, shape (D,)
            The dimensions that are used.
        """
        min_effect = default_min_effect(len(self.share)) if min_effect is None else min_effect
        share, local = self.share - N_ERRORS * self.share_error, self.local - N_ERRORS * self.local_error
        return np.asarray((share > min_effect) | (local > LOCAL_FACTOR * min_effect))

    def ignored(self, min_effect: float | None = None) -> np.ndarray:
        """Return whether the decoder ignores each dimension, beyond two standard errors.

        Parameters
        ----------
        min_effect : float, optional
            As in `used`. A dimension that is neither used nor ignored is too close to decide.

        Returns
        -------
        ndarray of bool, shape (D,)
            The dimensions that are ignored.
        """
        min_effect = default_min_effect(len(self.share)) if min_effect is None else min_effect
        share, local = self.share + N_ERRORS * self.share_error, self.local + N_ERRORS * self.local_error
        return np.asarray((share <= min_effect) & (local <= LOCAL_FACTOR * min_effect))


def default_min_effect(n_dims: int) -> float:
    """Return the share of the output's variance at or below which the decoder ignores a dimension.

    Parameters
    ----------
    n_dims : int
        Number of latent dimensions, D.

    Returns
    -------
    float
        0.001, or 0.01 / D for more than ten dimensions, a hundredth of an equal share.

    Examples
    --------
    >>> default_min_effect(2), default_min_effect(100)
    (0.001, 0.0001)
    """
    return min(MIN_EFFECT, MIN_PART / n_dims)


def output_effects(
    decoder: Any, posterior: Posterior, *, n_samples: int = 64, reference: Any = None, seed: int = 0
) -> OutputEffects:
    """Measure the share of the output's variance that each latent dimension causes.

    Parameters
    ----------
    decoder : callable or model
        Maps codes (M, D) to samples.
    posterior : Posterior
        Posteriors of N samples; codes of a deterministic encoder are accepted.
    n_samples : int, default: 64
        Largest number of random samples around whose posterior means one dimension varies while the others are fixed.
        There are fewer for many dimensions, so that at most 20,000 codes, or 24 per dimension, are decoded.
    reference : array_like, shape (N, ...), optional
        Samples that have the shape of the decoder's output.
    seed : int, default: 0
        Seed of all random choices.

    Returns
    -------
    OutputEffects
        Shares of the whole output, and of the single value that responds most.

    Notes
    -----
    E_n[Var_{z_j ~ q(z_j)} f(μ_n with z_j)] / Var_{z ~ q(z)} f(z), summed over output values, is the total-effect index
    of Sobol, apart from the other dimensions, which are at posterior means. It does not change with the scale of
    the output, nor with values that are constant, such as a margin. Dimensions may interact, so that shares need not
    add up to 1.

    References
    ----------
    Homma & Saltelli 1996, "Importance measures in global sensitivity analysis of nonlinear models", Reliability
    Engineering & System Safety 52.

    Examples
    --------
    >>> codes = Posterior(np.random.default_rng(0).standard_normal((500, 2)))
    >>> effects = output_effects(lambda z: z * [3, 0], codes)
    >>> effects.share.round().tolist(), effects.ignored().tolist()
    ([1.0, 0.0], [False, True])
    """
    rng = analysis_rng(seed)
    rows = sample_rows(posterior, min(n_samples, max(MIN_ROWS, MAX_DECODED // (N_NODES * posterior.size))), rng)
    data_rows = sample_rows(posterior, MAX_REFERENCE_ROWS, rng)
    drawn = posterior.mean[data_rows].astype(np.float64)
    if posterior.std is not None:
        noise = np.empty(drawn.shape)
        noise[:, drawn.var(axis=0).argsort()] = rng.standard_normal(drawn.shape)  # so that results follow the order
        drawn += posterior.std[data_rows] * noise
    outputs = _decode_flat(decoder, posterior, drawn, data_rows, reference)
    squares = (outputs - outputs.mean(axis=0)) ** 2
    variance, total = squares.mean(axis=0), squares.sum(axis=1)
    if total.mean() <= ROUNDING_SHARE**2 * (outputs**2).sum(axis=1).mean():  # a constant decoder, or one sample
        zeros = np.zeros(posterior.size)
        return OutputEffects(zeros, zeros, zeros, zeros, len(rows))
    varied = variance >= MIN_VARIANCE_SHARE * variance.max()
    nodes = _draw_nodes(posterior, data_rows, len(rows), rng)
    effects = np.empty((4, posterior.size))
    n_dims = max(1, MAX_CODES_AT_ONCE // (N_NODES * len(rows)))
    for dims in np.array_split(np.arange(posterior.size), -(-posterior.size // n_dims)):
        codes = np.tile(posterior.mean[rows].astype(np.float64), (N_NODES, len(dims), 1, 1))
        codes[:, np.arange(len(dims)), :, dims] = nodes[..., dims].transpose(2, 0, 1)
        tiled = np.tile(rows, N_NODES * len(dims))
        decoded = _decode_flat(decoder, posterior, codes.reshape(-1, posterior.size), tiled, reference)
        along = decoded.reshape(N_NODES, len(dims), len(rows), -1).var(axis=0)
        effects[:2, dims] = _share_of_variance(along.sum(axis=2).T, total)
        local = along.mean(axis=1)[:, varied] / variance[varied]
        errors = standard_error(np.swapaxes(along, 0, 1))[:, varied] / variance[varied]
        errors = np.hypot(errors, local * standard_error(squares[:, varied]) / variance[varied])
        effects[2:, dims] = np.stack([local, errors])[:, np.arange(len(dims)), local.argmax(axis=1)]
    share, share_error, local, local_error = effects
    return OutputEffects(share, share_error, local, local_error, len(rows))


def _draw_nodes(posterior: Posterior, data_rows: np.ndarray, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return values of q(z_j) for each row and dimension, one from each sixth, (nodes, n_rows, D).

    All dimensions share random numbers, so that results follow their order.
    """
    drawn = posterior.mean[data_rows].astype(np.float64)
    if posterior.std is not None:
        drawn += posterior.std[data_rows] * rng.standard_normal((len(data_rows), 1))
    levels = (np.arange(N_NODES)[:, None] + rng.random((N_NODES, n_rows))) / N_NODES
    return np.asarray(np.quantile(drawn, levels, axis=0))


def _decode_flat(decoder: Any, posterior: Posterior, codes: np.ndarray, rows: np.ndarray, reference: Any) -> np.ndarray:
    """Return decoded samples as rows of a float64 matrix; codes keep the conditions of their rows."""
    decoded = decode(decoder, posterior.with_codes(codes, rows), reference=reference)
    return decoded.reshape(len(codes), -1).astype(np.float64)


def _share_of_variance(parts: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ratio of the means of parts (R, D) and total (M,), and its standard error by the delta method."""
    share = parts.mean(axis=0) / total.mean()
    return share, np.hypot(standard_error(parts), share * standard_error(total)) / total.mean()
