from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import check_dims, most_active_dims
from vaeviz.analysis.aggregate_posterior import (
    MAX_POSTERIORS,
    check_gaussian_posterior,
    grid_density,
    subsample_posteriors,
)
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.prior_mismatch import PriorMismatch, prior_mismatch
from vaeviz.drawing.density_contours import draw_density_contours
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours
from vaeviz.drawing.legends import legend_below
from vaeviz.errors import InputError
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", 1.0))
def aggregate_posterior(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    dims: tuple[int, int] | None = None,
    nodes: int = 240,
    n: int = 1000,
    permutations: int = 500,
    max_points: int | None = MAX_POSTERIORS,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Density of the aggregate posterior q(z) in two latent dimensions, against the prior.

    encoder: any callable, model, or `Posterior` with a spread. x: (N, ...). condition: (N, ...), of a conditional
        model.
    dims: which two dimensions, counted from 0; by default the two with the highest mean KL. A 1-D latent is a curve.
    nodes: of the grid, a side. n, permutations, seed: of the MMD in the title, see `vaeviz.prior_mismatch`.
    max_points: of more samples so many are chosen at random with `seed`; None for all.
    q(z) is the mixture of all N posteriors, exactly, with the other dimensions integrated out. Its lines enclose 39,
    86 and 99 % of its mass, as the circles do of the prior's. The title's numbers are of the whole latent.
    """
    if nodes < 2:
        raise InputError(f"nodes = {nodes}: expected 2 or more a side")
    posterior = encode(encoder, x, condition)
    given, posterior = len(posterior), subsample_posteriors(check_gaussian_posterior(posterior), max_points, seed)
    found = prior_mismatch(posterior, n_codes=n, n_permutations=permutations, max_points=None, seed=seed)
    ax = ax or axes_for(aggregate_posterior)
    if posterior.size == 1:
        _draw_curve(ax, posterior, nodes)
        ax.set(xlabel=_label(0, found), title=_title(posterior, given, dims, found))
        return ax
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    across, up = _even_nodes(posterior, shown, nodes)
    draw_density_contours(ax, across, up, grid_density(posterior, shown, (across, up)), label="q(z) 39, 86, 99 %")
    draw_prior_contours(ax)
    ax.set(xlabel=_label(shown[0], found), ylabel=_label(shown[1], found), title=_title(posterior, given, dims, found))
    legend_below(ax)
    return ax


def _draw_curve(ax: Axes, posterior: Posterior, nodes: int) -> None:
    z = _even_nodes(posterior, (0, 0), max(nodes, 400))[0]
    ax.fill_between(z, grid_density(posterior, (0,), (z,)), color="C0", alpha=0.4, lw=0, label="q(z)")
    ax.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color="0.3", lw=0.8, ls=(0, (4, 3)), label="prior N(0, 1)")
    ax.set(ylabel="density", ylim=(0, None))
    ax.legend()


def _even_nodes(posterior: Posterior, shown: tuple[int, int], nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """A square of nodes that holds 3.3 σ of the prior, and of the posteriors all but a thousandth a side."""
    low = (posterior.mean - 4 * posterior.std)[:, shown]
    high = (posterior.mean + 4 * posterior.std)[:, shown]
    low, high = np.quantile(low, 0.001, axis=0), np.quantile(high, 0.999, axis=0)
    ends = np.stack([np.minimum(low, -3.3), np.maximum(high, 3.3)])
    middle, half = ends.mean(axis=0), np.ptp(ends, axis=0).max() / 2
    first, second = (np.linspace(center - half, center + half, nodes) for center in middle)
    return first, second


def _label(dim: int, found: PriorMismatch) -> str:
    return f"{dimension_label(dim)} (KL to the prior {Estimate(found.marginal_kl[dim], found.marginal_kl_error[dim])})"


def _title(posterior: Posterior, given: int, dims: tuple[int, int] | None, found: PriorMismatch) -> str:
    count = f"N = {given:,}" if given == len(posterior) else f"{len(posterior):,} of {given:,}"
    which = f", two {'' if dims else 'most active '}of {posterior.size} dims" if posterior.size > 2 else ""
    chance = np.quantile(found.mmd.null, 0.95)
    return f"q(z), {count}{which}\nMMD² {found.mmd.squared} (by chance < {chance:.1g})"
