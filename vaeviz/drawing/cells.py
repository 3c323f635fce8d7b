"""A grid of samples in one Axes, each drawn as an image, signal, spectrogram, table row or point."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.sample_kind import SampleKind, as_images, as_signals
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.mosaic import ColorScale, draw_mosaic
from vaeviz.drawing.plane_points import PLANE_ASPECT, draw_plane_points
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.drawing.signals import SIGNAL_ASPECT, draw_signals
from vaeviz.drawing.tables import draw_strips, draw_table, strips_aspect, table_aspect
from vaeviz.drawing.text_fit import axes_width, label_rotation, max_label_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEFAULT_CMAPS: dict[SampleKind, str] = {"image": "gray", "spectrogram": "magma", "table": "viridis", "signal": "gray"}
COLOR_BAR_WIDTH = 6.5  # points
SPECTROGRAM_ASPECT = 0.75  # height / width of a cell: frequency and time share no unit


def draw_cells(
    ax: Axes,
    cells: np.ndarray,
    style: SampleStyle | None = None,
    layout: GridLayout | None = None,
    *,
    show_legend: bool = True,
    all_cells: np.ndarray | None = None,
) -> SampleKind:
    """Draw a grid of samples, the first row on top.

    Images and spectrograms form one image, signals are lines in cells, rows of a table are rows of a heat map, and
    points in the plane are dots in data units. On latent axes a row of a table is a strip. All cells share one scale; a
    color bar or a line of text shows it unless it is [0, 1].

    Parameters
    ----------
    ax : Axes
        Where to draw.
    cells : ndarray, shape (rows, columns, *sample)
        Samples; NaN is blank.
    style : SampleStyle, optional
        Kind, scale, colors and names of the samples; by default they follow from `cells`.
    layout : GridLayout, optional
        Labels, connections and latent axes; by default none.
    show_legend : bool
        Add the color bar or the legend of channels.
    all_cells : ndarray, shape (..., *sample), optional
        All samples, those in other Axes included; by default `cells`. The color bar is pointed where they exceed its
        range, and their borders decide whether there are gaps.

    Returns
    -------
    SampleKind
        The kind that was drawn.
    """
    style, layout = style or SampleStyle(), layout or GridLayout()
    shape = cells.shape[2:]
    kind, names = style.kind_of(shape), style.names_of(shape)
    if kind == "point":
        points = cells.reshape(*cells.shape[:2], 2)
        draw_plane_points(ax, points, layout, names=names, background=style.background)
        return kind
    scaled = style.scaled(cells, n_leading_axes=2)
    all_scaled = scaled if all_cells is None else style.scaled(all_cells, n_leading_axes=all_cells.ndim - len(shape))
    scale = ColorScale(style.cmap or DEFAULT_CMAPS[kind], *style.range_for(scaled, shape))
    _hide_frame(ax, layout)
    if kind == "table" and layout.x_axis is None:
        draw_table(ax, scaled.reshape(*cells.shape[:2], -1), scale, layout, names=names)
    else:
        _label_rows_and_columns(ax, len(cells), layout)
        if kind == "signal":
            limits = scale.low, scale.high
            draw_signals(ax, as_signals(scaled, 2), limits, layout, names=names, show_legend=show_legend)
            hint = "" if limits == (0, 1) else f"each cell from {scale.low:.3g} to {scale.high:.3g}".replace("-", "−")
        else:
            hint = _draw_mosaic_of(ax, kind, scaled, all_scaled.reshape(1, -1, *shape), scale, layout, names)
        ax.set_xlabel("\n".join(([layout.x_axis.name] if layout.x_axis else []) + wrap(hint, max_label_length(ax))))
        ax.set_ylabel(layout.y_axis.name if layout.y_axis else "")
    if show_legend and (style.unit is not None or _needs_color_bar(ax, kind, scale)) and ax.images:
        exceeds = bool(np.nanmin(all_scaled) < scale.low), bool(np.nanmax(all_scaled) > scale.high)
        _add_color_bar(ax, style.unit_of(shape), exceeds)
    return kind


def cells_aspect(cells: np.ndarray, style: SampleStyle, layout: GridLayout | None = None) -> float:
    """Return the height / width of a grid of samples as `draw_cells` draws it.

    Parameters
    ----------
    cells : ndarray, shape (rows, columns, *sample)
        Samples.
    style : SampleStyle
        Kind of the samples.
    layout : GridLayout, optional
        Connections and latent axes; by default none.

    Returns
    -------
    float
        Height / width.
    """
    layout = layout or GridLayout()
    n_rows, n_columns = cells.shape[:2]
    kind = style.kind_of(cells.shape[2:])
    if kind == "point":
        return PLANE_ASPECT
    if kind == "table":
        rows = cells.reshape(n_rows, n_columns, -1)
        return table_aspect(rows, layout.connect) if layout.x_axis is None else strips_aspect(rows)
    if kind == "image":
        height, width = as_images(cells, 2).shape[2:4]
        return float(n_rows * height / (n_columns * width))
    cell_aspect = SIGNAL_ASPECT if kind == "signal" else SPECTROGRAM_ASPECT
    return float(cell_aspect * n_rows / n_columns)


def _draw_mosaic_of(
    ax: Axes,
    kind: SampleKind,
    cells: np.ndarray,
    all_cells: np.ndarray,
    scale: ColorScale,
    layout: GridLayout,
    names: tuple[str, ...],
) -> str:
    """Draw images, spectrograms or strips of a table, and return how to read a cell."""
    if kind == "table":
        return draw_strips(ax, cells.reshape(*cells.shape[:2], -1), scale, layout, names=names)
    images, all_images = as_images(cells, 2), as_images(all_cells, 2)
    axes: dict[str, Any] = {"x_axis": layout.x_axis, "y_axis": layout.y_axis, "all_images": all_images}
    if kind == "spectrogram":
        draw_mosaic(ax, images[..., ::-1, :], scale, aspect=SPECTROGRAM_ASPECT, **axes)
        return "each cell: time →, frequency ↑"
    draw_mosaic(ax, images, scale, **axes)
    return ""


def _needs_color_bar(ax: Axes, kind: SampleKind, scale: ColorScale) -> bool:
    """Return True if the Axes holds an image with one channel whose scale is not that of a gray image in [0, 1]."""
    values = ax.images[-1].get_array() if ax.images else None
    return values is not None and values.ndim == 2 and (kind != "image" or (scale.low, scale.high) != (0, 1))


def _add_color_bar(ax: Axes, label: str, exceeds: tuple[bool, bool]) -> None:
    """Add a color bar as high as the cells, pointed at the ends that values exceed."""
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    width = COLOR_BAR_WIDTH / axes_width(ax)
    bar = ax.inset_axes((1 + width, 0, width, 1))
    ax.figure.colorbar(ax.images[-1], cax=bar, label=label, extend=ends[exceeds])


def _hide_frame(ax: Axes, layout: GridLayout) -> None:
    """Hide the frame, and tick marks except along latent axes."""
    ax.spines[:].set_visible(False)
    ax.tick_params(axis="x", length=0 if layout.x_axis is None else 2.5, color="0.4")
    ax.tick_params(axis="y", length=0 if layout.y_axis is None else 2.5, color="0.4")


def _label_rows_and_columns(ax: Axes, n_rows: int, layout: GridLayout) -> None:
    """Write row and column labels in place of ticks, except along latent axes."""
    if layout.x_axis is None:
        labels = layout.column_labels
        ax.set_xticks(range(len(labels)), labels, rotation=label_rotation(ax, labels))
    if layout.y_axis is None:
        ax.set_yticks([n_rows - 1 - row for row in range(len(layout.row_labels))], layout.row_labels)
