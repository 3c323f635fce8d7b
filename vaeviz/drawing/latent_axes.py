"""What every picture of a latent plane agrees on: names of axes, equal aspect, prior contours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def dimension_label(dim: int) -> str:
    """The name of a latent dimension on an axis, counted from 1: ``$z_1$``."""
    return f"$z_{{{dim + 1}}}$"


def equal_aspect(ax: Axes) -> None:
    """One unit is as long across as up, by widening the limits; of Axes that share both, by the shape of the box.

    Axes whose limits are set, a grid's say, keep them.
    """
    if not has_limits(ax):
        shared = (ax.get_shared_x_axes(), ax.get_shared_y_axes())
        both = all(len(group.get_siblings(ax)) > 1 for group in shared)
        ax.set_aspect("equal", adjustable="box" if both else "datalim")


def has_limits(ax: Axes) -> bool:
    """Whether the limits of the Axes are set, and do not follow what is drawn."""
    return not (ax.get_autoscalex_on() and ax.get_autoscaley_on())


def draw_prior_contours(ax: Axes, radii: Sequence[int] = (1, 2, 3)) -> None:
    """Circles at 1, 2 and 3 σ of the prior N(0, I); in two dimensions they hold 39, 86 and 99 % of its mass."""
    angle = np.linspace(0, 2 * np.pi, 181)
    named = f"prior {', '.join(map(str, radii))}$\\,\\sigma$"
    for radius in radii:
        ax.plot(
            radius * np.cos(angle),
            radius * np.sin(angle),
            color="0.4",
            lw=0.6,
            ls=(0, (4, 3)),
            zorder=2.5,
            scalex=False,
            scaley=False,
            label=named if radius == radii[0] else "_nolegend_",
        )
