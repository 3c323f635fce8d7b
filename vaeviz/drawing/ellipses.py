"""Gaussians in the plane as ellipses that hold a share of their mass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colors import MISSING_COLOR, LabelColors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


DOT_DIAMETER = 3**0.5  # points, of the dots at the centers


def draw_ellipses(ax: Axes, centers: np.ndarray, radii: np.ndarray, colors: LabelColors, *, alpha: float) -> None:
    """Draw filled ellipses with dots at their centers.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    centers : ndarray, shape (N, 2)
        Centers in data units.
    radii : ndarray, shape (N, 2)
        Semi-axes in data units.
    colors : LabelColors
        Colors of the ellipses; missing labels are gray.
    alpha : float
        Opacity of the fill. Edges are three times as opaque.
    """
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import to_rgba

    palette = np.array([to_rgba(color) for color in (*colors.colors, MISSING_COLOR)])
    face = palette[colors.index]  # −1, a missing label, selects the last color
    ellipses = EllipseCollection(
        2 * radii[:, 0],
        2 * radii[:, 1],
        np.zeros(len(radii)),
        units="xy",
        offsets=centers,
        offset_transform=ax.transData,
        facecolors=np.column_stack([face[:, :3], np.full(len(face), alpha)]),
        edgecolors=np.column_stack([face[:, :3], np.full(len(face), min(1, 3 * alpha))]),
        linewidths=0.4,
        zorder=2,
    )
    ax.add_collection(ellipses, autolim=False)
    ax.scatter(centers[:, 0], centers[:, 1], s=DOT_DIAMETER**2, c=face, linewidths=0, zorder=3)
    ax.update_datalim(np.concatenate([centers - radii, centers + radii]))
    ax.autoscale_view()


def mass_within(radius: float) -> float:
    """Return the mass of a Gaussian in the plane within a number of standard deviations.

    Parameters
    ----------
    radius : float
        Radius r in standard deviations.

    Returns
    -------
    float
        1 − exp(−r²/2).

    Examples
    --------
    >>> round(mass_within(1), 4)
    0.3935
    """
    return 1 - math.exp(-(radius**2) / 2)
