"""Grids of points in the plane: dots in data units, joined where they form a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from vaeviz.drawing.latent_axes import equal_aspect

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Connect = Literal["rows", "pairs", "both"]
"""What belongs together in a grid: the samples of a row, a sample and the one below it, or neighbors either way."""
ASPECT = 0.62  # height / width of the Axes


def draw_dots(
    ax: Axes,
    points: np.ndarray,
    *,
    connect: Connect | None,
    row_labels: Sequence[str] = (),
    data_columns: Sequence[int] = (),
    names: Sequence[str] = (),
    data: np.ndarray | None = None,
) -> None:
    """Points (rows, columns, 2); those that `connect` says are joined by lines; rows of another name differ in color.

    The columns that were `data_columns`, not decoded, are hollow and stand apart from the path. names: of the coordinates.
    data: (M, 2) points in the background.
    """
    if data is not None:
        ax.plot(*data.T, ls="", marker="o", mew=0, ms=2, color="0.75", zorder=0, label="data")
    decoded = np.delete(points, data_columns, axis=1)
    strides = {"pairs": 2, "both": len(decoded)}
    for first in range(0, len(decoded), strides[connect]) if connect in strides else ():
        joined = decoded[first : first + strides[connect]]
        ax.plot(joined[..., 0], joined[..., 1], color="0.7", lw=0.7, zorder=1)
    if connect in ("rows", "both"):
        ax.plot(decoded[..., 0].T, decoded[..., 1].T, color="0.7", lw=0.7, zorder=1)
    kinds_of_row = list(dict.fromkeys(row_labels))
    for row, dots in enumerate(decoded):
        label = row_labels[row] if row_labels else None
        color = f"C{kinds_of_row.index(label) % 10}" if label else "C0"
        seen = label in row_labels[:row]
        ax.plot(*dots.T, ls="", marker="o", mew=0, ms=3, color=color, label="_nolegend_" if seen else label)
    if len(data_columns):
        ends = points[:, list(data_columns)].reshape(-1, 2)
        ax.plot(*ends.T, ls="", marker="o", mfc="none", mec="C1", ms=4, label="$x, x'$")
    if row_labels or len(data_columns) or data is not None:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    across, up = names or ("$x_1$", "$x_2$")
    ax.set(xlabel=across, ylabel=up)
    equal_aspect(ax)
    ax.set_box_aspect(ASPECT)
