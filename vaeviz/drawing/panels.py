"""The same grid of samples under several conditions: panels in one Axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.cells import cells_aspect, draw_cells
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.drawing.text_fit import axes_height, axes_width, font_size, max_letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COLUMNS = 3
GAP = 0.11  # between panels, of their width
ROOM = 0.1  # of a panel's side, at each end, that is kept free of ticks
TITLE = 1.9  # room for a name above its panel, in heights of its letters
A_NAME = 0.15  # the same before the figure is there, in widths of a panel


def draw_panels(ax: Axes, grids: np.ndarray, names: Sequence[str], look: SampleStyle, **drawn_with: Any) -> list[Axes]:
    """Draw grids (C, rows, columns, *sample), each under its name, and return the Axes that they are in.

    Without names there is one grid, in `ax` itself; else `ax` becomes the frame of a panel for each, all on one scale,
    with labels at the left and at the bottom alone. The rest is as of `draw_cells`.
    """
    if not names:
        draw_cells(ax, grids[0], look, **drawn_with)
        return [ax]
    aspect = cells_aspect(grids[0], look, drawn_with.get("connect"), on_latent_axes="x_axis" in drawn_with)
    columns, panels = n_panel_columns(len(names)), _panels_in(ax, len(names), aspect)
    look = replace(look, value_range=look.range_for(look.scaled(grids, n_leading_axes=3), grids.shape[3:]))
    for place, (panel, grid, name) in enumerate(zip(panels, grids, names)):
        kind = draw_cells(panel, grid, look, **drawn_with, show_legend=place == columns - 1, all_cells=grids)
        panel.set_title(name)
        if kind == "point":
            panel.locator_params(nbins=4, prune="both")
        elif "x_axis" in drawn_with:
            _keep_few_ticks(panel)
    name = drawn_with["x_axis"].name if "x_axis" in drawn_with else ""
    if kind != "point":
        _tell_once(ax, panels, name)
    _keep_outer(panels)
    return panels


def panels_aspect(
    grids: np.ndarray, names: Sequence[str], look: SampleStyle, connect: Any = None, *, on_latent_axes: bool = False
) -> float:
    """Height / width of what `draw_panels` draws, with some room for the names."""
    aspect = cells_aspect(grids[0], look, connect, on_latent_axes=on_latent_axes)
    columns = n_panel_columns(len(names))
    return (aspect + A_NAME) * math.ceil(len(names) / columns) / columns if names else aspect


def n_panel_columns(count: int) -> int:
    """How many panels stand side by side: up to three, and four as two by two."""
    return 2 if count == 4 else max(1, min(count, MOST_COLUMNS))


def _panels_in(ax: Axes, count: int, aspect: float) -> list[Axes]:
    """`count` inset Axes of that height / width, in rows; the Axes itself shows nothing but its title."""
    columns = n_panel_columns(count)
    rows = math.ceil(count / columns)
    width = columns + GAP * (columns - 1)
    points = TITLE * font_size("axes.titlesize")
    side = min(axes_width(ax) / width, max(axes_height(ax) / rows - points, points) / aspect)  # of a panel, at most
    name = points / side
    height = rows * (name + aspect)
    ax.set_axis_off()
    ax.set_box_aspect(height / width)
    corners = (
        ((place % columns) * (1 + GAP) / width, 1 - (place // columns + 1) * (name + aspect) / height)
        for place in range(count)
    )
    return [ax.inset_axes((left, low, 1 / width, aspect / height)) for left, low in corners]


def _keep_few_ticks(panel: Axes) -> None:
    """Some three of the ticks of each latent axis, evenly about the middle one, and none near a neighbor's."""
    to_axes = panel.transData - panel.transAxes
    for side, axis in enumerate((panel.xaxis, panel.yaxis)):
        ticks = axis.get_majorticklocs()
        along = to_axes.transform(np.stack([ticks, ticks], axis=1))[:, side]
        ticks = ticks[(along > ROOM) & (along < 1 - ROOM)]
        step, middle = math.ceil(len(ticks) / 3), (len(ticks) - 1) // 2
        axis.set_ticks([tick for place, tick in enumerate(ticks) if (place - middle) % max(step, 1) == 0])


def _tell_once(frame: Axes, panels: list[Axes], name: str) -> None:
    """What is to be known to read a cell, which all tell beside the `name` of their axis, once under all of them."""
    told = panels[0].get_xlabel().removeprefix(name).split()
    text = "\n".join(wrap(" ".join(told), max_letters(frame)))
    lowest = panels[(len(panels) - 1) // n_panel_columns(len(panels)) * n_panel_columns(len(panels))]
    for panel in panels:
        panel.set_xlabel(name)
    if name and told:
        lowest.annotate(text, (0, -0.2), xycoords=("axes fraction", lowest.xaxis.label), va="top")
    elif told:
        lowest.set_xlabel(text, loc="left")


def _keep_outer(panels: list[Axes]) -> None:
    """Give panels the same limits, and leave labels to those at the left and at the bottom of their columns."""
    everything = np.concatenate([panel.dataLim.get_points() for panel in panels])
    columns = n_panel_columns(len(panels))
    for place, panel in enumerate(panels):
        if panel.get_autoscale_on():  # a grid on its axes has its limits
            panel.update_datalim(everything)
            panel.autoscale_view()
        if place % columns:
            panel.set_ylabel("")
            panel.tick_params(axis="y", which="both", labelleft=False, length=0)
        if place + columns < len(panels):
            panel.set_xlabel("")
            panel.tick_params(axis="x", labelbottom=False, length=0)
        if panel.get_legend() is not None and place != columns - 1:
            panel.get_legend().remove()
