"""A matrix of shares, with its numbers where they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.drawing.text_fit import abbreviate, label_rotation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITTEN_UP_TO = 12  # columns
LONGEST = 16  # letters of a name, so that the cells keep most of the room


def draw_matrix(
    ax: Axes, shares: np.ndarray, *, rows: Sequence[str], columns: Sequence[str], cmap: str = "Blues", label: str = ""
) -> None:
    """Shares (R, C) from 0 to 1 as cells, their hundredths written in them; NaN is hatched. `label` names the bar."""
    ax.set_facecolor("0.94")
    ax.patch.set(hatch="////", edgecolor="0.8")
    image = ax.imshow(np.ma.masked_invalid(shares), cmap=cmap, vmin=0, vmax=1, aspect="auto")
    if shares.shape[1] <= WRITTEN_UP_TO:
        _write(ax, shares)
    step = -(-len(columns) // 20)
    below = abbreviate(columns, LONGEST)[::step]
    ax.set_xticks(range(0, len(columns), step), below, rotation=label_rotation(ax, below))
    ax.set_yticks(range(len(rows)), abbreviate(rows, LONGEST))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if label:
        ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0, 0.04, 1)), label=label, ticks=(0, 0.5, 1))


def _write(ax: Axes, shares: np.ndarray) -> None:
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            text = f"{share:.2f}".removeprefix("0").replace("1.00", "1")
            color = "white" if share > 0.55 else "0.15"
            ax.text(column, row, text, ha="center", va="center", fontsize="x-small", color=color)
