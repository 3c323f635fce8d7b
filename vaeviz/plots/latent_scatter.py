"""Scatter plot of the codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import check_dims, most_active_dims
from vaeviz.drawing.colors import LabelColors, color_labels
from vaeviz.drawing.densities import draw_densities
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect, has_limits
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import ScatterStyle, draw_scatter
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot

MAX_EQUAL_SPREAD = 20  # ratio of standard deviations, above which axes of equal scale would show a line
MIN_SPREAD = 1e-3  # smaller / larger standard deviation, below which a dimension is practically constant


@register_plot(page=PageShape("column", 0.74))
def latent_scatter(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[int, int] | None = None,
    show_prior: bool | None = None,
    palette: str | None = None,
    continuous: bool | None = None,
    marker_size: float | None = None,
    alpha: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict[str, Any] | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot posterior means in two latent dimensions, colored by label.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample: integers and strings are classes, floats are numbers. Samples without a label (NaN, None
        or "") are light gray and underneath.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    dims : tuple of int, optional
        Two dimensions, counted from 0. By default, the two most active.
    show_prior : bool, optional
        Draw circles at 1, 2 and 3 σ of N(0, I). By default, they are drawn if the prior is known to be that.
    palette : str, optional
        Matplotlib color sequence or colormap, or colors separated by commas.
    continuous : bool, optional
        Color integer labels along a gradient. By default, their type decides.
    marker_size : float, optional
        Diameter of a marker in points. By default, it follows N.
    alpha : float, optional
        Opacity of a marker, from 0 to 1. By default, it follows N.
    rasterized : bool, optional
        Draw the markers as an image inside vector files. By default, large clouds are.
    marker_kws : dict, optional
        Further properties of the markers, as of `matplotlib.lines.Line2D`.
    seed : int, default=0
        Seed of the order in which points are drawn.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the points.

    Raises
    ------
    NotApplicable
        If the latent space has one dimension and the labels are continuous.
    InputError
        If `dims`, `labels`, `palette` or `marker_kws` cannot be used.

    Notes
    -----
    The most active dimensions are those with the highest mean KL, or for a deterministic encoder with the largest
    variance of the codes. A latent space of one dimension is drawn as densities by label.

    The aspect is equal unless the encoder is deterministic and one dimension spreads more than 20 times the other. The
    title says so.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> x = np.random.default_rng(0).standard_normal((100, 8))
    >>> ax = vaeviz.latent_scatter(lambda x: x[:, :2], x, labels=x[:, 0] > 0)
    >>> ax.get_title()
    'Codes, N = 100'
    """
    style = ScatterStyle(marker_size, alpha, rasterized, marker_kws)
    posterior = encode(encoder, x, condition)
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    contours = posterior.prior == "normal" if show_prior is None else show_prior
    if posterior.size == 1:
        return _draw_one_dimension(posterior, colors, contours, ax)
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    ax = ax or axes_for(latent_scatter)
    points = posterior.mean[:, shown]
    marks = draw_scatter(ax, points, colors, style, seed=seed)
    if contours:
        draw_prior_contours(ax)
    has_own_scales = posterior.is_deterministic and not contours and _needs_own_scales(points)
    if not has_own_scales:
        equal_aspect(ax)
    add_color_key(ax, marks.colors, points)
    ax.set(xlabel=dimension_label(shown[0]), ylabel=dimension_label(shown[1]))
    title = _scatter_title(posterior, _visible_count(ax, points), dims)
    ax.set_title(f"{title}\naxes with different scales" if has_own_scales else title)
    return ax


def _needs_own_scales(points: np.ndarray) -> bool:
    """Return True if axes of equal scale would show the points as a line, although neither dimension is constant."""
    low, high = sorted(points.std(axis=0))
    return bool(MIN_SPREAD * high < low < high / MAX_EQUAL_SPREAD)


def _draw_one_dimension(posterior: Posterior, colors: LabelColors, contours: bool, ax: Axes | None) -> Axes:
    if colors.mappable is not None:
        raise NotApplicable(
            "The latent space has one dimension, which is drawn as one density per class, but the labels are "
            "continuous.",
            fix="Pass labels as integers or strings, or None.",
        )
    ax = ax or axes_for(latent_scatter)
    draw_densities(ax, posterior.mean[:, 0], colors, prior=contours)
    count = f"{len(posterior):,}" + (f", {colors.n_missing:,} without label left out" if colors.n_missing else "")
    ax.set(xlabel=f"$z_1$ ({posterior.code_name})", title=_scatter_title(posterior, count))
    return ax


def _visible_count(ax: Axes, points: np.ndarray) -> str:
    """Return the number of points and, if the limits of the Axes were set before, how many are within them."""
    if not has_limits(ax):
        return f"{len(points):,}"
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    x, y = points.T
    inside = np.count_nonzero((left <= x) & (x <= right) & (low <= y) & (y <= high))
    return f"{len(points):,}" if inside == len(points) else f"{len(points):,}, {inside:,} within the axes"


def _scatter_title(posterior: Posterior, count: str, dims: tuple[int, int] | None = None) -> str:
    title = f"{posterior.code_name.capitalize()}s, N = {count}"
    if posterior.size <= 2:
        return title
    return f"{title}\n{'two' if dims else 'the two most active'} of {posterior.size} dimensions"
