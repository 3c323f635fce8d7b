"""The same grid of samples under several conditions: panels in one Axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.cells import cells_aspect, draw_bar, draw_cells, shared_range
from vaeviz.kinds import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COLUMNS = 3
GAP = 0.11  # between panels, of their width
TITLE = 1.9  # room for a name above its panel, in heights of its letters


def draw_panels(
    ax: Axes,
    grids: np.ndarray,
    names: Sequence[str],
    *,
    kind: Kind | None = None,
    value_range: tuple[float, float] | None = None,
    **look: Any,
) -> tuple[list[Axes], Kind]:
    """Draw grids (C, rows, columns, *sample), each under its name, and return (their Axes, the kind of sample).

    Without names there is one grid, in `ax` itself; else `ax` becomes the frame of a panel for each, all in one range
    of values. The rest is as of `draw_cells`.
    """
    if not names:
        return [ax], draw_cells(ax, grids[0], kind=kind, value_range=value_range, **look)
    panels = _panels_in(ax, len(names), cells_aspect(grids[0], kind))
    value_range = value_range or shared_range(grids)
    for panel, grid, name in zip(panels, grids, names):
        drawn = draw_cells(panel, grid, kind=kind, value_range=value_range, bar=False, **look)
        panel.set_title(name)
        if look.get("across") is not None and drawn != "point":
            _keep_few_ticks(panel)
    draw_bar(ax, panels[0], drawn, value_range)
    return panels, drawn


def _keep_few_ticks(panel: Axes) -> None:
    """Some three of the ticks of each latent axis, evenly about the middle one."""
    for axis in (panel.xaxis, panel.yaxis):
        ticks = axis.get_majorticklocs()
        step, middle = math.ceil(len(ticks) / 3), (len(ticks) - 1) // 2
        axis.set_ticks([tick for place, tick in enumerate(ticks) if (place - middle) % max(step, 1) == 0])


def keep_outer(panels: list[Axes]) -> None:
    """Give panels the same limits, and leave labels to those at the left and at the bottom of their columns."""
    if len(panels) == 1:
        return
    everything = np.concatenate([panel.dataLim.get_points() for panel in panels])
    columns = columns_for(len(panels))
    for place, panel in enumerate(panels):
        if panel.get_autoscale_on():  # a grid on its axes has its limits
            panel.update_datalim(everything)
            panel.autoscale_view()
        if place % columns:
            panel.set_ylabel("")
            panel.tick_params(axis="y", labelleft=False, length=0)
        if place + columns < len(panels):
            panel.set_xlabel("")
            panel.tick_params(axis="x", labelbottom=False, length=0)
        if panel.get_legend() is not None and place != columns - 1:
            panel.get_legend().remove()


def panels_aspect(grids: np.ndarray, names: Sequence[str], kind: Kind | None = None) -> float:
    """Height / width of what `draw_panels` draws, but for the names."""
    aspect = cells_aspect(grids[0], kind)
    columns = columns_for(len(names))
    return aspect * math.ceil(len(names) / columns) / columns if names else aspect


def columns_for(count: int) -> int:
    """How many panels stand side by side: up to three, and four as two by two."""
    return 2 if count == 4 else max(1, min(count, MOST_COLUMNS))


def _panels_in(ax: Axes, count: int, aspect: float) -> list[Axes]:
    """`count` inset Axes of that height / width, in rows; the Axes itself shows nothing but its title."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    columns = columns_for(count)
    rows = math.ceil(count / columns)
    points = 72 * ax.get_window_extent().width / ax.figure.dpi / columns
    name = TITLE * FontProperties(size=rcParams["axes.titlesize"]).get_size_in_points() / points
    width, height = columns + GAP * (columns - 1), rows * (name + aspect)
    ax.set_axis_off()
    ax.set_box_aspect(height / width)
    corners = (
        ((place % columns) * (1 + GAP) / width, 1 - (place // columns + 1) * (name + aspect) / height)
        for place in range(count)
    )
    return [ax.inset_axes((left, low, 1 / width, aspect / height)) for left, low in corners]
