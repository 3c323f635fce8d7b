"""Names, aspect, limits and prior contours of latent axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import AutoLocator

from vaeviz.data.out_of_core import iterate_rows
from vaeviz.drawing.text_fit import axes_height, axes_width
from vaeviz.model.posterior import Posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = (0, (4, 3))  # of reference lines, such as the prior
MAX_UPRIGHT_NAMES = 12  # more dimension names than this would meet side by side
# not 2.5, whose longer labels change the size of the Axes and with it the ticks, so that a layout has no fixed point
TICK_STEPS = (1, 2, 5, 10)
AXES_MARGIN = 0.04  # of the larger side of the plane, so that no point touches the frame


def dimension_label(dim: int, *, is_active: bool = True) -> str:
    """Return the axis label of a latent dimension.

    Parameters
    ----------
    dim : int
        Latent dimension, counted from 0.
    is_active : bool
        False adds that the dimension is collapsed.

    Returns
    -------
    str
        Mathtext that counts from 1.

    Examples
    --------
    >>> dimension_label(0)
    '$z_{1}$'
    """
    return f"$z_{{{dim + 1}}}${'' if is_active else ' (collapsed)'}"


def label_dimension_ticks(ax: Axes, dims: Sequence[int] | np.ndarray) -> None:
    """Name latent dimensions below an Axes, at 0, 1, 2 and so on.

    Parameters
    ----------
    ax : Axes
        The Axes.
    dims : sequence of int
        Latent dimensions, counted from 0. The names of many are turned by 90 degrees.
    """
    rotation = 90 if len(dims) > MAX_UPRIGHT_NAMES else 0
    ax.set_xticks(range(len(dims)), [dimension_label(dim) for dim in dims], rotation=rotation)


def equal_aspect(ax: Axes) -> None:
    """Give both axes the same scale, unless their limits are fixed.

    Parameters
    ----------
    ax : Axes
        Its limits become wider, or its box changes shape if it shares both axes with others.
    """
    if not has_limits(ax):
        groups = ax.get_shared_x_axes(), ax.get_shared_y_axes()
        shares_both = all(len(group.get_siblings(ax)) > 1 for group in groups)
        ax.set_aspect("equal", adjustable="box" if shares_both else "datalim")
        for name in ("xlim_changed", "ylim_changed"):
            ax.callbacks.connect(name, _obey_limits)


def fit_axes(ax: Axes, points: np.ndarray, inner: np.ndarray, *, has_equal_scale: bool = True) -> None:
    """Give both axes the same scale, and fix their limits around the inner points if others are far out.

    Parameters
    ----------
    ax : Axes
        The Axes, which holds the points. Limits that are fixed already stay.
    points : ndarray, shape (N, 2)
        All points.
    inner : ndarray, shape (M, 2)
        The points that the limits must hold.
    has_equal_scale : bool
        False leaves each axis its own scale.
    """
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(locator := axis.get_major_locator(), AutoLocator):
            locator.set_params(steps=TICK_STEPS)
    if len(inner) == len(points) or has_limits(ax):
        if has_equal_scale:
            equal_aspect(ax)
        return
    low, high = inner.min(axis=0), inner.max(axis=0)
    half = (high - low) / 2 + AXES_MARGIN * ((high - low).max() if has_equal_scale else high - low)
    if has_equal_scale:
        shape = axes_height(ax) / axes_width(ax)
        half = np.maximum(half, half[::-1] * [1 / shape, shape])  # the box keeps its shape
        ax.set_aspect("equal", adjustable="box")
    center = (low + high) / 2
    ax.set(**dict(zip(("xlim", "ylim"), zip(center - half, center + half))))


def show_posterior_spread(ax: Axes, posterior: Posterior, dims: tuple[int, ...]) -> None:
    """Widen axes to three posterior standard deviations, beside which collapsed codes are a dot.

    Parameters
    ----------
    ax : Axes
        The Axes. Limits that are fixed already stay.
    posterior : Posterior
        Posteriors of the samples.
    dims : tuple of int
        The two dimensions of the axes.
    """
    if posterior.std is not None and not has_limits(ax):
        for mean, std in zip(iterate_rows(posterior.mean), iterate_rows(posterior.std)):
            center, reach = mean[:, dims], 3 * std[:, dims]
            ax.update_datalim([(center - reach).min(axis=0), (center + reach).max(axis=0)])
        ax.autoscale_view()


def has_limits(ax: Axes) -> bool:
    """Return True if the limits of an Axes are fixed and do not follow what is drawn.

    Parameters
    ----------
    ax : Axes
        The Axes.

    Returns
    -------
    bool
        Whether autoscaling is off in either direction.
    """
    return not (ax.get_autoscalex_on() and ax.get_autoscaley_on())


def _obey_limits(ax: Axes) -> None:
    """Let the box of an Axes change its shape, and not its limits, once a person has set them."""
    if has_limits(ax):
        ax.set_adjustable("box")


def draw_prior_contours(ax: Axes, radii: Sequence[int] = (1, 2, 3)) -> None:
    """Draw circles at multiples of the standard deviation of the prior N(0, I).

    Parameters
    ----------
    ax : Axes
        Where to draw; its limits do not change.
    radii : sequence of int
        Radii in standard deviations. Circles at 1, 2 and 3 hold 39, 86 and 99 % of the mass in two dimensions.
    """
    from matplotlib.patheffects import withStroke

    angle = np.linspace(0, 2 * np.pi, 181)
    label = f"prior {', '.join(map(str, radii))}$\\,\\sigma$"
    for radius in radii:
        ax.plot(
            radius * np.cos(angle),
            radius * np.sin(angle),
            color="0.4",
            lw=0.6,
            ls=DASHES,
            zorder=2.5,
            path_effects=[withStroke(linewidth=1.2, foreground="white")],  # visible on dense points
            scalex=False,
            scaley=False,
            label=label if radius == radii[0] else "_nolegend_",
        )
