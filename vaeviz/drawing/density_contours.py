"""A density in the plane, with the regions that hold its mass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MASSES = (0.3935, 0.8647, 0.9889)  # of a Gaussian in the plane within 1, 2 and 3 standard deviations
DENSITY_COLORS = ["white", "#3f90da", "#123a6b"]
CONTOUR_COLOR = "#bd1f01"


def draw_density_contours(ax: Axes, x: np.ndarray, y: np.ndarray, density: np.ndarray, *, label: str) -> None:
    """Draw a density as shades, with contours around the smallest regions that hold its mass.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : ndarray, shapes (W,) and (H,)
        Evenly spaced coordinates of the columns and the rows.
    density : ndarray, shape (H, W)
        Density at each node.
    label : str
        Name of the contours in a legend. They hold the shares `MASSES`.
    """
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("density", DENSITY_COLORS)
    half = (x[1] - x[0]) / 2
    extent = (x[0] - half, x[-1] + half, y[0] - half, y[-1] + half)
    ax.imshow(density, cmap=shades, vmin=0, vmax=density.max(), extent=extent, origin="lower", interpolation="bilinear")
    levels = np.unique([mass_level(density, mass) for mass in MASSES])
    ax.contour(x, y, density, levels=levels, colors=CONTOUR_COLOR, linewidths=0.8)
    ax.plot([], [], color=CONTOUR_COLOR, lw=0.8, label=label)


def mass_level(density: np.ndarray, mass: float) -> float:
    """Return the density at the edge of the smallest region that holds a share of the mass.

    Parameters
    ----------
    density : ndarray
        Density on an evenly spaced grid.
    mass : float
        Share of the mass on the grid, in [0, 1].

    Returns
    -------
    float
        The density at the edge.
    """
    descending = np.sort(density.ravel())[::-1]
    cumulative = np.cumsum(descending)
    return float(descending[np.searchsorted(cumulative, mass * cumulative[-1])])
