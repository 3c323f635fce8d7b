"""Grids of signals: a line in each cell, or one for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, class_colors
from vaeviz.drawing.grid_axis import scale_axes, to_axis_units
from vaeviz.drawing.grid_layout import GridLayout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_LINE_EXTENT = 0.44  # of a cell, which a line fills up to this distance from its center
SIGNAL_ASPECT = 0.6  # height / width of a cell


def draw_signals(
    ax: Axes,
    signals: np.ndarray,
    limits: tuple[float, float],
    layout: GridLayout,
    *,
    names: Sequence[str] = (),
    show_legend: bool = True,
) -> None:
    """Draw each signal as lines in its cell, one line and color per channel.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    signals : ndarray, shape (rows, columns, L, C)
        Signals of length L with C channels.
    limits : tuple of float
        Values at the bottom and the top of every cell.
    layout : GridLayout
        Latent axes of the grid.
    names : sequence of str
        Names of the channels; by default they are counted from 1.
    show_legend : bool
        Add a legend where there are 2 to 10 channels.
    """
    from matplotlib.collections import LineCollection

    n_rows, n_columns, length, n_channels = signals.shape
    x_axis, y_axis = layout.x_axis, layout.y_axis
    time = np.linspace(-HALF_LINE_EXTENT, HALF_LINE_EXTENT, length)
    low, high = limits
    height = ((signals - low) / (high - low) * 2 - 1) * HALF_LINE_EXTENT
    width = min(1.0, 8 / max(n_rows, n_columns))
    for channel, color in enumerate(class_colors(n_channels, None)):
        lines = [
            np.column_stack(
                [
                    to_axis_units(x_axis, column + time),
                    to_axis_units(y_axis, n_rows - 1 - row + height[row, column, :, channel]),
                ]
            )
            for row in range(n_rows)
            for column in range(n_columns)
        ]
        label = names[channel] if names else f"channel {channel + 1}"
        ax.add_collection(LineCollection(lines, colors=[color], linewidths=width, label=label))
    _draw_cell_edges(ax, n_rows, n_columns, layout)
    if show_legend and 1 < n_channels <= MAX_LEGEND_CLASSES:
        legend = ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, handlelength=1.2)
        for line in legend.get_lines():
            line.set_linewidth(1.5)


def _draw_cell_edges(ax: Axes, n_rows: int, n_columns: int, layout: GridLayout) -> None:
    """Draw lines between the cells, and fit the Axes to them."""
    scale_axes(ax, layout.x_axis, layout.y_axis)
    x_edges = to_axis_units(layout.x_axis, np.arange(n_columns + 1) - 0.5)
    y_edges = to_axis_units(layout.y_axis, np.arange(n_rows + 1) - 0.5)
    for edge in x_edges:
        ax.axvline(edge, color="0.85", lw=0.5, zorder=0)
    for edge in y_edges:
        ax.axhline(edge, color="0.85", lw=0.5, zorder=0)
    ax.set(xlim=(x_edges[0], x_edges[-1]), ylim=(y_edges[0], y_edges[-1]))
    ax.set_box_aspect(SIGNAL_ASPECT * n_rows / n_columns)
