"""Rows of a table as heat: samples under one another, and the names of their features below."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.dots import Connect
from vaeviz.drawing.mosaic import draw_mosaic
from vaeviz.drawing.nodes import Nodes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLATTEST, STEEPEST, A_ROW = 0.22, 1.0, 0.024  # height / width of a table, and of what one row adds to it
LISTED_UP_TO = 40  # names
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

    The labels of a grid's rows stand at the left, and of those of its columns the first and the last at the right; a
    pair is labelled where it is the first of its row. names: of the features, written where there is room for them.
    """
    blocks = _blocks(cells, connect)
    count, rows, features = blocks.shape
    draw_mosaic(ax, blocks[:, None], cmap=cmap, low=low, high=high, aspect=table_aspect(cells, connect) / count)
    half_across, half_up = -ax.get_xlim()[0], -ax.get_ylim()[0]  # of a block, without the gap beside it

    def height(block: int, row: float) -> float:
        return count - 1 - block + half_up * (1 - (2 * row + 1) / rows)

    if connect == "pairs":
        columns = cells.shape[1]
        places = [height(row // 2 * columns, row % 2) for row in range(len(row_labels))]
        beside = [(height(column, 0.5), label) for column, label in enumerate(column_labels)]
    else:
        places = [height(row, (rows - 1) / 2) for row in range(len(row_labels))]
        ends = {0: column_labels[0], rows - 1: column_labels[-1]} if column_labels else {}
        beside = [(height(block, row), label) for block in range(count) for row, label in ends.items()]
    ax.set_yticks(places, row_labels)
    for place, label in beside:
        ax.text(half_across + 0.008, place, label, va="center", fontsize="x-small", color="0.4")
    _name_features(ax, half_across * ((2 * np.arange(features) + 1) / features - 1), names)


def draw_strips(
    ax: Axes,
    cells: np.ndarray,
    *,
    cmap: str,
    low: float,
    high: float,
    names: Sequence[str] = (),
    across: Nodes,
    up: Nodes | None,
) -> str:
    """Samples (rows, columns, D) on latent axes, a strip each from the first feature at the top; how to read them.

    On one latent axis the names stand at the left, in the plane they are listed in what is returned.
    """
    rows, columns, features = cells.shape
    aspect = strips_aspect(cells) * columns / rows
    draw_mosaic(ax, cells[..., None], cmap=cmap, low=low, high=high, across=across, up=up, aspect=aspect)
    if up is None and names and features <= LISTED_UP_TO:
        half = -ax.get_ylim()[0]
        ax.set_yticks(half * (1 - (2 * np.arange(features) + 1) / features), names, fontsize="x-small")
        return ""
    if names and features <= LISTED_UP_TO:
        return "\n".join(wrap(f"in each cell from the top: {', '.join(names)}", 56))
    return f"in each cell {features:,} features from the top"


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


def _name_features(ax: Axes, places: np.ndarray, names: Sequence[str]) -> None:
    """Names under the columns, upright where they are long; how many there are where names find no room."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    width = 72 * ax.get_window_extent().width / ax.figure.dpi / len(places)  # of a column, in points
    size = min(FontProperties(size=matplotlib.rcParams["xtick.labelsize"]).get_size_in_points(), 0.95 * width)
    if not names or size < SMALLEST:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(places):,} feature{'s' * (len(places) > 1)}")
        return
    upright = max(map(len, names)) * 0.6 * size > width
    ax.set_xticks(places, names, rotation=90 if upright else 0, fontsize=size)
