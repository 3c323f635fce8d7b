"""The same grid of samples under several conditions: panels in one Axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.drawing.text_fit import axes_height, axes_width, drawable_text, font_size, max_label_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PANEL_COLUMNS = 3
PANEL_GAP = 0.11  # of a panel's width
TICK_MARGIN = 0.1  # of a panel's side, kept free of ticks at both ends so that those of neighbors do not meet
TITLE_HEIGHT = 1.9  # of a panel's title with its padding / size of its letters
TITLE_ASPECT = 0.15  # height of a panel's title / width of a panel, before the figure exists


def draw_panels(
    ax: Axes, grids: np.ndarray, names: Sequence[str], style: SampleStyle, layout: GridLayout | None = None
) -> list[Axes]:
    """Draw grids of samples in panels with a shared scale, each below its name.

    Without names the one grid is drawn in `ax` itself. Otherwise `ax` becomes the frame of the panels, which are inset
    Axes; only those at the left and at the bottom have labels.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    grids : ndarray, shape (C, rows, columns, *sample)
        One grid of samples per panel.
    names : sequence of str
        Titles of the panels, or empty.
    style : SampleStyle
        Kind, scale, colors and names of the samples.
    layout : GridLayout, optional
        Labels, connections and latent axes of every grid; by default none.

    Returns
    -------
    list of Axes
        The Axes that hold the grids.
    """
    layout = layout or GridLayout()
    if not names:
        draw_cells(ax, grids[0], style, layout)
        return [ax]
    n_columns = n_panel_columns(len(names))
    panels = _add_panels(ax, len(names), cells_aspect(grids[0], style, layout))
    limits = style.range_for(style.scaled(grids, n_leading_axes=3), grids.shape[3:])
    style = replace(style, value_range=limits)
    kind = style.kind_of(grids.shape[3:])
    for index, (panel, grid, name) in enumerate(zip(panels, grids, names)):
        draw_cells(panel, grid, style, layout, show_legend=index == n_columns - 1, all_cells=grids)
        panel.set_title(drawable_text(name))
        if kind == "point":
            panel.locator_params(nbins=4, prune="both")
        elif layout.x_axis is not None:
            _thin_out_ticks(panel)
    if kind != "point":
        _share_hint(ax, panels, layout.x_axis.name if layout.x_axis is not None else "")
    _label_outer_panels(panels)
    return panels


def panels_aspect(
    grids: np.ndarray, names: Sequence[str], style: SampleStyle, layout: GridLayout | None = None
) -> float:
    """Return the height / width of panels as `draw_panels` draws them.

    Parameters
    ----------
    grids : ndarray, shape (C, rows, columns, *sample)
        One grid of samples per panel.
    names : sequence of str
        Titles of the panels, or empty.
    style : SampleStyle
        Kind of the samples.
    layout : GridLayout, optional
        Connections and latent axes; by default none.

    Returns
    -------
    float
        Height / width, with space for the titles.
    """
    aspect = cells_aspect(grids[0], style, layout)
    n_columns = n_panel_columns(len(names))
    return (aspect + TITLE_ASPECT) * math.ceil(len(names) / n_columns) / n_columns if names else aspect


def n_panel_columns(n_panels: int) -> int:
    """Return how many panels form a row: up to three, and two for four panels.

    Parameters
    ----------
    n_panels : int
        Number of panels.

    Returns
    -------
    int
        Number of columns.
    """
    return 2 if n_panels == 4 else max(1, min(n_panels, MAX_PANEL_COLUMNS))


def _add_panels(ax: Axes, n_panels: int, aspect: float) -> list[Axes]:
    """Add inset Axes of a height / width in rows, and hide everything of `ax` but its title."""
    n_columns = n_panel_columns(n_panels)
    n_rows = math.ceil(n_panels / n_columns)
    width = n_columns + PANEL_GAP * (n_columns - 1)  # in panels, as are all lengths below
    title_points = TITLE_HEIGHT * font_size("axes.titlesize")
    panel_points = min(axes_width(ax) / width, max(axes_height(ax) / n_rows - title_points, title_points) / aspect)
    title = title_points / panel_points
    height = n_rows * (title + aspect)
    ax.set_axis_off()
    ax.set_box_aspect(height / width)
    panels = []
    for index in range(n_panels):
        row, column = divmod(index, n_columns)
        left, bottom = column * (1 + PANEL_GAP), height - (row + 1) * (title + aspect)
        panels.append(ax.inset_axes((left / width, bottom / height, 1 / width, aspect / height)))
    return panels


def _thin_out_ticks(panel: Axes) -> None:
    """Keep about three ticks of each latent axis, evenly around the middle one and away from the ends."""
    to_axes = panel.transData - panel.transAxes
    for side, axis in enumerate((panel.xaxis, panel.yaxis)):
        ticks = np.asarray(axis.get_majorticklocs())
        position = to_axes.transform(np.stack([ticks, ticks], axis=1))[:, side]
        ticks = ticks[(position > TICK_MARGIN) & (position < 1 - TICK_MARGIN)]
        step, middle = math.ceil(len(ticks) / 3), (len(ticks) - 1) // 2
        axis.set_ticks([tick for index, tick in enumerate(ticks) if (index - middle) % max(step, 1) == 0])


def _share_hint(frame: Axes, panels: list[Axes], axis_name: str) -> None:
    """Move the hint how to read a cell, which every panel has after the name of its axis, below all panels."""
    hint = " ".join(panels[0].get_xlabel().removeprefix(axis_name).split())
    text = "\n".join(wrap(hint, max_label_length(frame)))
    n_columns = n_panel_columns(len(panels))
    bottom_left = panels[(len(panels) - 1) // n_columns * n_columns]
    for panel in panels:
        panel.set_xlabel(axis_name)
    if axis_name and hint:
        bottom_left.annotate(text, (0, -0.2), xycoords=("axes fraction", bottom_left.xaxis.label), va="top")
    elif hint:
        bottom_left.set_xlabel(text, loc="left")


def _label_outer_panels(panels: list[Axes]) -> None:
    """Give panels the same limits, and keep labels of those at the left and at the bottom of their columns."""
    corners = np.concatenate([panel.dataLim.get_points() for panel in panels])
    n_columns = n_panel_columns(len(panels))
    for index, panel in enumerate(panels):
        if panel.get_autoscale_on():  # off for grids, which set their limits
            panel.update_datalim(corners)
            panel.autoscale_view()
        if index % n_columns:
            panel.set_ylabel("")
            panel.tick_params(axis="y", which="both", labelleft=False, length=0)
        if index + n_columns < len(panels):
            panel.set_xlabel("")
            panel.tick_params(axis="x", labelbottom=False, length=0)
        legend = panel.get_legend()
        if legend is not None and index != n_columns - 1:
            legend.remove()
