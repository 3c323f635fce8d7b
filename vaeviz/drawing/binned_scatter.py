"""Large clouds of points, drawn as cells in bounded memory."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba_array
from matplotlib.image import AxesImage
from matplotlib.transforms import Bbox

from vaeviz.data.out_of_core import iterate_rows
from vaeviz.drawing.colors import MISSING_COLOR, LabelColors
from vaeviz.drawing.layout_pass import is_layout_pass
from vaeviz.drawing.text_fit import axes_height, axes_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

MAX_MARKERS = 500_000  # more points are drawn as cells, which takes less time and memory than markers
CELL_SIZE = 0.72  # points of 1/72 inch; the diameter of the smallest marker, and one pixel at 100 dpi
MAX_COUNTS = 1 << 25  # of cells × colors, 128 MB; for very many classes the cells become larger
MIN_CELL_ALPHA = 0.35  # of a cell with a single point, which must be seen
MAX_RARE_SHARE = 1e-3  # of all points, for the smallest classes together, which few cells would show by chance
MAX_RARE_CELLS = 1000  # that are drawn larger, so that they leave the others in view


class BinnedScatter(AxesImage):
    """A scatter of small cells. Each has the color of one of its points, and is more opaque the more points it has.

    Parameters
    ----------
    ax : Axes
        Axes whose limits are drawn.
    points : ndarray, shape (N, 2)
        Points in data units, in memory or memory-mapped.
    colors : LabelColors
        Color of each point.
    seed : int
        Seed of the choice of a point in each cell.

    Attributes
    ----------
    marker : str
        Marker of the classes in a legend.

    Notes
    -----
    The points of a cell are counted by class, and the color of a cell is that of a point chosen at random. So each
    class has its share of the cells where classes overlap, whatever the order of the points, and every color is one of
    the legend. The smallest classes, with 0.1 % of the points together, would be lost: their cells are three times as
    wide, opaque and above the others, up to 1,000 of them. Points without a label are underneath. The cells have one
    size on paper and are counted again if the limits, the scales or the size of the Axes change.
    """

    marker = "s"

    def __init__(self, ax: Axes, points: np.ndarray, colors: LabelColors, *, seed: int = 0) -> None:
        super().__init__(ax, origin="lower", interpolation="antialiased", zorder=2)
        self.points, self.colors, self.seed = points, colors, seed
        self._drawn_view: tuple[Any, ...] = ()
        self.set_transform(ax.transLimits + ax.transAxes)  # cells have one size on any scale
        self.set_data(np.zeros((1, 1, 4), np.uint8))

    def get_extent(self) -> tuple[float, float, float, float]:
        """Return the limits of the Axes.

        Returns
        -------
        left, right, bottom, top : float
            Limits on the scales of the Axes: those of a logarithmic axis are logarithms.
        """
        assert self.axes is not None
        limits = np.array([self.axes.get_xlim(), self.axes.get_ylim()])
        (left, right), (bottom, top) = self.axes.transScale.transform(limits.T).T
        return left, right, bottom, top

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """Return the box of the Axes in pixels.

        Parameters
        ----------
        renderer : RendererBase, optional
            Not used.

        Returns
        -------
        Bbox
            The box.
        """
        assert self.axes is not None
        return self.axes.bbox.frozen()

    def draw(self, renderer: RendererBase) -> None:
        """Draw the cells, except in a pass that computes the layout.

        Parameters
        ----------
        renderer : RendererBase
            What to draw with.
        """
        if not is_layout_pass(renderer):
            super().draw(renderer)

    def make_image(
        self, renderer: RendererBase, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[np.ndarray, float, float, Any]:
        """Return the image of the cells in the current view.

        Parameters
        ----------
        renderer : RendererBase
            What to draw with.
        magnification : float
            Pixels of the image per pixel of the renderer.
        unsampled : bool
            Leave the cells as they are.

        Returns
        -------
        tuple
            The pixels, their position and their transform.
        """
        view = self._view()
        if view != self._drawn_view:
            self.set_data(self._cell_colors(self._count_cells(self.points, self.colors)))
            self._drawn_view = view
        return super().make_image(renderer, magnification, unsampled)

    @cached_property
    def corners(self) -> np.ndarray:
        """Smallest and largest coordinates of the points, shape (2, 2)."""
        ends = np.array([[(column.min(), column.max()) for column in block.T] for block in iterate_rows(self.points)])
        return np.array([ends[..., 0].min(axis=0), ends[..., 1].max(axis=0)])

    @cached_property
    def full_count(self) -> int:
        """Number of points from which a cell is opaque: about the largest in the first view, rounded to one digit.

        It is estimated from at most 500,000 points.
        """
        assert self.axes is not None
        self.axes.apply_aspect()
        step = -(-len(self.points) // MAX_MARKERS)
        counts = self._count_cells(self.points[::step], self.colors[::step])
        largest = step * int(counts.sum(axis=-1).max())
        unit: int = 10 ** (len(str(largest)) - 1)
        return max(2, round(largest / unit) * unit)

    @property
    def scale_note(self) -> str:
        """Line for a title that says what a cell shows."""
        rare = "; larger for rare classes" if len(self.rare_classes) else ""
        return f"cells, opaque from {self.full_count:,} points (log scale){rare}"

    @cached_property
    def rare_classes(self) -> np.ndarray:
        """Indices of the smallest classes, which have at most 0.1 % of the points together."""
        if not self.colors.names:
            return np.empty(0, np.intp)
        counts = self.colors.counts
        order = np.argsort(counts, kind="stable")
        return order[np.cumsum(counts[order]) <= MAX_RARE_SHARE * len(self.points)]

    def _view(self) -> tuple[Any, ...]:
        """Return the limits and scales of the Axes, and its number of rows and columns of cells."""
        assert self.axes is not None
        scales = self.axes.get_xscale(), self.axes.get_yscale()
        return self.get_extent(), scales, cell_shape(self.axes, len(self.colors.colors))

    def _count_cells(self, points: np.ndarray, colors: LabelColors) -> np.ndarray:
        """Count the points in the cells of the current view, which are of one size on the scales of the Axes."""
        assert self.axes is not None
        extent, scales, shape = self._view()
        if scales != ("linear", "linear"):
            points = self.axes.transScale.transform(points)
        return count_cells(points, colors, extent, shape)

    def _cell_colors(self, counts: np.ndarray) -> np.ndarray:
        """Return the color of each cell, uint8 of shape (rows, columns, 4)."""
        by_color, missing = counts[..., :-1], counts[..., -1]
        upto = by_color.cumsum(axis=-1)
        total = upto[..., -1]
        chosen = np.random.default_rng(self.seed).random(total.shape) * total
        place = (upto <= chosen[..., None]).sum(axis=-1)
        palette = to_rgba_array([*self.colors.colors, MISSING_COLOR])
        place[total == 0] = len(palette) - 1
        shown = np.where(total == 0, missing, total)
        share = np.log(np.maximum(shown, 1)) / np.log(self.full_count)
        rgba = palette[place]
        rgba[..., 3] *= (MIN_CELL_ALPHA + (1 - MIN_CELL_ALPHA) * np.minimum(share, 1)) * (shown > 0)
        self._draw_rare_classes(rgba, by_color, palette)
        return np.asarray(np.rint(255 * rgba).astype(np.uint8))

    def _draw_rare_classes(self, rgba: np.ndarray, by_color: np.ndarray, palette: np.ndarray) -> None:
        """Draw the cells of rare classes over those around them."""
        rows, columns, places = np.nonzero(by_color[..., self.rare_classes])
        drawn = np.random.default_rng(self.seed).permutation(len(rows))[:MAX_RARE_CELLS]
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            row = np.clip(rows[drawn] + down, 0, len(rgba) - 1)
            column = np.clip(columns[drawn] + right, 0, rgba.shape[1] - 1)
            rgba[row, column] = palette[self.rare_classes[places[drawn]]]


def draw_binned_scatter(ax: Axes, points: np.ndarray, colors: LabelColors, *, seed: int = 0) -> BinnedScatter:
    """Draw points as cells.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : ndarray, shape (N, 2)
        Points in data units, in memory or memory-mapped.
    colors : LabelColors
        Color of each point.
    seed : int
        Seed of the choice of a point in each cell.

    Returns
    -------
    BinnedScatter
        The cells.
    """
    cells = BinnedScatter(ax, points, colors, seed=seed)
    ax.add_image(cells)
    cells.set_clip_path(ax.patch)
    ax.update_datalim(cells.corners)
    ax.autoscale_view()
    return cells


def cell_shape(ax: Axes, n_colors: int) -> tuple[int, int]:
    """Return the number of cells in an Axes.

    Parameters
    ----------
    ax : Axes
        The Axes.
    n_colors : int
        Number of colors. More than 300 in a small Axes make the cells larger.

    Returns
    -------
    n_rows, n_columns : int
        Number of cells.
    """
    height, width = axes_height(ax) / CELL_SIZE, axes_width(ax) / CELL_SIZE
    shrinkage = min(1.0, float(np.sqrt(MAX_COUNTS / ((n_colors + 1) * height * width))))
    return max(1, round(shrinkage * height)), max(1, round(shrinkage * width))


def count_cells(
    points: np.ndarray, colors: LabelColors, extent: tuple[float, float, float, float], shape: tuple[int, int]
) -> np.ndarray:
    """Count the points of each color in the cells of a rectangle.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        Points in data units. Those that are memory-mapped are read in blocks.
    colors : LabelColors
        Color of each point.
    extent : tuple of float
        Left, right, bottom and top end of the rectangle. Points beyond it are not counted, those on its ends are.
    shape : tuple of int
        Number of rows and columns of cells.

    Returns
    -------
    ndarray of int, shape (rows, columns, C + 1)
        Counts. The last are those of points without a color.

    Examples
    --------
    >>> colors = LabelColors(np.array([0, 0, -1]), ["red"])
    >>> count_cells(np.array([[0.1, 0.1], [0.2, 0.2], [0.9, 0.2]]), colors, (0, 1, 0, 1), (1, 2)).tolist()
    [[[2, 0], [0, 1]]]
    """
    n_rows, n_columns = shape
    n_colors = len(colors.colors) + 1
    left, right, bottom, top = extent
    counts = np.zeros(n_rows * n_columns * n_colors, np.int32)
    start = 0
    for block in iterate_rows(points):
        column = (block[:, 0] - left) * (n_columns / (right - left))
        row = (block[:, 1] - bottom) * (n_rows / (top - bottom))
        is_inside = (column >= 0) & (column <= n_columns) & (row >= 0) & (row <= n_rows)
        index = colors.index[start : start + len(block)]
        start += len(block)
        if not is_inside.all():
            column, row, index = column[is_inside], row[is_inside], index[is_inside]
        row_index = np.minimum(row.astype(np.int32), n_rows - 1)
        cell = row_index * n_columns + np.minimum(column.astype(np.int32), n_columns - 1)
        np.add.at(counts, cell * n_colors + index % n_colors, np.int32(1))  # -1 is the last color
    return counts.reshape(n_rows, n_columns, n_colors)
