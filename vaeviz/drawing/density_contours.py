"""A density in the plane, with the regions that hold its mass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MASSES = (0.3935, 0.8647, 0.9889)
"""What a Gaussian in the plane holds within 1, 2 and 3 standard deviations."""


def draw_density_contours(ax: Axes, across: np.ndarray, up: np.ndarray, density: np.ndarray, *, label: str) -> None:
    """A density (rows, columns) over even nodes as shades, and lines around the smallest regions of `MASSES`."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("density", ["white", "#3f90da", "#123a6b"])
    step = across[1] - across[0]
    extent = (across[0] - step / 2, across[-1] + step / 2, up[0] - step / 2, up[-1] + step / 2)
    ax.imshow(density, cmap=shades, vmin=0, vmax=density.max(), extent=extent, origin="lower", interpolation="bilinear")
    levels = np.unique([mass_level(density, mass) for mass in MASSES])
    ax.contour(across, up, density, levels=levels, colors="#bd1f01", linewidths=0.8)
    ax.plot([], [], color="#bd1f01", lw=0.8, label=label)


def mass_level(density: np.ndarray, mass: float) -> float:
    """The density at the edge of the smallest region that holds such a share of the mass on the grid."""
    ordered = np.sort(density.ravel())[::-1]
    held = np.cumsum(ordered)
    return float(ordered[np.searchsorted(held, mass * held[-1])])
