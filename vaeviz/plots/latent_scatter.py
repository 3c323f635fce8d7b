"""Scatter plot of the codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import Dimension, active_mask, check_dims, most_active_dims
from vaeviz.data.labels import labels_for
from vaeviz.data.out_of_core import iterate_rows
from vaeviz.drawing.binned_scatter import MAX_MARKERS, BinnedScatter, draw_binned_scatter
from vaeviz.drawing.colors import ClassNames, LabelColors, Palette, color_labels
from vaeviz.drawing.densities import draw_densities
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import (
    dimension_label,
    draw_prior_contours,
    fit_axes,
    has_limits,
    show_posterior_spread,
)
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.limits import MIN_SHRINKAGE, robust_points
from vaeviz.drawing.scatter import ClassScatter, ScatterStyle, draw_scatter
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plots._other_samples import OTHER_MARKS, other_means
from vaeviz.plugins.plot_spec import PageShape, register_plot

N_LIMIT_POINTS = 100_000  # at most, of a cloud drawn as cells, which show its range without far points
MAX_EQUAL_SPREAD = 20  # ratio of standard deviations, above which axes of equal scale would show a line
RUG_HEIGHT = 0.02  # of other samples above the axis of densities, as a share of its height
MIN_SPREAD = 1e-3  # smaller / larger standard deviation, below which a dimension is practically constant


@register_plot(page=PageShape("column", 0.74), question="Where do my classes lie?")
def latent_scatter(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    other_x: Any = None,
    *,
    dims: tuple[Dimension, Dimension] | None = None,
    show_prior: bool | None = None,
    show_all: bool = False,
    palette: Palette | None = None,
    continuous: bool | None = None,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
    marker_size: float | None = None,
    alpha: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict[str, Any] | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot posterior means in two latent dimensions, colored by label.

    What to look for: classes that are apart can be distinguished by the code alone. Classes that share a region are
    similar for the model. The dashed circles are 1, 2 and 3 standard deviations of the prior: codes should fill them,
    neither crowd the center nor lie far outside.

    What commonly misleads: a point is a mean, and a posterior has a width, which `posterior_ellipses` draws. Above two
    dimensions only the two most active ones are drawn, and classes that overlap here may be apart in the others: look
    at `latent_pairs`. Points hide each other where they are dense, so they are drawn in random order.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale. By default,
        those that come with `x`, if it is a loader or a `Dataset`. Samples without a label (NaN, None or "") are light
        gray and underneath.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    other_x : array_like, shape (M, ...), optional
        Other samples, whose codes are dark crosses above those of `x`.
    dims : tuple of int, optional
        Two dimensions, as indices from 0 or as names from "z1". By default, the two most active.
    show_prior : bool, optional
        Draw circles at 1, 2 and 3 σ of N(0, I). By default, they are drawn if the prior is known to be that.
    show_all : bool, default=False
        Let the axes reach to every point. By default, a few points that are far out are beyond the axes, and the title
        counts them.
    palette : str, tuple or dict, optional
        Color sequence or colormap of matplotlib, palette of seaborn, colors (also separated by commas), or a color for
        each class by name.
    continuous : bool, optional
        Color integer labels along a gradient. By default, their type decides.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    highlight : tuple of str, optional
        Classes that keep their colors. The others become gray.
    limits : tuple of float, optional
        Ends of the scale of continuous labels. By default, a few that are far out are left out and counted.
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
        If `dims`, `labels`, `palette` or `marker_kws` cannot be used, or `other_x` is given with a Posterior, which
        holds the codes of `x` only.

    Warns
    -----
    GuessWarning
        If `other_x` needs a condition. It is then left out.

    Notes
    -----
    More than 500,000 points are drawn as small cells. Each has the color of one of its points, chosen at random, and is
    more opaque the more points it has; the title states the scale. This takes less time and memory than markers, and no
    class hides another: the smallest, with 0.1 % of the points together, are in larger cells above the others. Pass
    `marker_size`, `alpha`, `rasterized` or `marker_kws` to draw markers at any N.

    The most active dimensions are those with the highest mean KL, or for a deterministic encoder with the largest
    variance of the codes. A latent space of one dimension is drawn as densities by label. If no dimension is active,
    the axes reach three standard deviations of the posteriors, and the title says so.

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
    labels = labels_for(x, labels)
    colors = color_labels(
        labels, len(posterior), palette, continuous, class_names=class_names, highlight=highlight, limits=limits
    )
    contours = posterior.prior == "normal" if show_prior is None else show_prior
    others = other_means(encoder, other_x, x)
    if posterior.size == 1:
        return _draw_one_dimension(posterior, colors, contours, others, ax)
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    ax = ax or axes_for(latent_scatter)
    points, active = _plane_of(posterior.mean, shown), active_mask(posterior)
    marks: BinnedScatter | ClassScatter
    if len(points) > MAX_MARKERS and style == ScatterStyle():
        marks = draw_binned_scatter(ax, points, colors, seed=seed)
    else:
        marks = draw_scatter(ax, points, colors, style, seed=seed)
    crosses = None if others is None else ax.plot(*_plane_of(others, shown).T, **OTHER_MARKS)[0]
    all_points = points if crosses is None else np.concatenate([points, crosses.get_xydata()])
    inner = all_points if show_all else _inner_points(ax, all_points)
    if contours:
        draw_prior_contours(ax)
    if not active.any():
        show_posterior_spread(ax, posterior, shown)
    may_differ = posterior.is_deterministic and not contours
    scale_note = _fit_scales(ax, all_points, inner, may_differ=may_differ)
    if crosses is not None:
        count = _visible_count(ax, np.asarray(crosses.get_xydata())).removesuffix(" the axes")
        crosses.set_label(f"other ({count})")
    ax.set(**{name: dimension_label(dim, is_active=active[dim]) for name, dim in zip(("xlabel", "ylabel"), shown)})
    ends = marks.corners if isinstance(marks, BinnedScatter) else None
    title = _scatter_title(posterior, _visible_count(ax, points, ends), active, dims) + scale_note
    ax.set_title(title if isinstance(marks, ClassScatter) else f"{title}\n{marks.scale_note}")
    add_color_key(ax, marks.colors, points, marker=marks.marker)
    return ax


def _plane_of(codes: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    """Return two columns as a view, since a copy of many codes would take much memory."""
    first, second = dims
    return codes[:, first :: second - first][:, :2]


def _inner_points(ax: Axes, points: np.ndarray) -> np.ndarray:
    """Return the points that the limits must hold, without a few far out: 100,000 of a large cloud show which."""
    sample = _evenly_spaced(points)
    inner = robust_points(sample)
    is_whole = len(sample) < len(points) and (ax.dataLim.size <= MIN_SHRINKAGE * np.ptp(inner, axis=0)).all()
    return points if is_whole else inner


def _evenly_spaced(points: np.ndarray) -> np.ndarray:
    """Return the points in memory, at most 100,000 of a cloud drawn as cells, which show its range as well."""
    return np.array(points[:: -(-len(points) // N_LIMIT_POINTS)]) if len(points) > MAX_MARKERS else points


def _fit_scales(ax: Axes, points: np.ndarray, inner: np.ndarray, *, may_differ: bool) -> str:
    """Fit both axes to the inner points, and return a line for the title if their scales differ.

    They may differ where axes of equal scale would show a line, although neither dimension is constant.
    """
    low, high = sorted(column.std() for column in _evenly_spaced(inner).T)
    do_differ = may_differ and MIN_SPREAD * high < low < high / MAX_EQUAL_SPREAD
    fit_axes(ax, points, inner, has_equal_scale=not do_differ)
    return "\naxes with different scales" if do_differ else ""


def _draw_one_dimension(
    posterior: Posterior, colors: LabelColors, contours: bool, others: np.ndarray | None, ax: Axes | None
) -> Axes:
    if colors.mappable is not None:
        raise NotApplicable(
            "The latent space has one dimension, which is drawn as one density per class, but the labels are "
            "continuous.",
            fix="Pass labels as integers or strings, or None.",
        )
    ax = ax or axes_for(latent_scatter)
    if others is not None:  # along the axis
        height = np.full(len(others), RUG_HEIGHT)
        label = f"other ({len(others):,})"
        ax.plot(others[:, 0], height, transform=ax.get_xaxis_transform(), label=label, **OTHER_MARKS)
    draw_densities(ax, posterior.mean[:, 0], colors, prior=contours)
    active = active_mask(posterior)
    ax.set_xlabel(f"{dimension_label(0, is_active=active[0])} ({posterior.code_name})")
    ax.set_title(_scatter_title(posterior, f"{len(posterior):,}", active))
    return ax


def _visible_count(ax: Axes, points: np.ndarray, ends: np.ndarray | None = None) -> str:
    """Return the number of points and, if the limits of the Axes are fixed, how many are beyond them.

    If no end of the points is beyond them, the points need not be counted.
    """
    if not has_limits(ax) or (ends is not None and not _count_beyond(ax, ends)):
        return f"{len(points):,}"
    n_beyond = sum(_count_beyond(ax, rows) for rows in iterate_rows(points))
    return f"{len(points):,}, {n_beyond:,} beyond the axes" if n_beyond else f"{len(points):,}"


def _count_beyond(ax: Axes, points: np.ndarray) -> int:
    (left, right), (bottom, top) = np.sort([ax.get_xlim(), ax.get_ylim()], axis=1)
    x, y = points.T
    return int(np.count_nonzero((x < left) | (x > right) | (y < bottom) | (y > top)))


def _scatter_title(
    posterior: Posterior, count: str, active: np.ndarray, dims: tuple[Dimension, Dimension] | None = None
) -> str:
    title = f"{posterior.code_name.capitalize()}s, N = {count}"
    if not active.any():
        return f"{title}\n{f'none of {posterior.size} dimensions' if posterior.size > 1 else 'no dimension'} is active"
    if posterior.size <= 2:
        return title
    return f"{title}\n{'two' if dims else 'the two most active'} of {posterior.size} dimensions"
