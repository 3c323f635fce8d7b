from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.analysis.activity import active_dimensions, check_dims, most_active_dims
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.drawing.colors import LabelColors, color_labels
from vaeviz.drawing.densities import draw_density_curves
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours
from vaeviz.drawing.legends import add_figure_key
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot

MOST = 8
ROOMY = 5  # dimensions; beyond, panels are too small for more than one circle of the prior


@register_plot(page=PageShape("full", 1.0))
def latent_pairs(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[int, ...] | None = None,
    min_activity: float = 0.01,
    max_points: int | None = 2000,
    prior_contours: bool | None = None,
    palette: str | None = None,
    continuous: bool | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Posterior means in every pair of 3 to 8 active latent dimensions, and their densities along each.

    encoder: any callable, model, or `Posterior`. x: (N, ...). labels: (N,) or None. condition: (N, ...), of a
        conditional model.
    dims: which dimensions, counted from 0; by default those with an activity of at least `min_activity`: the mean KL
        in nats, or without a spread the variance of the means; of more than 8 the most active. `NotApplicable` for
        fewer than 3. max_points: at most so many points, chosen at random with `seed`; None for all.
    prior_contours: N(0, I) at 1, 2, 3 σ, or above 5 dimensions at 2 σ alone, and its density; by default where the
        prior is known to be that.
    palette, continuous: as in `latent_scatter`.
    """
    posterior = encode(encoder, x, condition)
    shown = _shown(dims, active_dimensions(posterior, min_activity), posterior)
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    rows = subsample_rows(max_points, len(posterior), seed)
    prior = posterior.prior == "normal" if prior_contours is None else prior_contours
    figure = figure or figure_for(latent_pairs)
    axes = figure.subplots(len(shown), len(shown), squeeze=False)
    _draw_corner(axes, posterior.mean[np.ix_(rows, shown)], colors[rows], prior, seed)
    for place, dim in enumerate(shown):
        axes[-1, place].set_xlabel(dimension_label(dim))
        axes[place, 0].set_ylabel(dimension_label(dim) if place else "")
    add_figure_key(figure, axes[0, -1], colors, axes[1, 0].get_legend_handles_labels()[0])
    count = f"N = {len(rows):,}" if len(rows) == len(posterior) else f"{len(rows):,} of {len(posterior):,} points"
    which = "" if len(shown) == posterior.size else f", {len(shown)} of {posterior.size} dimensions"
    figure.suptitle(f"{posterior.code_name.capitalize()}s in pairs of dimensions{which}, {count}")
    return axes


def _shown(dims: tuple[int, ...] | None, active: tuple[int, ...], posterior: Any) -> tuple[int, ...]:
    if dims is not None:
        if not 3 <= len(dims) <= MOST:
            raise InputError(f"dims: got {len(dims)} dimensions, expected 3 to {MOST}")
        return check_dims(dims, posterior.size)
    if len(active) < 3:
        raise NotApplicable(f"{len(active)} of {posterior.size} dimensions are active, pairs need 3")
    return active if len(active) <= MOST else most_active_dims(posterior, MOST)


def _draw_corner(axes: np.ndarray, points: np.ndarray, colors: LabelColors, prior: bool, seed: int) -> None:
    low, high = points.min(), points.max()
    ends = (low - 0.04 * (high - low), high + 0.04 * (high - low))
    for (row, column), ax in np.ndenumerate(axes):
        if row < column:
            ax.axis("off")
            continue
        if row == column:
            draw_density_curves(ax, points[:, row], colors, prior=prior)
            ax.set(yticks=[], ylabel="")
            ax.spines["left"].set_visible(False)
        else:
            draw_scatter(ax, points[:, [column, row]], colors, marker_size=1.2, seed=seed)
            ax.set(ylim=ends)
            ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            if prior:
                draw_prior_contours(ax, (1, 2, 3) if len(axes) <= ROOMY else (2,))
        ax.set(xlim=ends, box_aspect=1)
        _share_ticks(ax, bottom=row == len(axes) - 1, left=column == 0 and row > 0)


def _share_ticks(ax: Axes, *, bottom: bool, left: bool) -> None:
    """Numbers at the rim only: every panel has the same limits."""
    ax.tick_params(bottom=bottom, left=left, labelbottom=bottom, labelleft=left)
    for side, at_rim in (("bottom", bottom), ("left", left)):
        if not at_rim:
            ax.spines[side].set_color("0.75")
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
