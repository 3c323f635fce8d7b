"""Grids of signals: a line in each cell, or one for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colors import MAX_DIRECT_LEGEND, class_colors
from vaeviz.drawing.grid_axis import GridAxis, node_positions, scale_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSET = 0.44  # half of the height and width that a line takes of its cell
ASPECT = 0.6  # height / width of a cell


def draw_signals(
    ax: Axes,
    signals: np.ndarray,
    *,
    low: float,
    high: float,
    names: Sequence[str] = (),
    x_axis: GridAxis | None = None,
    y_axis: GridAxis | None = None,
    legend: bool = True,
) -> None:
    """Signals (rows, columns, L, C), all between the same `low` at the foot of a cell and `high` at its top.

    Channels are lines of their own colors, told by their `names`, or counted from 1, in a
    legend if there is to be one.
    """
    from matplotlib.collections import LineCollection

    rows, columns, length, channels = signals.shape
    along = np.linspace(-INSET, INSET, length)
    height = ((signals - low) / (high - low) * 2 - 1) * INSET
    for channel, color in enumerate(class_colors(channels, None)):
        lines = [
            np.column_stack(
                [
                    node_positions(x_axis, column + along),
                    node_positions(y_axis, rows - 1 - row + height[row, column, :, channel]),
                ]
            )
            for row in range(rows)
            for column in range(columns)
        ]
        label = names[channel] if names else f"channel {channel + 1}"
        ax.add_collection(
            LineCollection(lines, colors=[color], linewidths=min(1.0, 8 / max(rows, columns)), label=label)
        )
    scale_axes(ax, x_axis, y_axis)
    for edge in np.arange(columns + 1) - 0.5:
        ax.axvline(node_positions(x_axis, edge), color="0.85", lw=0.5, zorder=0)
    for edge in np.arange(rows + 1) - 0.5:
        ax.axhline(node_positions(y_axis, edge), color="0.85", lw=0.5, zorder=0)
    ax.set_xlim(node_positions(x_axis, np.array([-0.5, columns - 0.5])))
    ax.set_ylim(node_positions(y_axis, np.array([-0.5, rows - 0.5])))
    ax.set_box_aspect(ASPECT * rows / columns)
    if legend and 1 < channels <= MAX_DIRECT_LEGEND:
        lines = ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=1.2)
        for line in lines.legend_handles:
            line.set_linewidth(1.5)
