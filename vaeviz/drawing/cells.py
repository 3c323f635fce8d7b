"""A grid of samples in one Axes, each drawn as what it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.drawing.kinds import Kind, as_images, sample_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Connect = Literal["rows", "columns", "both"]
GAP = 1 / 28  # of a cell's side
INSET = 0.44  # half of the height and width that a signal takes of its cell


@dataclass(frozen=True)
class Nodes:
    """Where the columns or rows of a grid lie on a latent axis; cell i stands at `values[i]`.

    Uneven nodes make an axis on which every cell is as wide as the next: positions between the nodes, and half
    a cell beyond the last, are interpolated, so that a scatter laid over the grid falls on the right cells.
    """

    values: np.ndarray

    @property
    def even(self) -> bool:
        return bool(np.allclose(np.diff(self.values, n=2), 0, atol=1e-9 * np.ptp(self.values)))

    def to_cell(self, value: np.ndarray) -> np.ndarray:
        """Latent coordinate to cell coordinate."""
        return _extrapolated(value, self.values, np.arange(len(self.values), dtype=float))

    def to_value(self, cell: np.ndarray) -> np.ndarray:
        """Cell coordinate to latent coordinate."""
        return _extrapolated(cell, np.arange(len(self.values), dtype=float), self.values)

    def ticks(self) -> list[float]:
        """Round values among the nodes, the roundest first, that keep a tenth of the axis between them."""
        from matplotlib.ticker import MaxNLocator

        low, high = self.values[0], self.values[-1]
        step = np.diff(MaxNLocator(9).tick_values(low, high)).min()
        multiples = np.arange(np.floor(low / step), np.ceil(high / step) + 1)
        kept: list[float] = []
        for multiple in sorted(multiples, key=lambda m: (m != 0, m % 4 != 0, m % 2 != 0, abs(m))):
            cell = self.to_cell(multiple * step)
            inside = -0.5 <= cell <= len(self.values) - 0.5
            if inside and all(abs(cell - self.to_cell(other)) >= len(self.values) / 10 for other in kept):
                kept.append(float(multiple * step))
        return sorted(kept)


def draw_cells(
    ax: Axes,
    cells: np.ndarray,
    *,
    kind: Kind | None = None,
    cmap: str = "gray",
    value_range: tuple[float, float] | None = None,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    connect: Connect | None = None,
    across: Nodes | None = None,
    up: Nodes | None = None,
) -> Kind:
    """Draw samples `cells` (rows, columns, *sample), the first row on top, and return their kind.

    Images are one assembled array, signals are lines in cells, table rows are strips of heat, and points in the
    plane are dots in data units, joined along rows or columns as `connect` says. `value_range` (shared by all
    cells) is [0, 1] where the values lie in it, else their own. `across` and `up` put the cells on latent axes.
    """
    kind = sample_kind(cells.shape[2:], kind)
    if kind == "point":
        _draw_dots(ax, cells.reshape(*cells.shape[:2], 2), connect, row_labels)
        return kind
    low, high = value_range or shared_range(cells)
    if kind == "signal":
        _draw_signals(ax, cells.reshape(*cells.shape[:2], -1), low, high, across, up)
    else:
        strips = cells.reshape(*cells.shape[:2], -1, 1)
        images = as_images(cells, lead=2) if kind == "image" else strips
        _draw_images(ax, images, cmap, low, high, across, up, square=kind == "table")
    _dress(ax, cells.shape[:2], row_labels, column_labels, across, up)
    return kind


def cells_aspect(cells: np.ndarray, kind: Kind | None = None) -> float:
    """Height / width of a drawn grid of cells (rows, columns, *sample)."""
    rows, columns = cells.shape[:2]
    kind = sample_kind(cells.shape[2:], kind)
    if kind == "point":
        return 1.0
    height, width = as_images(cells, lead=2).shape[2:4] if kind == "image" else (1, 1)
    return rows * height / (columns * width)


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
    x = np.asarray(x)
    return shared_range(x[:: max(1, len(x) // 1000)])


def assemble(images: np.ndarray) -> tuple[np.ndarray, int]:
    """One array of images (rows, columns, H, W[, C]) with hairline gaps of NaN, and the gap in its pixels.

    Small images are enlarged by a whole factor, so that the gap stays a hairline beside them.
    """
    rows, columns, height, width = images.shape[:4]
    factor = max(1, math.ceil(1 / (GAP * min(height, width)))) if min(height, width) > 1 else 28
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    height, width = height * factor, width * factor
    gap = max(1, round(GAP * min(height, width)))
    colour = images.shape[4:]
    mosaic = np.full((rows, height + gap, columns, width + gap, *colour), np.nan, dtype=np.float32)
    mosaic[:, :height, :, :width] = np.moveaxis(images, 1, 2)
    mosaic = mosaic.reshape(rows * (height + gap), columns * (width + gap), *colour)
    return mosaic[:-gap, :-gap], gap


def _draw_images(ax, images, cmap, low, high, across, up, *, square):
    import matplotlib

    rows, columns, height, width = images.shape[:4]
    mosaic, gap = assemble(images)
    if mosaic.ndim == 3:
        mosaic = _with_transparent_gaps((mosaic - low) / (high - low))
    half_across = 0.5 - 0.5 * gap / (mosaic.shape[1] + gap) * columns
    half_up = 0.5 - 0.5 * gap / (mosaic.shape[0] + gap) * rows
    extent = (
        *_to_scale(across, np.array([-half_across, columns - 1 + half_across])),
        *_to_scale(up, np.array([-half_up, rows - 1 + half_up])),
    )
    _scale(ax, across, up)
    # Past the scale of the axes, where every cell is as wide as the next, so that uneven nodes warp no image.
    ax.imshow(
        mosaic,
        cmap=matplotlib.colormaps[cmap].with_extremes(bad="white"),
        vmin=low,
        vmax=high,
        extent=extent,
        transform=ax.transLimits + ax.transAxes,
    )
    ax.set_xlim(_placed(across, np.array([-half_across, columns - 1 + half_across])))
    ax.set_ylim(_placed(up, np.array([-half_up, rows - 1 + half_up])))
    shape = 1.0 if square else height / width
    ax.set_aspect(shape * _cell_width(across) / _cell_width(up), adjustable="box")


def _draw_signals(ax, signals, low, high, across, up):
    from matplotlib.collections import LineCollection

    rows, columns, length = signals.shape
    along = np.linspace(-INSET, INSET, length)
    height = ((signals - low) / (high - low) * 2 - 1) * INSET
    lines = [
        np.column_stack([_placed(across, column + along), _placed(up, rows - 1 - row + height[row, column])])
        for row in range(rows)
        for column in range(columns)
    ]
    ax.add_collection(LineCollection(lines, colors="C0", linewidths=0.8))
    ax.set_xlim(*_placed(across, np.array([-0.5, columns - 0.5])))
    ax.set_ylim(*_placed(up, np.array([-0.5, rows - 0.5])))
    _scale(ax, across, up)
    for edge in range(columns + 1):
        ax.axvline(_placed(across, np.array(edge - 0.5)), color="0.85", lw=0.5, zorder=0)
    for edge in range(rows + 1):
        ax.axhline(_placed(up, np.array(edge - 0.5)), color="0.85", lw=0.5, zorder=0)


def _draw_dots(ax, points, connect, row_labels):
    if connect in ("columns", "both"):
        ax.plot(points[..., 0], points[..., 1], color="0.7", lw=0.7, zorder=1)
    if connect in ("rows", "both"):
        ax.plot(points[..., 0].T, points[..., 1].T, color="0.7", lw=0.7, zorder=1)
    named = len(row_labels) > 1
    for row, dots in enumerate(points):
        ax.plot(
            *dots.T,
            ls="",
            marker="o",
            mew=0,
            ms=3,
            color=f"C{row % 10}" if named else "C0",
            label=row_labels[row] if named else None,
        )
    if named:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    ax.set_aspect("equal", adjustable="datalim")


def _dress(ax, shape, row_labels, column_labels, across, up):
    """Row and column labels in place of ticks, except along latent axes."""
    rows = shape[0]
    for spine in ax.spines.values():
        spine.set_visible(False)
    if across is None:
        ax.set_xticks(range(len(column_labels)), column_labels)
    if up is None:
        ax.set_yticks([rows - 1 - row for row in range(len(row_labels))], row_labels)
    ax.tick_params(length=0, which="both")
    if across is not None or up is not None:
        ax.tick_params(axis="both" if up is not None else "x", length=2.5, color="0.4")


def _cell_width(nodes: Nodes | None) -> float:
    """The width of a cell in the units in which its axis is linear."""
    return 1.0 if nodes is None or not nodes.even else nodes.values[1] - nodes.values[0]


def _placed(nodes: Nodes | None, cell: np.ndarray) -> np.ndarray:
    """Cell coordinates in the units of the axis."""
    return cell if nodes is None else nodes.to_value(cell)


def _to_scale(nodes: Nodes | None, cell: np.ndarray) -> np.ndarray:
    """Cell coordinates in the units in which the axis is linear."""
    return cell if nodes is None or not nodes.even else nodes.to_value(cell)


def _scale(ax: Axes, across: Nodes | None, up: Nodes | None) -> None:
    from matplotlib.ticker import FixedLocator

    for nodes, set_scale, axis in ((across, ax.set_xscale, ax.xaxis), (up, ax.set_yscale, ax.yaxis)):
        if nodes is not None and not nodes.even:
            set_scale("function", functions=(nodes.to_cell, nodes.to_value))
            axis.set_major_locator(FixedLocator(nodes.ticks()))


def _with_transparent_gaps(mosaic: np.ndarray) -> np.ndarray:
    gaps = np.isnan(mosaic[..., 0])
    colour = np.clip(np.nan_to_num(mosaic[..., :3]), 0, 1)
    alpha = mosaic[..., 3] if mosaic.shape[-1] == 4 else np.ones(gaps.shape, dtype=mosaic.dtype)
    return np.concatenate([colour, np.where(gaps, 0, np.clip(alpha, 0, 1))[..., None]], axis=-1)


def _extrapolated(value, known, image):
    """Piecewise linear through (known, image), going on straight beyond both ends."""
    value = np.asarray(value, dtype=float)
    inside = np.interp(value, known, image)
    first = image[0] + (value - known[0]) * (image[1] - image[0]) / (known[1] - known[0])
    last = image[-1] + (value - known[-1]) * (image[-1] - image[-2]) / (known[-1] - known[-2])
    return np.where(value < known[0], first, np.where(value > known[-1], last, inside))
