"""Gaussians in the plane as the ellipses that hold a share of their mass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colors import MISSING_COLOR, LabelColors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_ellipses(ax: Axes, centers: np.ndarray, radii: np.ndarray, colors: LabelColors, *, alpha: float) -> None:
    """Ellipses at `centers` (N, 2) with semi-axes `radii` (N, 2) in data units, filled; their centers are dots."""
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import to_rgba

    palette = np.array([to_rgba(color) for color in (*colors.colors, MISSING_COLOR)])
    face = palette[colors.index]  # −1, a missing label, is the last
    ellipses = EllipseCollection(
        *2 * radii.T,
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
    ax.scatter(*centers.T, s=3, c=face, linewidths=0, zorder=3)
    ax.update_datalim(np.concatenate([centers - radii, centers + radii]))
    ax.autoscale_view()


def mass_within(radius: float) -> float:
    """The mass of a Gaussian in the plane within `radius` standard deviations: 1 − exp(−r²/2), 39.35 % for 1."""
    return 1 - float(np.exp(-(radius**2) / 2))
