from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.activity import check_dims, most_active_dims
from vaeviz.drawing.colors import LabelColors, color_labels
from vaeviz.drawing.densities import draw_densities
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect, has_limits
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import check_marker_kws, draw_scatter
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot

UNLIKE, DEAD = 20, 1e-3  # ratios of standard deviations


@register_plot(page=PageShape("column", 0.74))
def latent_scatter(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[int, int] | None = None,
    prior_contours: bool | None = None,
    palette: str | None = None,
    continuous: bool | None = None,
    size: float | None = None,
    opacity: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Posterior means of `x` in two latent dimensions, colored by label.

    encoder: any callable, model, or `Posterior`. x: (N, ...). labels: (N,) or None. condition: (N, ...), of a
        conditional model.
    dims: which two dimensions, counted from 0; by default the two most active (mean KL where the encoder gives
        a spread, else variance of the means). A 1-D latent is drawn as densities by label.
    prior_contours: circles at 1, 2, 3 σ of N(0, I); by default where the prior is known to be that.
    palette: a matplotlib color sequence or colormap, or colors joined by commas. continuous: color integers
        along a gradient. size (points), opacity, rasterized, marker_kws: of the marks; the first three follow N.
    seed: of the order in which points are drawn.
    One unit is as long across as up, but for codes of a deterministic encoder with twenty times the standard deviation
    in one dimension that they have in the other; the title says so.
    """
    posterior = encode(encoder, x, condition)
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    contours = posterior.prior == "normal" if prior_contours is None else prior_contours
    if posterior.size == 1:
        return _densities(posterior, colors, contours, ax)
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    check_marker_kws(marker_kws)
    ax = ax or axes_for(latent_scatter)
    points = posterior.mean[:, shown]
    marks = draw_scatter(
        ax, points, colors, marker_size=size, alpha=opacity, rasterized=rasterized, marker_kws=marker_kws, seed=seed
    )
    if contours:
        draw_prior_contours(ax)
    unlike = posterior.is_deterministic and not contours and _are_unlike(points)
    if not unlike:
        equal_aspect(ax)
    add_color_key(ax, marks.colors, points)
    ax.set(xlabel=dimension_label(shown[0]), ylabel=dimension_label(shown[1]))
    ax.set_title(_title(posterior, f"N = {_counted(ax, points)}", dims) + "\naxes of unlike scales" * unlike)
    return ax


def _are_unlike(points: np.ndarray) -> bool:
    """Whether points spread so much further in one dimension that axes of one scale would show no more than a line.

    A dimension that is as good as constant is shown as that line.
    """
    low, high = sorted(points.std(axis=0))
    return bool(DEAD * high < low < high / UNLIKE)


def _densities(posterior: Posterior, colors: LabelColors, contours: bool, ax: Axes | None) -> Axes:
    if colors.mappable is not None:
        raise NotApplicable("the labels are continuous, and the densities of a 1-D latent need classes")
    ax = ax or axes_for(latent_scatter)
    draw_densities(ax, posterior.mean[:, 0], colors, prior=contours)
    count = f"N = {len(posterior):,}" + (f", {colors.n_missing:,} without label left out" if colors.n_missing else "")
    ax.set(xlabel=f"$z_1$ ({posterior.code_name})", title=_title(posterior, count))
    return ax


def _counted(ax: Axes, points: np.ndarray) -> str:
    """How many points there are, and where the limits of the Axes were set, how many of them they show."""
    if not has_limits(ax):
        return f"{len(points):,}"
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    x, y = points.T
    inside = np.count_nonzero((left <= x) & (x <= right) & (low <= y) & (y <= high))
    return f"{len(points):,}" if inside == len(points) else f"{len(points):,}, {inside:,} within the axes"


def _title(posterior: Posterior, count: str, dims: tuple[int, int] | None = None) -> str:
    title = f"{posterior.code_name.capitalize()}s, {count}"
    if posterior.size <= 2:
        return title
    return f"{title}\n{'two' if dims else 'the two most active'} of {posterior.size} dimensions"
