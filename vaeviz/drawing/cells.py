"""A grid of samples in one Axes, each drawn as what it is."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.data.sample_kind import SampleKind, as_images, as_signals
from vaeviz.drawing import plane_points as dots
from vaeviz.drawing import signals
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.mosaic import draw_mosaic
from vaeviz.drawing.plane_points import Connect, draw_dots
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.drawing.signals import draw_signals
from vaeviz.drawing.tables import draw_strips, draw_table, strips_aspect, table_aspect
from vaeviz.drawing.text_fit import axes_width, label_rotation, max_letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {"image": "gray", "spectrogram": "magma", "table": "viridis"}
BAR = 6.5  # points, the width of a color bar
SPECTROGRAM_ASPECT = 0.75  # height / width of a cell: frequency and time share no unit


def draw_cells(
    ax: Axes,
    cells: np.ndarray,
    look: SampleStyle | None = None,
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    connect: Connect | None = None,
    data_columns: Sequence[int] = (),
    x_axis: GridAxis | None = None,
    y_axis: GridAxis | None = None,
    show_legend: bool = True,
    all_cells: np.ndarray | None = None,
) -> SampleKind:
    """Draw samples `cells` (rows, columns, *sample), the first row on top, and return their kind.

    Images and spectrograms are one assembled array, signals are lines in cells, rows of a table are rows of heat, and
    points in the plane are dots in data units; what belongs together, as `connect` says, is joined or stands close.
    Columns that were `data_columns`, not decoded, stand apart from a path. One scale holds for all cells, told by a color
    bar or in words where it is not [0, 1]. `x_axis` and `y_axis` put the cells on latent axes, on which a row of a table is
    a strip. show_legend: whether to draw the color bar or the legend. all_cells: all samples (..., *sample), those of other Axes
    too, that the color bar tells of; by default the cells.
    """
    look = look or SampleStyle()
    shape = cells.shape[2:]
    kind, names = look.kind_of(shape), look.names_of(shape)
    if kind == "point":
        points = cells.reshape(*cells.shape[:2], 2)
        draw_dots(
            ax, points, connect=connect, row_labels=row_labels, data_columns=data_columns, names=names, data=look.data
        )
        return kind
    cells = look.scaled(cells, n_leading_axes=2)
    low, high = look.range_for(cells, shape)
    heat = {"cmap": look.cmap or COLORS.get(kind), "low": low, "high": high}
    labels = {"row_labels": row_labels, "column_labels": column_labels}
    _bare(ax, x_axis, y_axis)
    if kind == "table" and x_axis is None:
        draw_table(ax, cells.reshape(*cells.shape[:2], -1), names=names, connect=connect, **labels, **heat)
    else:
        _label(ax, len(cells), x_axis, y_axis, **labels)
        told = _draw_grid(ax, kind, cells, names, {"x_axis": x_axis, "y_axis": y_axis}, heat, show_legend)
        ax.set_xlabel("\n".join(([x_axis.name] if x_axis else []) + wrap(told, max_letters(ax))))
        ax.set_ylabel(y_axis.name if y_axis else "")
    if show_legend and ax.images and (kind != "image" or (low, high) != (0, 1)) and ax.images[-1].get_array().ndim == 2:
        told = cells if all_cells is None else look.scaled(all_cells, n_leading_axes=all_cells.ndim - len(shape))
        beyond = np.nanmin(told) < low, np.nanmax(told) > high
        _draw_scale(ax, look.unit_of(shape), beyond)
    return kind


def _draw_grid(
    ax: Axes, kind: SampleKind, cells: np.ndarray, names: Sequence[str], grid: dict, heat: dict, show_legend: bool
) -> str:
    """Samples in cells, and what is to be known to read a cell."""
    if kind == "signal":
        low, high = heat["low"], heat["high"]
        draw_signals(ax, as_signals(cells, 2), low=low, high=high, names=names, legend=show_legend, **grid)
        return "" if (low, high) == (0, 1) else f"each cell from {low:.3g} to {high:.3g}".replace("-", "−")
    if kind == "table":
        return draw_strips(ax, cells.reshape(*cells.shape[:2], -1), names=names, **grid, **heat)
    if kind == "spectrogram":
        draw_mosaic(ax, as_images(cells, 2)[..., ::-1, :], aspect=SPECTROGRAM_ASPECT, **grid, **heat)
        return "each cell: time →, frequency ↑"
    draw_mosaic(ax, as_images(cells, 2), **grid, **heat)
    return ""


def cells_aspect(
    cells: np.ndarray, look: SampleStyle, connect: Connect | None = None, *, on_latent_axes: bool = False
) -> float:
    """Height / width of a drawn grid of cells (rows, columns, *sample)."""
    rows, columns = cells.shape[:2]
    kind = look.kind_of(cells.shape[2:])
    if kind == "point":
        return dots.ASPECT
    if kind == "table":
        flat = cells.reshape(rows, columns, -1)
        return strips_aspect(flat) if on_latent_axes else table_aspect(flat, connect)
    if kind == "image":
        height, width = as_images(cells, 2).shape[2:4]
        return rows * height / (columns * width)
    return rows / columns * {"signal": signals.ASPECT, "spectrogram": SPECTROGRAM_ASPECT}[kind]


def _draw_scale(ax: Axes, label: str, beyond: tuple[bool, bool]) -> None:
    """A color bar beside the cells, as high as they are, pointed where values lie `beyond` its ends."""
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    width = BAR / axes_width(ax)
    bar = ax.inset_axes((1 + width, 0, width, 1))
    ax.figure.colorbar(ax.images[-1], cax=bar, label=label, extend=extend)


def _bare(ax: Axes, x_axis: GridAxis | None, y_axis: GridAxis | None) -> None:
    """No frame, and ticks along latent axes only."""
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0 if x_axis is None else 2.5, color="0.4")
    ax.tick_params(axis="y", length=0 if y_axis is None else 2.5, color="0.4")


def _label(
    ax: Axes,
    rows: int,
    x_axis: GridAxis | None,
    y_axis: GridAxis | None,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
) -> None:
    """Row and column labels in place of ticks, except along latent axes."""
    if x_axis is None:
        ax.set_xticks(range(len(column_labels)), column_labels, rotation=label_rotation(ax, column_labels))
    if y_axis is None:
        ax.set_yticks([rows - 1 - row for row in range(len(row_labels))], row_labels)
