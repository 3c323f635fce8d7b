"""Grids of points in the plane: dots in data units, joined where they form a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Connect = Literal["rows", "columns", "both"]
ASPECT = 0.62  # height / width of the Axes


def draw_dots(
    ax: Axes,
    points: np.ndarray,
    *,
    connect: Connect | None,
    row_labels: Sequence[str] = (),
    given: Sequence[int] = (),
) -> None:
    """Points (rows, columns, 2); `connect` joins those of a row, a column, or both; named rows differ in colour.

    The columns that were `given`, not decoded, are hollow and stand apart from the path.
    """
    decoded = np.delete(points, given, axis=1)
    if connect in ("columns", "both"):
        ax.plot(decoded[..., 0], decoded[..., 1], color="0.7", lw=0.7, zorder=1)
    if connect in ("rows", "both"):
        ax.plot(decoded[..., 0].T, decoded[..., 1].T, color="0.7", lw=0.7, zorder=1)
    for row, dots in enumerate(decoded):
        label = row_labels[row] if row_labels else None
        ax.plot(*dots.T, ls="", marker="o", mew=0, ms=3, color=f"C{row % 10}" if label else "C0", label=label)
    if len(given):
        ends = points[:, list(given)].reshape(-1, 2)
        ax.plot(*ends.T, ls="", marker="o", mfc="none", mec="C1", ms=4, label="$x, x'$")
    if row_labels or len(given):
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_box_aspect(ASPECT)
