"""Labels, connections and latent axes of a grid of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.text_fit import drawable_text

Connect = Literal["rows", "pairs", "both"]


@dataclass(frozen=True)
class GridLayout:
    """Labels of a grid of samples, which of them belong together, and the latent axes under them.

    Parameters
    ----------
    row_labels, column_labels : sequence of str
        One label per row, from the top, and one per column.
    connect : {"rows", "pairs", "both"}, optional
        Samples that belong together: those of a row, a sample and the one below it, or all neighbors. Points are
        joined by lines, rows of a table are drawn without a gap.
    data_columns : sequence of int
        Columns that hold data, not decoded samples. Points in them are hollow and joined to nothing.
    x_axis, y_axis : GridAxis, optional
        Latent axes of the columns and the rows. Without them the axes count cells.
    """

    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    connect: Connect | None = None
    data_columns: Sequence[int] = ()
    x_axis: GridAxis | None = None
    y_axis: GridAxis | None = None

    def __post_init__(self) -> None:
        for name in ("row_labels", "column_labels"):
            object.__setattr__(self, name, [drawable_text(label) for label in getattr(self, name)])
