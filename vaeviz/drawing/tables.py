"""Rows of a table as heat: samples under one another, and the names of their features below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.mosaic import draw_mosaic
from vaeviz.drawing.plane_points import Connect
from vaeviz.drawing.text_fit import LETTER_WIDTH, abbreviate, axes_width, font_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLATTEST, STEEPEST, A_ROW = 0.22, 1.0, 0.028  # height / width of a table, and of what one row adds to it
LISTED_UP_TO = 16  # names
LONGEST = 24  # letters of a name that are written below a table
GAP = 0.12  # between strips on latent axes, of a side: more than between the features of a strip
SMALLEST = 5.0  # points; names that would have to be smaller are left out


def draw_table(
    ax: Axes,
    cells: np.ndarray,
    *,
    cmap: str,
    low: float,
    high: float,
    names: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    connect: Connect | None = None,
) -> None:
    """Samples (rows, columns, D), a heat row each; those that `connect` says stand close together, others apart.

    The labels of sequences, and of their first and last samples, stand at the left, as do those of pairs; which of a
    pair is above is told beside them. names: of the features, written where there is room for them.
    """
    blocks = _blocks(cells, connect)
    count, rows, features = blocks.shape
    aspect = table_aspect(cells, connect)
    pixels = _about_square(blocks, aspect)[:, None]
    draw_mosaic(ax, pixels, cmap=cmap, low=low, high=high, aspect=aspect / count)
    ax.set_anchor("S")  # else the layout, which looks before the table has its size, leaves too little for the names
    across, up = -ax.get_xlim()[0], -ax.get_ylim()[0]  # half a block, without the gap beside it
    middles = np.arange(count)[::-1]
    if connect == "pairs":
        _name_pairs(ax, middles.reshape(len(cells) // 2, -1), row_labels, column_labels)
    else:
        ax.set_yticks(middles[: len(row_labels)], row_labels)
        if column_labels and axes_width(ax) * table_aspect(cells, connect) / count > 3 * font_size("ytick.labelsize"):
            ends = up * (1 - 1 / rows) * np.array([[1], [-1]]) + middles
            ax.set_yticks(
                ends.ravel(), np.repeat([column_labels[0], column_labels[-1]], count), minor=True, color="0.4"
            )
            for place, text in enumerate(ax.get_yticklabels(minor=True)):  # within their block
                text.set_verticalalignment("top" if place < count else "bottom")
    _name_features(ax, across * ((2 * np.arange(features) + 1) / features - 1), names)


def draw_strips(
    ax: Axes,
    cells: np.ndarray,
    *,
    cmap: str,
    low: float,
    high: float,
    names: Sequence[str] = (),
    x_axis: GridAxis,
    y_axis: GridAxis | None,
) -> str:
    """Samples (rows, columns, D) on latent axes, a strip each from the first feature at the top; how to read them.

    On one latent axis the names stand at the left, in the plane they are listed in what is returned.
    """
    rows, columns, features = cells.shape
    look = {"cmap": cmap, "low": low, "high": high, "aspect": strips_aspect(cells) * columns / rows, "gap": GAP}
    strips = np.repeat(cells[..., None], min(features, 32), axis=-1)  # as wide as high, for a crisp gap
    draw_mosaic(ax, strips, x_axis=x_axis, y_axis=y_axis, **look)
    if y_axis is None and names and features <= 2 * LISTED_UP_TO:
        half = -ax.get_ylim()[0]
        ax.set_yticks(half * (1 - (2 * np.arange(features) + 1) / features), names, fontsize="x-small")
        return ""
    if names and features <= LISTED_UP_TO:
        return f"each cell from the top: {', '.join(names)}"
    some = f": {names[0]}, {names[1]} … {names[-1]}" if names else ""
    return f"each cell {features:,} feature{'s' * (features > 1)} from the top{some}"


def strips_aspect(cells: np.ndarray) -> float:
    """Height / width of a table of samples (rows, columns, D) on latent axes: squares, or one row of tall strips."""
    rows, columns, _ = cells.shape
    return rows / columns if rows > 1 else 0.6


def table_aspect(cells: np.ndarray, connect: Connect | None) -> float:
    """Height / width of a table of samples (rows, columns, D)."""
    count, rows, _ = _blocks(cells, connect).shape
    return float(np.clip(A_ROW * count * rows, FLATTEST, STEEPEST))


def _blocks(cells: np.ndarray, connect: Connect | None) -> np.ndarray:
    """(blocks, rows in a block, D): sequences, pairs, or all samples in one block but those that are blank."""
    rows, columns, features = cells.shape
    if connect in ("rows", "both"):
        return cells
    if connect == "pairs":
        return np.swapaxes(cells.reshape(rows // 2, 2, columns, features), 1, 2).reshape(-1, 2, features)
    flat = cells.reshape(-1, features)
    return flat[~np.isnan(flat).all(axis=1)][None]


def _about_square(blocks: np.ndarray, aspect: float) -> np.ndarray:
    """Blocks whose rows or columns are repeated until pixels are as wide as high: no edge is smoothed then."""
    count, rows, features = blocks.shape
    shape = aspect * features / (count * rows)  # height / width of a value
    return blocks.repeat(max(1, round(shape)), axis=1).repeat(max(1, round(1 / shape)), axis=2)


def _name_pairs(ax: Axes, middles: np.ndarray, row_labels: Sequence[str], column_labels: Sequence[str]) -> None:
    """Names of pairs, whose middles are (bands, columns); of several bands each is named as a whole."""
    above, below = row_labels[::2], row_labels[1::2]
    if len(middles) == 1:
        ax.set_yticks(middles[0][: len(column_labels)], column_labels)
        ax.set_ylabel(f"{above[0]} above {below[0]}")
    else:
        ax.set_yticks(middles.mean(axis=1), [f"{a},\n{b}\nbelow" for a, b in zip(above, below)])


def _name_features(ax: Axes, places: np.ndarray, names: Sequence[str]) -> None:
    """Names under the columns, upright where they are long; how many there are where names find no room."""
    width = axes_width(ax) / len(places)
    size = min(font_size("xtick.labelsize"), 0.95 * width)
    if not names or size < SMALLEST:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(places):,} feature{'s' * (len(places) > 1)}")
        return
    shown = abbreviate(names, LONGEST)
    upright = max(map(len, shown)) * LETTER_WIDTH * size > width
    ax.set_xticks(places, shown, rotation=90 if upright else 0, fontsize=size)
