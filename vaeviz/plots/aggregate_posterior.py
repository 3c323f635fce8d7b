"""Plot of the aggregate posterior against the prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import Dimension, check_dims, most_active_dims
from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    GridDensity,
    check_gaussian_posterior,
    grid_density,
    subsample_posteriors,
)
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.prior_mismatch import PriorMismatch, prior_mismatch
from vaeviz.drawing.density_contours import draw_density_contours
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import DASHES, dimension_label, draw_prior_contours
from vaeviz.drawing.legends import legend_below
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

MIN_CURVE_POINTS = 400  # a curve drawn through fewer points looks angular
MIN_CELLS = 3  # narrower posteriors are drawn this many cells wide (one standard deviation), so that contours close
PRIOR_EXTENT = 3.3  # the grid always holds this many standard deviations of the prior


@register_plot(page=PageShape("column", 1.0), question="Can I sample from it?")
def aggregate_posterior(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    dims: tuple[Dimension, Dimension] | None = None,
    n_grid: int = 240,
    n_codes: int = 1000,
    n_permutations: int = 500,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot the density of the aggregate posterior q(z) in two latent dimensions, against the prior.

    What to look for: the contours enclose 39, 86 and 99 % of q(z), as the dashed circles do for the prior. Where they
    agree, draws from the prior are codes that the decoder knows. The title compares both in all dimensions, by the MMD,
    and the label of each axis in its dimension, by the KL to the prior.

    What commonly misleads: with few samples q(z) is a sum of few narrow posteriors, and spots and gaps are those of the
    samples rather than of the model. The legend says how far the picture is smoothed. Marginals that agree do not imply
    that q(z) does.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    dims : tuple of int, optional
        Two dimensions, as indices from 0 or as names from "z1". By default, the two with the highest mean KL.
    n_grid : int, default=240
        Grid points per side at which the density is evaluated.
    n_codes : int, default=1000
        Largest number of codes, drawn from q(z) and from the prior each, for the numbers in the title and labels.
    n_permutations : int, default=500
        Permutations of the MMD test in the title.
    max_points : int or None, default=100000
        Largest number of samples whose posteriors are mixed. More are subsampled at random; None keeps all.
    seed : int, default=0
        Seed of the subsample, the codes and the permutations.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the density.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the prior is unknown, the KL is infinite, or there is only one sample.
    InputError
        If `dims` does not name two latent dimensions, or a count is too small.

    See Also
    --------
    vaeviz.prior_mismatch : Compute the MMD and the marginal KL that the title and the labels show.

    Notes
    -----
    The aggregate posterior q(z) = 1/N Σ q(z | x_n) is the exact mixture of all N posteriors, with the other dimensions
    integrated out. Its contours enclose 39, 86 and 99 % of its mass, as the dashed circles do for the
    prior N(0, I). Each posterior is integrated over each cell of the grid. Those narrower than three cells are drawn
    that wide, and the legend says so: raise `n_grid` to see finer structure. The MMD in the title concerns all
    dimensions. A latent space of one dimension is drawn as a curve.

    References
    ----------
    Gretton et al., A Kernel Two-Sample Test, JMLR 13, 2012.
    """
    check_minimum("n_grid", n_grid, 2)
    posterior = encode(encoder, x, condition)
    total, posterior = len(posterior), subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    found = prior_mismatch(posterior, n_codes=n_codes, n_permutations=n_permutations, max_points=None, seed=seed)
    ax = ax or axes_for(aggregate_posterior)
    if posterior.size == 1:
        _draw_density_curve(ax, posterior, n_grid)
        ax.set(xlabel=_kl_label(0, found), title=_density_title(posterior, total, dims, found))
        return ax
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    nodes = _square_grid(posterior, shown, n_grid)
    grid = grid_density(posterior, shown, nodes, min_cells=MIN_CELLS)
    draw_density_contours(ax, *nodes, grid.density, label=f"q(z) 39, 86, 99 %{_smoothing_note(grid)}")
    draw_prior_contours(ax)
    ax.set(xlabel=_kl_label(shown[0], found), ylabel=_kl_label(shown[1], found))
    ax.set_title(_density_title(posterior, total, dims, found))
    legend_below(ax)
    return ax


def _draw_density_curve(ax: Axes, posterior: Posterior, n_grid: int) -> None:
    z = _square_grid(posterior, (0, 0), max(n_grid, MIN_CURVE_POINTS))[0]
    grid = grid_density(posterior, (0,), (z,), min_cells=MIN_CELLS)
    ax.fill_between(z, grid.density, color="C0", alpha=0.4, lw=0, label=f"q(z){_smoothing_note(grid)}")
    ax.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color="0.3", lw=0.8, ls=DASHES, label="prior N(0, 1)")
    ax.set(ylabel="density", ylim=(0, None))
    ax.legend()


def _smoothing_note(grid: GridDensity) -> str:
    return f",\nsmoothed to ±{grid.min_std:.2g}" if grid.n_widened else ""


def _square_grid(posterior: Posterior, dims: tuple[int, ...], n_grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid points along both dimensions of a square that holds the prior and 99.8 % of the posteriors."""
    assert posterior.std is not None  # checked by check_gaussian_posterior
    low = np.quantile((posterior.mean - 4 * posterior.std)[:, dims], 0.001, axis=0)
    high = np.quantile((posterior.mean + 4 * posterior.std)[:, dims], 0.999, axis=0)
    ends = np.stack([np.minimum(low, -PRIOR_EXTENT), np.maximum(high, PRIOR_EXTENT)])
    centers, half = ends.mean(axis=0), np.ptp(ends, axis=0).max() / 2
    first, second = (np.linspace(center - half, center + half, n_grid) for center in centers)
    return first, second


def _kl_label(dim: int, found: PriorMismatch) -> str:
    kl = Estimate(found.marginal_kl[dim], found.marginal_kl_error[dim])
    how = ", by spacings" if found.marginal_kl_by_spacings[dim] else ""
    return f"{dimension_label(dim)} (KL to the prior {kl}{how})"


def _density_title(
    posterior: Posterior, total: int, dims: tuple[Dimension, Dimension] | None, found: PriorMismatch
) -> str:
    count = sample_count(len(posterior), total)
    which = f", two {'' if dims else 'most active '}of {posterior.size} dims" if posterior.size > 2 else ""
    chance = np.quantile(found.mmd.null, 0.95)
    all_dims = f" in all {posterior.size} dims" if posterior.size > 2 else ""
    return f"q(z), {count}{which}\nMMD²{all_dims} {found.mmd.squared} (by chance < {chance:.1g})"
