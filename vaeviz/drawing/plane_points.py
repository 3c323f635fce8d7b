"""Grids of points in the plane: dots in data units, joined where they form a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import equal_aspect

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLANE_ASPECT = 0.62  # height / width of the Axes


def draw_plane_points(
    ax: Axes,
    points: np.ndarray,
    layout: GridLayout,
    *,
    names: Sequence[str] = (),
    background: np.ndarray | None = None,
) -> None:
    """Draw a grid of points as dots, joined by lines as the layout says.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : ndarray, shape (rows, columns, 2)
        Points in data units.
    layout : GridLayout
        Rows with different labels have different colors. Points in data columns are hollow.
    names : sequence of str
        Names of both coordinates; by default x_1 and x_2.
    background : ndarray, shape (M, 2), optional
        Data points that are drawn in gray underneath.
    """
    row_labels, connect = layout.row_labels, layout.connect
    has_ends = len(layout.data_columns) > 0
    if background is not None:
        ax.plot(*background.T, ls="", marker="o", mew=0, ms=2, color="0.75", zorder=0, label="data")
    decoded = np.delete(points, layout.data_columns, axis=1)
    if connect in ("pairs", "both"):
        n_joined = 2 if connect == "pairs" else len(decoded)
        for first in range(0, len(decoded), n_joined):
            joined = decoded[first : first + n_joined]
            ax.plot(joined[..., 0], joined[..., 1], color="0.7", lw=0.7, zorder=1)
    if connect in ("rows", "both"):
        ax.plot(decoded[..., 0].T, decoded[..., 1].T, color="0.7", lw=0.7, zorder=1)
    distinct_labels = list(dict.fromkeys(row_labels))
    for row, dots in enumerate(decoded):
        label = row_labels[row] if row_labels else ""
        color = f"C{distinct_labels.index(label) % 10}" if label else "C0"
        is_named = not label or label in row_labels[:row]
        ax.plot(*dots.T, ls="", marker="o", mew=0, ms=3, color=color, label="_nolegend_" if is_named else label)
    if has_ends:
        ends = points[:, list(layout.data_columns)].reshape(-1, 2)
        ax.plot(*ends.T, ls="", marker="o", mfc="none", mec="C1", ms=4, label="$x, x'$")
    if row_labels or has_ends or background is not None:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    x_name, y_name = names or ("$x_1$", "$x_2$")
    ax.set(xlabel=x_name, ylabel=y_name)
    equal_aspect(ax)
    ax.set_box_aspect(PLANE_ASPECT)
