"""Latent axes whose nodes are evenly or unevenly spaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class GridAxis:
    """Where the columns or rows of a grid lie on a latent axis called `name`; cell i stands at `values[i]`.

    Uneven nodes make an axis on which every cell is as wide as the next: positions between the nodes, and half
    a cell beyond the last, are interpolated, so that a scatter laid over the grid falls on the right cells.
    """

    values: np.ndarray
    name: str = ""

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
        step = np.diff(MaxNLocator(9, steps=[1, 2, 5, 10]).tick_values(low, high)).min()
        multiples = np.arange(np.floor(low / step), np.ceil(high / step) + 1)
        kept: list[float] = []
        for multiple in sorted(multiples, key=lambda m: (m != 0, m % 4 != 0, m % 2 != 0, abs(m))):
            cell = self.to_cell(multiple * step)
            inside = -0.5 <= cell <= len(self.values) - 0.5
            if inside and all(abs(cell - self.to_cell(other)) >= len(self.values) / 10 for other in kept):
                kept.append(float(multiple * step))
        return sorted(kept)


def node_positions(nodes: GridAxis | None, cell: np.ndarray) -> np.ndarray:
    """Cell coordinates in the units of the axis; without nodes the axis counts cells."""
    return cell if nodes is None else nodes.to_value(cell)


def extrapolated_positions(nodes: GridAxis | None, cell: np.ndarray) -> np.ndarray:
    """Cell coordinates in the units in which the axis is linear."""
    return cell if nodes is None or not nodes.even else nodes.to_value(cell)


def cell_width(nodes: GridAxis | None) -> float:
    """The width of a cell in the units in which its axis is linear."""
    return 1.0 if nodes is None or not nodes.even else float(nodes.values[1] - nodes.values[0])


def scale_axes(ax: Axes, x_axis: GridAxis | None, y_axis: GridAxis | None) -> None:
    """Give uneven nodes a scale on which their cells are of one width."""
    from matplotlib.ticker import FixedLocator

    for nodes, set_scale, axis in ((x_axis, ax.set_xscale, ax.xaxis), (y_axis, ax.set_yscale, ax.yaxis)):
        if nodes is not None and not nodes.even:
            set_scale("function", functions=(nodes.to_cell, nodes.to_value))
            axis.set_major_locator(FixedLocator(nodes.ticks()))


def _extrapolated(value: np.ndarray, known: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Piecewise linear through (known, image), going on straight beyond both ends."""
    value = np.asarray(value, dtype=float)
    inside = np.interp(value, known, image)
    first = image[0] + (value - known[0]) * (image[1] - image[0]) / (known[1] - known[0])
    last = image[-1] + (value - known[-1]) * (image[-1] - image[-2]) / (known[-1] - known[-2])
    return np.where(value < known[0], first, np.where(value > known[-1], last, inside))
