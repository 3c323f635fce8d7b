"""Plot of every pair of active latent dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from vaeviz.analysis.active_dimensions import (
    MIN_KL,
    MIN_SHARE,
    ActiveDimensions,
    Dimension,
    active_dimensions,
    check_dims,
)
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.labels import labels_for
from vaeviz.drawing.colors import ClassNames, LabelColors, Palette, color_labels
from vaeviz.drawing.densities import draw_density_curves
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import AXES_MARGIN, dimension_label, draw_prior_contours
from vaeviz.drawing.legends import add_figure_key
from vaeviz.drawing.limits import robust_points
from vaeviz.drawing.scatter import ScatterStyle, default_marker_size, draw_scatter
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import option_fix
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

MIN_DIMS, MAX_DIMS = 3, 8  # two dimensions are one scatter plot; more than eight leave no room for the panels
MAX_PANEL_POINTS = 5_000  # of a scatter; more would take a minute to draw in 28 panels and hide each other
PANEL_MARKER_SCALE = 0.75  # of the markers of a single plot, which is larger than a panel
MAX_DIMS_WITH_THREE_CONTOURS = 5  # panels of more dimensions are too small for more than one circle of the prior


@register_plot(page=PageShape("full", 1.0), question="Where do my classes lie?")
def latent_pairs(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[Dimension, ...] | None = None,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    max_points: int | None = 2000,
    show_prior: bool | None = None,
    show_all: bool = False,
    palette: Palette | None = None,
    continuous: bool | None = None,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot posterior means in every pair of active latent dimensions, and their densities along each.

    What to look for: a class that is apart in one panel is apart. Densities on the diagonal show which single
    dimension separates which classes. Panels should look like the prior, whose contours are dashed, when all classes
    are taken together.

    What commonly misleads: a class that overlaps others in every panel may still be separate: panels show pairs, and
    classes can be apart in three dimensions or more. Accuracy of neighbors in `latent_neighbors` uses all dimensions.
    The axes of a VAE are arbitrary up to how the posterior breaks the symmetry, so a second run may show other
    panels.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale. By default,
        those that come with `x`, if it is a loader or a `Dataset`.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    dims : tuple of int, optional
        Three to eight dimensions, as indices from 0 or as names from "z1". By default, the active ones, the eight most
        active at most.
    min_kl : float, default=0.005
        A dimension with a mean KL at or below this (nats) counts as collapsed.
    min_share : float, default=0.01
        A dimension whose posterior mean varies by this share of the variance of q(z_j) or less counts as collapsed.
    max_points : int or None, default=2000
        Largest number of points to use. More are subsampled at random; None keeps all. A scatter shows 5,000 of them.
    show_prior : bool, optional
        Draw the prior N(0, I). By default, it is drawn if the prior of the model is known to be that.
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
    seed : int, default=0
        Seed of the subsample and of the order of the points.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (D, D)
        The Axes of each pair, densities on the diagonal. Those above it are empty.

    Raises
    ------
    NotApplicable
        If fewer than three dimensions are active.
    InputError
        If `dims` does not name three to eight different latent dimensions, or `labels` does not fit `x`.

    Notes
    -----
    The prior is drawn as circles at 1, 2 and 3 σ, or at 2 σ only above five dimensions, and as its density.
    """
    # seaborn.PairGrid opens a pyplot figure of its own and cannot draw into `figure`, so the panels are arranged here.
    posterior = encode(encoder, x, condition)
    shown = _choose_dims(dims, active_dimensions(posterior, min_kl=min_kl, min_share=min_share), posterior)
    labels = labels_for(x, labels)
    colors = color_labels(
        labels, len(posterior), palette, continuous, class_names=class_names, highlight=highlight, limits=limits
    )
    rows = subsample_rows(max_points, len(posterior), seed)
    prior = posterior.prior == "normal" if show_prior is None else show_prior
    figure = figure or figure_for(latent_pairs)
    axes: np.ndarray = figure.subplots(len(shown), len(shown), squeeze=False)
    points = posterior.mean[rows][:, shown]
    inner = points if show_all else robust_points(points)
    _draw_corner(axes, points, _limits_around(inner), colors[rows], prior, seed)
    for place, dim in enumerate(shown):
        axes[-1, place].set_xlabel(dimension_label(dim))
        axes[place, 0].set_ylabel(dimension_label(dim) if place else "")
    others = axes[1, 0].get_legend_handles_labels()[0]
    add_figure_key(figure, axes[0, -1], colors, others, n_panels=len(shown))
    which = "" if len(shown) == posterior.size else f", {len(shown)} of {posterior.size} dimensions"
    count = sample_count(len(rows), len(posterior), "points")
    count += f", {MAX_PANEL_POINTS:,} in each panel" if len(points) > MAX_PANEL_POINTS else ""
    count += f", {len(points) - len(inner):,} beyond the axes" if len(inner) < len(points) else ""
    figure.suptitle(f"{posterior.code_name.capitalize()}s in pairs of dimensions{which}, {count}")
    return axes


