"""Gaussians in the plane as the ellipses that hold a share of their mass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colours import MISSING, Colouring

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_ellipses(ax: Axes, centres: np.ndarray, radii: np.ndarray, colours: Colouring, *, opacity: float) -> None:
    """Ellipses at `centres` (N, 2) with semi-axes `radii` (N, 2) in data units, filled; their centres are dots."""
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import to_rgba

    palette = np.array([to_rgba(colour) for colour in (*colours.colours, MISSING)])
    face = palette[colours.index]  # −1, a missing label, is the last
    ellipses = EllipseCollection(
        *2 * radii.T,
        np.zeros(len(radii)),
        units="xy",
        offsets=centres,
        offset_transform=ax.transData,
        facecolors=np.column_stack([face[:, :3], np.full(len(face), opacity)]),
        edgecolors=np.column_stack([face[:, :3], np.full(len(face), min(1, 3 * opacity))]),
        linewidths=0.4,
        zorder=2,
    )
    ax.add_collection(ellipses, autolim=False)
    ax.scatter(*centres.T, s=3, c=face, linewidths=0, zorder=3)
    ax.update_datalim(np.concatenate([centres - radii, centres + radii]))
    ax.autoscale_view()


def mass_within(radius: float) -> float:
    """The mass of a Gaussian in the plane within `radius` standard deviations: 1 − exp(−r²/2), 39.35 % for 1."""
    return 1 - float(np.exp(-(radius**2) / 2))
