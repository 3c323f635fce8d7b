"""Names, aspect and prior contours of latent axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = (0, (4, 3))  # of reference lines, such as the prior
MAX_UPRIGHT_NAMES = 12  # more dimension names than this would meet side by side


def dimension_label(dim: int) -> str:
    """Return the axis label of a latent dimension.

    Parameters
    ----------
    dim : int
        Latent dimension, counted from 0.

    Returns
    -------
    str
        Mathtext that counts from 1.

    Examples
    --------
    >>> dimension_label(0)
    '$z_{1}$'
    """
    return f"$z_{{{dim + 1}}}$"


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


def draw_prior_contours(ax: Axes, radii: Sequence[int] = (1, 2, 3)) -> None:
    """Draw circles at multiples of the standard deviation of the prior N(0, I).

    Parameters
    ----------
    ax : Axes
        Where to draw; its limits do not change.
    radii : sequence of int
        Radii in standard deviations. Circles at 1, 2 and 3 hold 39, 86 and 99 % of the mass in two dimensions.
    """
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
            scalex=False,
            scaley=False,
            label=label if radius == radii[0] else "_nolegend_",
        )