def _choose_dims(dims: tuple[Dimension, ...] | None, active: ActiveDimensions, posterior: Posterior) -> tuple[int, ...]:
    if dims is not None:
        if not MIN_DIMS <= len(dims) <= MAX_DIMS:
            raise InputError(
                f"dims names {len(dims)} dimensions, but pairs are drawn of {MIN_DIMS} to {MAX_DIMS}.",
                got=str(len(dims)),
                expected=f"{MIN_DIMS} to {MAX_DIMS} dimensions",
                fix="Use latent_scatter for two dimensions.",
            )
        return check_dims(dims, posterior.size)
    n_active = int(active.mask.sum())
    if n_active < MIN_DIMS:
        raise NotApplicable(
            f"{n_active} of {posterior.size} dimensions are active, but pairs are drawn of {MIN_DIMS} or more.",
            fix=option_fix("dims", (0, 1, 2)) if posterior.size >= MIN_DIMS else "Use latent_scatter.",
        )
    return tuple(sorted(int(dim) for dim in active.ranking[: min(n_active, MAX_DIMS)]))


def _limits_around(points: np.ndarray) -> tuple[float, float]:
    """Return limits that hold all values, the same for all dimensions."""
    low, high = float(points.min()), float(points.max())
    margin = AXES_MARGIN * (high - low)
    return low - margin, high + margin


def _draw_corner(
    axes: np.ndarray, points: np.ndarray, ends: tuple[float, float], colors: LabelColors, prior: bool, seed: int
) -> None:
    """Draw densities on the diagonal and scatters below it, all with the same limits."""
    drawn = subsample_rows(MAX_PANEL_POINTS, len(points), seed)
    style = ScatterStyle(PANEL_MARKER_SCALE * default_marker_size(len(drawn)))
    for (row, column), ax in np.ndenumerate(axes):
        if row < column:
            ax.axis("off")
            continue
        if row == column:
            draw_density_curves(ax, points[:, row], colors, prior=prior)
            ax.set(yticks=[], ylabel="")
            ax.spines["left"].set_visible(False)
        else:
            draw_scatter(ax, points[drawn][:, [column, row]], colors[drawn], style, seed=seed)
            ax.set(ylim=ends)
            ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            if prior:
                draw_prior_contours(ax, (1, 2, 3) if len(axes) <= MAX_DIMS_WITH_THREE_CONTOURS else (2,))
        ax.set(xlim=ends, box_aspect=1)
        _keep_outer_ticks(ax, bottom=row == len(axes) - 1, left=column == 0 and row > 0)


def _keep_outer_ticks(ax: Axes, *, bottom: bool, left: bool) -> None:
    """Keep the numbers at the left and at the bottom only, since every panel has the same limits."""
    ax.tick_params(bottom=bottom, left=left, labelbottom=bottom, labelleft=left)
    for side, is_outer in (("bottom", bottom), ("left", left)):
        if not is_outer:
            ax.spines[side].set_color("0.75")
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
