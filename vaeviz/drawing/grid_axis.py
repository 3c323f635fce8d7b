"""Latent axes whose nodes are evenly or unevenly spaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import Locator

from vaeviz.drawing.text_fit import axes_height, axes_width, font_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

MIN_TICK_DISTANCE = 0.1  # of the axis; closer ticks would be noise even where their labels fit
TICK_WIDTH, TICK_HEIGHT = 3.4, 1.4  # of a label such as −0.5 with a gap / size of its letters


@dataclass(frozen=True)
class GridAxis:
    """A latent axis with a grid cell centered on each node.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Latent coordinates of the nodes, in increasing order; N is at least 2.
    name : str
        Label of the axis.

    Notes
    -----
    On an axis with uneven nodes all cells have the same width. Positions between the nodes, and beyond the first and
    the last, are interpolated linearly, so that a scatter drawn over the grid falls on the right cells.

    Examples
    --------
    >>> axis = GridAxis(np.array([-1.0, 0.0, 3.0]))
    >>> axis.is_even
    False
    >>> axis.to_cell([1.5, 6.0])
    array([1.5, 3. ])
    """

    values: np.ndarray
    name: str = ""

    @property
    def is_even(self) -> bool:
        """True if all nodes have the same distance from the next."""
        return bool(np.allclose(np.diff(self.values, n=2), 0, atol=1e-9 * np.ptp(self.values)))

    def to_cell(self, value: ArrayLike) -> np.ndarray:
        """Convert latent coordinates to cell coordinates.

        Parameters
        ----------
        value : array_like
            Latent coordinates.

        Returns
        -------
        ndarray
            Cell coordinates, of the shape of `value`; cell i is centered on i.
        """
        return _interpolate(value, self.values, np.arange(len(self.values), dtype=float))

    def to_value(self, cell: ArrayLike) -> np.ndarray:
        """Convert cell coordinates to latent coordinates.

        Parameters
        ----------
        cell : array_like
            Cell coordinates; cell i is centered on i.

        Returns
        -------
        ndarray
            Latent coordinates, of the shape of `cell`.
        """
        return _interpolate(cell, np.arange(len(self.values), dtype=float), self.values)

    def ticks(self, min_distance: float = MIN_TICK_DISTANCE) -> list[float]:
        """Return round latent coordinates for ticks, zero and coarse multiples first where space is short.

        Parameters
        ----------
        min_distance : float
            Smallest distance between ticks, as a share of the axis.

        Returns
        -------
        list of float
            Tick positions in increasing order.
        """
        from matplotlib.ticker import MaxNLocator

        low, high = self.values[0], self.values[-1]
        step = np.diff(MaxNLocator(9, steps=[1, 2, 5, 10]).tick_values(low, high)).min()
        multiples = np.arange(np.floor(low / step), np.ceil(high / step) + 1)
        cells = self.to_cell(multiples * step).tolist()
        n_cells = len(self.values)
        kept: dict[float, float] = {}  # cell coordinates by tick
        candidates = zip(multiples.tolist(), cells)
        for multiple, cell in sorted(candidates, key=lambda c: (c[0] != 0, c[0] % 4 != 0, c[0] % 2 != 0, abs(c[0]))):
            is_inside = -0.5 <= cell <= n_cells - 0.5
            if is_inside and all(abs(cell - other) >= min_distance * n_cells for other in kept.values()):
                kept[float(multiple * step)] = cell
        return sorted(kept)


class GridTickLocator(Locator):
    """Place the ticks of a latent axis as densely as their labels allow in the size that the Axes has when drawn.

    Parameters
    ----------
    grid_axis : GridAxis
        The latent axis.
    label_length : float
        Length of a tick label along the axis with a gap, in points.
    """

    def __init__(self, grid_axis: GridAxis, label_length: float) -> None:
        self.grid_axis, self.label_length = grid_axis, label_length
        self._ticks: dict[float, list[float]] = {}  # by their smallest distance, since a layout asks many times

    def __call__(self) -> list[float]:
        """Return the positions of the ticks.

        Returns
        -------
        list of float
            Latent coordinates.
        """
        axis = cast(Axis, self.axis)
        length = axes_width(axis.axes) if isinstance(axis, XAxis) else axes_height(axis.axes)
        distance = max(MIN_TICK_DISTANCE, self.label_length / length)
        if distance not in self._ticks:
            self._ticks[distance] = self.grid_axis.ticks(distance)
        return self._ticks[distance]


def to_axis_units(axis: GridAxis | None, cell: np.ndarray) -> np.ndarray:
    """Convert cell coordinates to data coordinates of an Axes.

    Parameters
    ----------
    axis : GridAxis or None
        The latent axis; without one the Axes counts cells.
    cell : ndarray
        Cell coordinates.

    Returns
    -------
    ndarray
        Data coordinates.
    """
    return cell if axis is None else axis.to_value(cell)


def to_linear_units(axis: GridAxis | None, cell: np.ndarray) -> np.ndarray:
    """Convert cell coordinates to the units in which an axis of an Axes is linear.

    Parameters
    ----------
    axis : GridAxis or None
        The latent axis; without one the Axes counts cells.
    cell : ndarray
        Cell coordinates.

    Returns
    -------
    ndarray
        Latent coordinates on an even axis; cell coordinates on any other.
    """
    return axis.to_value(cell) if axis is not None and axis.is_even else cell


def cell_width(axis: GridAxis | None) -> float:
    """Return the width of a cell in the units in which its axis is linear.

    Parameters
    ----------
    axis : GridAxis or None
        The latent axis; without one the Axes counts cells.

    Returns
    -------
    float
        The width of a cell.
    """
    return float(axis.values[1] - axis.values[0]) if axis is not None and axis.is_even else 1.0


def scale_axes(ax: Axes, x_axis: GridAxis | None, y_axis: GridAxis | None) -> None:
    """Set scales on which the cells of uneven nodes have equal width.

    Parameters
    ----------
    ax : Axes
        Where the grid is drawn.
    x_axis, y_axis : GridAxis or None
        Latent axes of the columns and the rows.
    """
    lengths = TICK_WIDTH * font_size("xtick.labelsize"), TICK_HEIGHT * font_size("ytick.labelsize")
    setters = (ax.set_xscale, ax.set_yscale)
    for grid_axis, set_scale, axis, length in zip((x_axis, y_axis), setters, (ax.xaxis, ax.yaxis), lengths):
        if grid_axis is not None and not grid_axis.is_even:
            set_scale("function", functions=(grid_axis.to_cell, grid_axis.to_value))
            axis.set_major_locator(GridTickLocator(grid_axis, length))


def _interpolate(value: ArrayLike, known: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Interpolate linearly through (known, image), with straight lines beyond both ends."""
    value = np.asarray(value, dtype=float)
    inside = np.interp(value, known, image)
    below = image[0] + (value - known[0]) * (image[1] - image[0]) / (known[1] - known[0])
    above = image[-1] + (value - known[-1]) * (image[-1] - image[-2]) / (known[-1] - known[-2])
    return np.asarray(np.where(value < known[0], below, np.where(value > known[-1], above, inside)))
