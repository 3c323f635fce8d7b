"""A matrix of shares, with its numbers where they can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.text_fit import (
    abbreviate,
    axes_height,
    axes_width,
    drawable_text,
    font_size,
    label_rotation,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_NUMBERED_COLUMNS = 12  # more numbers in a row are hard to tell apart
NUMBER_SCALE = 0.7  # of the font, for numbers in cells
NUMBER_MARGIN = 2  # points between a number and the sides of its cell
MAX_COLUMN_LABELS = 20  # of more columns only some are labeled
MAX_NAME_LENGTH = 16  # characters of a label, so that the cells keep most of the space
MIN_LABEL_SIZE = 4.5  # points; where rows are closer, only some are labeled
MIN_WRITTEN_SHARE = 0.005  # smaller shares would read .00


def draw_matrix(
    ax: Axes, shares: np.ndarray, *, rows: Sequence[str], columns: Sequence[str], cmap: str = "Blues", label: str = ""
) -> None:
    """Draw shares as cells of a heat map, with their values to two digits.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    shares : ndarray, shape (R, C)
        Values in [0, 1]; NaN is hatched.
    rows, columns : sequence of str
        Names of the rows and the columns. More than 20 columns that have the names of the rows are not labeled.
    cmap : str
        Name of a matplotlib colormap.
    label : str
        Label of the color bar; without one there is no color bar.
    """
    ax.set_facecolor("0.94")
    ax.patch.set(hatch="////", edgecolor="0.8")
    image = ax.imshow(np.ma.masked_invalid(shares), cmap=cmap, vmin=0, vmax=1, aspect="auto", interpolation="none")
    cell_width, number_size = axes_width(ax) / len(columns), NUMBER_SCALE * font_size("font.size")
    is_wide = cell_width > text_width(".00", number_size) + 2 * NUMBER_MARGIN
    if is_wide and axes_height(ax) / len(rows) > number_size and len(columns) <= MAX_NUMBERED_COLUMNS:
        _write_shares(ax, shares, number_size)
    row_labels, column_labels = (abbreviate([*map(drawable_text, names)], MAX_NAME_LENGTH) for names in (rows, columns))
    size = min(font_size("ytick.labelsize"), axes_height(ax) / len(rows))
    row_step = math.ceil(MIN_LABEL_SIZE / size)
    ax.set_yticks(range(0, len(rows), row_step), row_labels[::row_step], fontsize=max(size, MIN_LABEL_SIZE))
    step = math.ceil(max(len(columns) / MAX_COLUMN_LABELS, font_size("xtick.labelsize") / cell_width))
    column_labels = [] if step > 1 and list(rows) == list(columns) else column_labels[::step]
    ax.set_xticks(range(0, len(columns), step)[: len(column_labels)], column_labels)
    ax.tick_params(axis="x", rotation=label_rotation(ax, column_labels))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if label:
        ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.04, 1)), label=label, ticks=(0, 0.5, 1))


def _write_shares(ax: Axes, shares: np.ndarray, size: float) -> None:
    for (row, column), share in np.ndenumerate(shares):
        if share >= MIN_WRITTEN_SHARE:
            text = f"{share:.2f}".removeprefix("0").replace("1.00", "1")
            color = "white" if share > 0.55 else "0.15"
            ax.text(column, row, text, ha="center", va="center", fontsize=size, color=color)
