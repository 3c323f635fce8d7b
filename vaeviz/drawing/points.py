"""Clouds of points, readable and quick at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colours import MISSING, Colouring
from vaeviz.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RASTER_ABOVE = 20_000
"""Above so many points the marks are an image inside vector files, unless `rasterized` says otherwise."""

ROUNDS = 16  # the points are dealt into this many rounds, and in each every class is drawn once


def draw_points(
    ax: Axes,
    points: np.ndarray,
    colours: Colouring,
    *,
    size: float | None = None,
    opacity: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict | None = None,
    seed: int = 0,
) -> None:
    """Marks at `points` (N, 2), in an order that lets no class hide another; missing labels underneath.

    size: diameter in points; opacity: 0 to 1; both follow N unless given. One Line2D a class and round,
    several times quicker than a scatter of as many colours.
    """
    total = len(points)
    look = {
        "ls": "",
        "marker": "o",
        "mew": 0,
        "ms": marker_size(total) * _scale_of_style() if size is None else size,
        "alpha": marker_opacity(total) if opacity is None else opacity,
        "rasterized": total > RASTER_ABOVE if rasterized is None else rasterized,
    } | _checked(marker_kws or {})
    unlabelled = colours.index < 0
    if unlabelled.any():
        ax.plot(*points[unlabelled].T, **look | {"color": MISSING, "zorder": 1.5})
    rng = np.random.default_rng(seed)
    for rows in np.array_split(rng.permutation(np.flatnonzero(~unlabelled)), ROUNDS):
        present = np.unique(colours.index[rows])
        for code in rng.permutation(present):
            mine = rows[colours.index[rows] == code]
            ax.plot(*points[mine].T, **{"color": colours.colours[code]} | look)


def _checked(marker_kws: dict) -> dict:
    from matplotlib.lines import Line2D

    try:
        Line2D([], [], **marker_kws)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"marker_kws: {error}") from None
    return marker_kws


def _scale_of_style() -> float:
    """How much larger marks are in the style in force than by default."""
    import matplotlib

    return matplotlib.rcParams["lines.markersize"] / matplotlib.rcParamsDefault["lines.markersize"]


def marker_size(total: int) -> float:
    """Diameter in points: 4.5 for a handful, 1.5 for ten thousand, never under 0.8."""
    return float(np.clip(11.5 * max(total, 1) ** -0.22, 0.8, 4.5))


def marker_opacity(total: int) -> float:
    """Nearly opaque for a thousand points, two thirds for ten thousand, never under 0.3."""
    return float(np.clip(1.9 * max(total, 1) ** -0.11, 0.3, 0.95))
