"""Rows of a table as heat maps: samples below one another, and the names of their features below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.grid_layout import Connect, GridLayout
from vaeviz.drawing.mosaic import ColorScale, draw_mosaic
from vaeviz.drawing.text_fit import CHARACTER_WIDTH, abbreviate, axes_width, font_size, text_width
from vaeviz.plugins.axes_layout import cell_box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_ASPECT = 0.028  # height of a row / width of a table
MIN_TABLE_ASPECT, MAX_TABLE_ASPECT = 0.22, 1.0  # height / width of a table of any number of rows
SINGLE_ROW_ASPECT = 0.6  # height / width of one row of strips
MAX_LISTED_NAMES = 16  # longer lists of features are abbreviated
MIN_NAME_LENGTH, MAX_NAME_LENGTH = 10, 24  # characters of a feature name below a table
MAX_NAME_SHARE = 0.3  # length of an upright feature name / height of the cell of the Axes
STRIP_GAP = 0.12  # of a side, between strips on latent axes: wider than the edge between features of a strip
MAX_STRIP_WIDTH = 32  # pixels, which keep the gap between strips crisp
MIN_FONT_SIZE = 5.0  # points; smaller names are left out


def draw_table(
    ax: Axes, cells: np.ndarray, scale: ColorScale, layout: GridLayout, *, names: Sequence[str] = ()
) -> None:
    """Draw each sample as a row of a heat map, with connected samples close together.

    Labels of sequences, of their first and last samples, and of pairs are written at the left. Names of features are
    written below where they fit.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    cells : ndarray, shape (rows, columns, D)
        Samples with D features.
    scale : ColorScale
        Colormap and value limits.
    layout : GridLayout
        Labels and connections.
    names : sequence of str
        Names of the features.
    """
    blocks = _connected_blocks(cells, layout.connect)
    n_blocks, n_rows, n_features = blocks.shape
    aspect = table_aspect(cells, layout.connect)
    draw_mosaic(ax, _repeat_to_square_pixels(blocks, aspect)[:, None], scale, aspect=aspect / n_blocks)
    ax.set_anchor("S")  # constrained layout, which runs before the table has its size, would leave names no space
    half_width, half_height = -ax.get_xlim()[0], -ax.get_ylim()[0]  # of a block, without the gap beside it
    centers = np.arange(n_blocks)[::-1]
    if layout.connect == "pairs":
        _label_pairs(ax, centers.reshape(len(cells) // 2, -1), aspect, layout)
    else:
        ax.set_yticks(centers[: len(layout.row_labels)], layout.row_labels)
        if layout.column_labels and axes_width(ax) * aspect / n_blocks > 3 * font_size("ytick.labelsize"):
            _label_ends(ax, centers, half_height * (1 - 1 / n_rows), layout.column_labels)
    _label_features(ax, half_width * ((2 * np.arange(n_features) + 1) / n_features - 1), names)


def draw_strips(
    ax: Axes, cells: np.ndarray, scale: ColorScale, layout: GridLayout, *, names: Sequence[str] = ()
) -> str:
    """Draw each sample as a vertical strip on latent axes, the first feature at the top.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    cells : ndarray, shape (rows, columns, D)
        Samples with D features.
    scale : ColorScale
        Colormap and value limits.
    layout : GridLayout
        Latent axes. Names are written at the left if there is only an x-axis.
    names : sequence of str
        Names of the features.

    Returns
    -------
    str
        How to read a strip; empty if names are written at the left.
    """
    n_rows, n_columns, n_features = cells.shape
    strips = np.repeat(cells[..., None], min(n_features, MAX_STRIP_WIDTH), axis=-1)
    aspect = strips_aspect(cells) * n_columns / n_rows
    draw_mosaic(ax, strips, scale, x_axis=layout.x_axis, y_axis=layout.y_axis, aspect=aspect, gap=STRIP_GAP)
    if layout.y_axis is None and names and n_features <= 2 * MAX_LISTED_NAMES:
        half_height = -ax.get_ylim()[0]
        ax.set_yticks(half_height * (1 - (2 * np.arange(n_features) + 1) / n_features), list(names), fontsize="x-small")
        return ""
    if names and n_features <= MAX_LISTED_NAMES:
        return f"each cell from the top: {', '.join(names)}"
    shortened = f": {names[0]}, {names[1]} … {names[-1]}" if names else ""
    return f"each cell {_feature_count(n_features)} from the top{shortened}"


def strips_aspect(cells: np.ndarray) -> float:
    """Return the height / width of a table on latent axes.

    Parameters
    ----------
    cells : ndarray, shape (rows, columns, D)
        Samples.

    Returns
    -------
    float
        Height / width of square cells, or of one row of tall strips.
    """
    n_rows, n_columns, _ = cells.shape
    return n_rows / n_columns if n_rows > 1 else SINGLE_ROW_ASPECT


def table_aspect(cells: np.ndarray, connect: Connect | None) -> float:
    """Return the height / width of a table of samples.

    Parameters
    ----------
    cells : ndarray, shape (rows, columns, D)
        Samples.
    connect : {"rows", "pairs", "both"} or None
        Samples that are drawn close together.

    Returns
    -------
    float
        Height / width.
    """
    n_blocks, n_rows, _ = _connected_blocks(cells, connect).shape
    return float(np.clip(ROW_ASPECT * n_blocks * n_rows, MIN_TABLE_ASPECT, MAX_TABLE_ASPECT))


def _connected_blocks(cells: np.ndarray, connect: Connect | None) -> np.ndarray:
    """Return sequences, pairs, or all samples that are not blank, as (blocks, rows of a block, D)."""
    n_rows, n_columns, n_features = cells.shape
    if connect in ("rows", "both"):
        return cells
    if connect == "pairs":
        pairs = cells.reshape(n_rows // 2, 2, n_columns, n_features)
        return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(-1, 2, n_features)
    samples = cells.reshape(-1, n_features)
    is_blank = np.isnan(samples).all(axis=1)
    return np.expand_dims(samples[~is_blank], 0)


def _repeat_to_square_pixels(blocks: np.ndarray, aspect: float) -> np.ndarray:
    """Repeat rows or columns until pixels are about square, so that interpolation blurs no edge."""
    n_blocks, n_rows, n_features = blocks.shape
    value_aspect = aspect * n_features / (n_blocks * n_rows)
    return blocks.repeat(max(1, round(value_aspect)), axis=1).repeat(max(1, round(1 / value_aspect)), axis=2)


def _label_pairs(ax: Axes, centers: np.ndarray, aspect: float, layout: GridLayout) -> None:
    """Label pairs of a table whose centers are (bands, columns); several bands are labeled as a whole."""
    above, below = layout.row_labels[::2], layout.row_labels[1::2]
    if len(centers) == 1:
        size = font_size("ytick.labelsize")
        longest = max((text_width(label, size) for label in layout.column_labels), default=0)
        size = min(size, aspect * (axes_width(ax) - longest) / centers.size)  # labels make the table smaller
        labels = layout.column_labels if size >= MIN_FONT_SIZE else ()
        ax.set_yticks(centers[0][: len(labels)], labels, fontsize=size)
        ax.set_ylabel(f"{above[0]} above {below[0]}")
    else:
        ax.set_yticks(centers.mean(axis=1), [f"{a},\n{b}\nbelow" for a, b in zip(above, below)])


def _label_ends(ax: Axes, centers: np.ndarray, offset: float, column_labels: Sequence[str]) -> None:
    """Label the first and the last sample of each block, inside the block."""
    n_blocks = len(centers)
    positions = offset * np.array([[1], [-1]]) + centers
    texts = [column_labels[0]] * n_blocks + [column_labels[-1]] * n_blocks
    ax.set_yticks(positions.ravel(), texts, minor=True, color="0.4")
    for position, text in enumerate(ax.get_yticklabels(minor=True)):
        text.set_verticalalignment("top" if position < n_blocks else "bottom")


def _label_features(ax: Axes, positions: np.ndarray, names: Sequence[str]) -> None:
    """Write names below the columns, upright where they are long, or the number of features where none fit."""
    width = axes_width(ax) / len(positions)
    size = min(font_size("xtick.labelsize"), 0.95 * width)
    if not names or size < MIN_FONT_SIZE:
        ax.set_xticks([])
        ax.set_xlabel(_feature_count(len(positions)))
        return
    shown = abbreviate(names, MAX_NAME_LENGTH)
    is_upright = max(map(len, shown)) * CHARACTER_WIDTH * size > width
    if is_upright:
        height = 72 * cell_box(ax).height / ax.figure.dpi
        max_length = int(MAX_NAME_SHARE * height / (CHARACTER_WIDTH * size))
        shown = abbreviate(names, min(max(max_length, MIN_NAME_LENGTH), MAX_NAME_LENGTH))
    ax.set_xticks(positions, shown, rotation=90 if is_upright else 0, fontsize=size)


def _feature_count(n_features: int) -> str:
    return f"{n_features:,} feature{'s' * (n_features > 1)}"
