"""What every picture of a latent plane agrees on: names of axes, equal aspect, prior contours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def name_dim(dim: int) -> str:
    """The name of a latent dimension on an axis, counted from 1: ``$z_1$``."""
    return f"$z_{{{dim + 1}}}$"


def equal_aspect(ax: Axes) -> None:
    """One unit is as long across as up, by widening the limits. Axes that already hold a grid are left alone."""
    if not ax.images and not ax.collections:
        ax.set_aspect("equal", adjustable="datalim")


def draw_prior_contours(ax: Axes, centre: tuple[float, float] = (0.0, 0.0)) -> None:
    """Circles at 1, 2 and 3 σ of the prior N(0, I); in two dimensions they hold 39, 86 and 99 % of its mass."""
    angle = np.linspace(0, 2 * np.pi, 181)
    for radius in (1, 2, 3):
        ax.plot(
            centre[0] + radius * np.cos(angle),
            centre[1] + radius * np.sin(angle),
            color="0.4",
            lw=0.6,
            ls=(0, (4, 3)),
            zorder=2.5,
            scalex=False,
            scaley=False,
            label=r"prior 1, 2, 3$\,\sigma$" if radius == 1 else "_nolegend_",
        )
