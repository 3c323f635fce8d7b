"""A grid of samples in one Axes, each drawn as what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing import dots, signals
from vaeviz.drawing.dots import Connect, draw_dots
from vaeviz.drawing.mosaic import draw_mosaic
from vaeviz.drawing.nodes import Nodes
from vaeviz.drawing.signals import draw_signals
from vaeviz.kinds import Kind, as_images, sample_kind
from vaeviz.posterior import as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_cells(
    ax: Axes,
    cells: np.ndarray,
    *,
    kind: Kind | None = None,
    cmap: str | None = None,
    value_range: tuple[float, float] | None = None,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    connect: Connect | None = None,
    given: Sequence[int] = (),
    across: Nodes | None = None,
    up: Nodes | None = None,
    bar: bool = True,
) -> Kind:
    """Draw samples `cells` (rows, columns, *sample), the first row on top, and return their kind.

    Images are one assembled array, signals are lines in cells, table rows are strips of heat, and points in the
    plane are dots in data units, joined along rows or columns as `connect` says; columns that were `given`, not
    decoded, stand apart. `value_range`, shared by all cells, is [0, 1] where the values lie in it, else their own,
    told by a colour bar unless `bar` is False. `cmap` is grey for images and viridis for tables unless given. `across`
    and `up` put the cells on latent axes.
    """
    kind = sample_kind(cells.shape[2:], kind)
    flat = cells.reshape(*cells.shape[:2], -1)
    low, high = value_range or shared_range(cells)
    if kind == "point":
        draw_dots(ax, flat, connect=connect, row_labels=row_labels, given=given)
        return kind
    if kind == "signal":
        draw_signals(ax, flat, low=low, high=high, across=across, up=up)
    elif kind == "table":
        draw_mosaic(ax, flat[..., None], cmap=cmap or "viridis", low=low, high=high, across=across, up=up, square=True)
    else:
        draw_mosaic(ax, as_images(cells, lead=2), cmap=cmap or "gray", low=low, high=high, across=across, up=up)
    if bar:
        draw_bar(ax, ax, kind, (low, high))
    _dress(ax, len(cells), row_labels, column_labels, across, up)
    return kind


def draw_bar(ax: Axes, drawn: Axes, kind: Kind, value_range: tuple[float, float]) -> None:
    """A colour bar beside `ax` for the cells of one channel that were drawn, if they are a table's or beyond [0, 1]."""
    if drawn.images and (kind == "table" or value_range != (0, 1)) and drawn.images[-1].get_array().ndim == 2:
        ax.figure.colorbar(drawn.images[-1], ax=ax, label="value", shrink=0.8, fraction=0.046, pad=0.02)


def cells_aspect(cells: np.ndarray, kind: Kind | None = None) -> float:
    """Height / width of a drawn grid of cells (rows, columns, *sample)."""
    rows, columns = cells.shape[:2]
    kind = sample_kind(cells.shape[2:], kind)
    if kind == "point":
        return dots.ASPECT
    if kind == "image":
        height, width = as_images(cells, lead=2).shape[2:4]
        return rows * height / (columns * width)
    return rows / columns * (signals.ASPECT if kind == "signal" else 1.0)


def shared_range(values: np.ndarray) -> tuple[float, float]:
    """[0, 1] for values that keep to it, but for one in a hundred that overshoots; else their own range."""
    low, high = np.nanquantile(values, (0.005, 0.995))
    if low >= -0.25 and 0.05 < high <= 1.25:
        return 0.0, 1.0
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def range_of(x: Any) -> tuple[float, float] | None:
    """The range that decoded samples share with the data x (N, ...): [0, 1] for data within it. None without x.

    A large x is judged by a thousand of its samples.
    """
    if x is None:
        return None
    x = as_array(x)
    return shared_range(x[:: max(1, len(x) // 1000)].astype(np.float32))


def _dress(
    ax: Axes,
    rows: int,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    across: Nodes | None,
    up: Nodes | None,
) -> None:
    """Row and column labels in place of ticks, except along latent axes."""
    ax.spines[:].set_visible(False)
    if across is None:
        ax.set_xticks(range(len(column_labels)), column_labels)
    if up is None:
        ax.set_yticks([rows - 1 - row for row in range(len(row_labels))], row_labels)
    ax.tick_params(axis="x", length=0 if across is None else 2.5, color="0.4")
    ax.tick_params(axis="y", length=0 if up is None else 2.5, color="0.4")
