"""Fit what one plot drew into the part of a figure that belongs to it, and leave the rest of the figure alone.

matplotlib's layout engines move all Axes of a whole figure, never break a title, and must be chosen before anything is
drawn, but a plot receives any Axes of any figure. So its texts are broken where they are longer than its cell, and
where no engine does it, its Axes make space for their labels inside of the cell. It is in this room because
`register_plot` fits every plot, also those of other packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec
from matplotlib.transforms import Bbox, BboxTransform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.text import Text

TEXT_SHARE = 0.94  # of a cell that a text fills: it is centered on the Axes, which labels move to the side
FITS = ((0.88, 0), (1.0, 1), (0.85, 1), (0.7, 9))  # scales of the font, and lines that a text may become longer
CELL_MARGIN = 3  # points that stay empty along the edges of a cell
MIN_ROOM_SHARE = 0.7  # of the room of a text before the layout, which labels between panels may leave after it
MIN_AXES_SHARE = 0.25  # of its cell, which an Axes keeps when labels take space from it
AXES_WIDTH, PANELS_WIDTH = 0.32, 0.7  # inches per point of the font, which one Axes and several panels need
MIN_FONT_SIZE = 8  # points, of the labels of one Axes that a layout engine makes space for: that of figures in papers
MIN_CROWDED_FONT_SIZE = 6.5  # points, without an engine
MIN_FONT_SCALE = 0.6  # of several panels
SIZES = (  # rcParams that may be words relative to the first, which need no change
    "font.size", "axes.titlesize", "axes.labelsize", "axes.titlepad", "axes.labelpad", "xtick.labelsize",
    "ytick.labelsize", "legend.fontsize", "legend.title_fontsize", "figure.titlesize", "lines.markersize",
    "lines.linewidth", "xtick.major.size", "ytick.major.size",
)  # fmt: skip
N_FITS = 2  # texts and tick labels change with the place of an Axes, and the place with them
INWARDS = np.array([1, 1, -1, -1])  # direction from the left, bottom, right and top side


def cell_box(ax: Axes) -> Bbox:
    """Return the part of the figure that belongs to an Axes.

    Parameters
    ----------
    ax : Axes
        The Axes.

    Returns
    -------
    Bbox
        In pixels: its cell of a grid with half of the gaps around it, out to the edges of the figure; or the Axes
        itself if it belongs to no grid.
    """
    spec = ax.get_subplotspec()
    if spec is None:
        return Bbox(ax.get_window_extent())
    grid, figure = spec.get_gridspec(), cast(Any, ax.figure)
    bottoms, tops, lefts, rights = map(np.array, grid.get_grid_positions(figure))
    for other in figure.axes:  # where a layout engine has moved them
        place = other.get_subplotspec()
        if place is not None and place.get_gridspec() is grid and other.figure is figure:
            x0, y0, x1, y1 = other.get_position(original=True).extents
            lefts[place.colspan.start], rights[place.colspan.stop - 1] = x0, x1
            tops[place.rowspan.start], bottoms[place.rowspan.stop - 1] = y1, y0
    left, bottom, right, top = 0.0, 0.0, 1.0, 1.0
    if isinstance(grid, GridSpecFromSubplotSpec):
        left, bottom, right, top = lefts[0], bottoms[-1], rights[-1], tops[0]
    across = [left, *(rights[:-1] + lefts[1:]) / 2, right]
    down = [top, *(bottoms[:-1] + tops[1:]) / 2, bottom]
    rows, columns = spec.rowspan, spec.colspan
    box = Bbox.from_extents(across[columns.start], down[rows.stop], across[columns.stop], down[rows.start])
    return Bbox(box.transformed(figure.transSubfigure))


def lay_out(figure: Figure | SubFigure) -> None:
    """Run the layout engine of a figure, if it has one.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure, or a part of it.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(cast(Any, figure).get_figure(root=True))


@contextmanager
def smaller_fonts(ax: Axes, *, has_panels: bool) -> Iterator[None]:
    """Reduce the sizes of text, lines and markers in the place of a narrow Axes, and restore them for others.

    Parameters
    ----------
    ax : Axes
        The Axes. Its own labels stay small.
    has_panels : bool
        Whether several panels divide its place.
    """
    import matplotlib

    rc = cast(dict[str, Any], matplotlib.rcParams)
    size, width = rc["font.size"], cell_box(ax).width / ax.figure.dpi
    if has_panels:
        scale = np.clip(width / (PANELS_WIDTH * size), MIN_FONT_SCALE, 1)
    else:
        smallest = MIN_CROWDED_FONT_SIZE if ax.figure.get_layout_engine() is None else MIN_FONT_SIZE
        scale = np.clip(width / (AXES_WIDTH * size), min(smallest / size, 1), 1)
    sizes = {name: scale * rc[name] for name in SIZES if isinstance(rc[name], (int, float))}
    with matplotlib.rc_context(cast(Any, sizes)):
        for axis in (ax.xaxis, ax.yaxis) if scale < 1 else ():
            axis.label.set_fontsize(scale * cast(float, axis.label.get_fontsize()))
            axis.set_tick_params(labelsize=rc[f"{axis.axis_name}tick.labelsize"])
        yield


def fit_into_place(
    axes: Sequence[Axes], helpers: Sequence[Axes], figure: Figure | SubFigure | None, largest: Bbox | None = None
) -> None:
    """Break long titles and labels, and keep all that Axes hold inside of their cells.

    Parameters
    ----------
    axes : sequence of Axes
        What a plot drew into.
    helpers : sequence of Axes
        Other Axes that it added, such as color bars.
    figure : Figure or SubFigure or None
        Figure that holds these Axes only, with its title and legends.
    largest : Bbox, optional
        Largest place of a single Axes as a share of its figure; by default the present one.

    Notes
    -----
    Without a layout engine, the Axes of a figure are placed so that their labels, legends and color bars do not
    overlap, and a single Axes shrinks until they are inside of its cell, as ``tight_layout`` would do for all.
    """
    has_engine = axes[0].figure.get_layout_engine() is not None and axes[0].get_in_layout()
    room_share = 1 if figure is None else MIN_ROOM_SHARE
    if has_engine and any(_length(text) > room_share * room for ax in axes for text, room in _texts_with_room(ax)):
        lay_out(axes[0].figure)
    fit_texts(axes, figure)
    if has_engine or axes[0].get_subplotspec() is None:
        return
    groups = [_Group([*axes, *helpers], range(1), range(1))] if figure is None else _group_by_cell([*axes, *helpers])
    cell = cell_box(axes[0])
    bound = groups[0].box() if largest is None else largest.transformed(axes[0].figure.transSubfigure)
    for _ in range(N_FITS):
        if figure is None:
            _place_groups(groups, cell, np.ones(1), np.ones(1), largest=bound)
        else:
            grid = _top_spec(axes[0]).get_gridspec()
            ratios = np.asarray(grid.get_width_ratios(), float), np.asarray(grid.get_height_ratios(), float)
            _place_groups(groups, _free_box(figure), *ratios)
        fit_texts(axes, figure)
    if figure is None:
        moved = _MovedCell(groups[0].axes)
        for ax in groups[0].axes:
            ax.set_axes_locator(_Locator(ax, moved))


def fit_texts(axes: Sequence[Axes], figure: Figure | SubFigure | None = None) -> None:
    """Shrink and break the texts of Axes that are longer than their cells, and titles longer than a figure.

    Parameters
    ----------
    axes : sequence of Axes
        The Axes.
    figure : Figure or SubFigure, optional
        The figure.
    """
    for ax in axes:
        for text, room in _texts_with_room(ax):
            _fit_text(text, room)
    if figure is not None:
        for text in figure.texts:
            _fit_text(text, TEXT_SHARE * figure.bbox.width)


def _texts_with_room(ax: Axes) -> list[tuple[Text, float]]:
    """Return the title, the labels and the notes of an Axes, and how long each may be in pixels."""
    cell, box = cell_box(ax), ax.get_window_extent()
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2  # on which the texts are centered
    width = max(box.width, 2 * min(x - cell.x0, cell.x1 - x))
    top = ax.title.get_window_extent().y0 if ax.title.get_text() else cell.y1
    height = max(box.height, 2 * min(y - cell.y0, top - y))
    across = [(text, TEXT_SHARE * width) for text in (ax.title, ax.xaxis.label, *ax.texts)]
    return [*across, (ax.yaxis.label, TEXT_SHARE * height)]


def _free_box(figure: Figure | SubFigure) -> Bbox:
    """Return the place between the titles and legends of a figure, in pixels."""
    left, bottom, right, top = figure.bbox.extents
    for artist in (*figure.texts, *figure.legends):
        box = artist.get_window_extent()
        if box.y0 + box.y1 > figure.bbox.y0 + figure.bbox.y1:
            top = min(top, box.y0)
        else:
            bottom = max(bottom, box.y1)
    return Bbox.from_extents(left, bottom, right, top)


@dataclass(frozen=True)
class _Group:
    """Axes that share a cell of a grid, such as one and its color bar."""

    axes: list[Axes]
    rows: range
    columns: range

    def box(self) -> Bbox:
        """Return the place of the Axes in pixels, without labels."""
        places = [ax.get_position(original=True).transformed(ax.figure.transSubfigure) for ax in self.axes]
        return Bbox.union(places)

    def labels_beyond(self) -> np.ndarray:
        """Return how far labels extend beyond the place, in pixels: left, below, right, above."""
        outer = Bbox.union([box for ax in self.axes if (box := ax.get_tightbbox()) is not None])
        return np.asarray(np.maximum(np.subtract(self.box().extents, outer.extents) * INWARDS, 0))

    def move_to(self, place: np.ndarray) -> None:
        """Move the Axes to a place (left, below, right, above) in pixels."""
        moved = BboxTransform(self.box(), Bbox.from_extents(*place))
        for ax in self.axes:
            in_pixels = ax.get_position(original=True).transformed(ax.figure.transSubfigure)
            is_in_layout = ax.get_in_layout()
            ax.set_position(moved.transform_bbox(in_pixels).transformed(ax.figure.transSubfigure.inverted()))
            ax.set_in_layout(is_in_layout)  # so that a later `tight_layout` still places it


class _MovedCell(SubplotSpec):
    """The cell of Axes that are no longer where their grid puts them."""

    def __init__(self, axes: Sequence[Axes]) -> None:
        spec = _top_spec(axes[0])
        super().__init__(spec.get_gridspec(), spec.num1, spec.num2)
        self.axes = axes

    def get_position(self, figure: Figure, return_all: Any = False) -> Bbox:
        """Return the place that the Axes fill as a share of the figure."""
        return Bbox.union([ax.get_position(original=True) for ax in self.axes])

    def get_topmost_subplotspec(self) -> SubplotSpec:
        """Return this cell, also for one in a grid inside of another."""
        return self


class _Locator:
    """Tells a layout that is computed later where an Axes is now; `tight_layout` assumes the place in its grid.

    Parameters
    ----------
    ax : Axes
        The Axes.
    cell : SubplotSpec
        The cell that it belongs to.
    """

    def __init__(self, ax: Axes, cell: SubplotSpec) -> None:
        self.cell = cell
        self.inner: Any = ax.get_axes_locator()  # of a color bar, which leaves space for its pointed ends

    def __call__(self, ax: Any, renderer: Any) -> Bbox:
        """Return the place as a share of the figure; matplotlib calls this before it draws."""
        box: Bbox = ax.get_position(original=True) if self.inner is None else self.inner(ax, renderer)
        return box

    def get_subplotspec(self) -> SubplotSpec:
        """Return the cell."""
        return self.cell


class _PanelLocator(_Locator):
    """Keeps a panel where it is in the part of a figure that belongs to an Axes."""

    def __init__(self, ax: Axes, cell: SubplotSpec) -> None:
        super().__init__(ax, cell)
        self.box = ax.get_position(original=True).frozen()

    def __call__(self, ax: Any, renderer: Any) -> Bbox:
        """Return the same place, after `tight_layout` has moved the panel in its grid."""
        ax.set_position(self.box, which="original")
        return super().__call__(ax, renderer)


class _DividedLocator(_Locator):
    """Moves the part of a figure that holds panels with the Axes that they divide."""

    def __init__(self, ax: Axes, cell: SubplotSpec, part: SubFigure) -> None:
        super().__init__(ax, cell)
        self.part = part
        self.beyond = np.subtract(part.bbox_relative.extents, ax.get_position(original=True).extents)

    def __call__(self, ax: Any, renderer: Any) -> Bbox:
        """Move the part, and return the place of the Axes."""
        box = super().__call__(ax, renderer)
        self.part.bbox_relative.set(Bbox.from_extents(*(box.extents + self.beyond)))
        return box


def move_panels_with(ax: Axes, panels: Sequence[Axes], part: SubFigure) -> None:
    """Let panels follow the Axes that they divide if `tight_layout` or `subplots_adjust` is called later.

    Parameters
    ----------
    ax : Axes
        The Axes.
    panels : sequence of Axes
        The panels.
    part : SubFigure
        The part of the figure that holds them.
    """
    from matplotlib.patches import Rectangle

    cell = _MovedCell([ax])
    ax.set_axes_locator(_DividedLocator(ax, cell, part))
    for panel in panels:
        panel.set_axes_locator(_PanelLocator(panel, cell))
    outline = Rectangle((0, 0), 1, 1, transform=part.transSubfigure, visible=True, fill=False, lw=0, clip_on=False)
    ax.add_artist(outline)  # so that layouts leave space for all of the part


def _group_by_cell(axes: Sequence[Axes]) -> list[_Group]:
    cells: dict[tuple[range, range], list[Axes]] = {}
    for ax in axes:
        spec = _top_spec(ax)
        cells.setdefault((spec.rowspan, spec.colspan), []).append(ax)
    return [_Group(group, rows, columns) for (rows, columns), group in cells.items()]


def _top_spec(ax: Axes) -> SubplotSpec:
    return cast(SubplotSpec, ax.get_subplotspec()).get_topmost_subplotspec()


def _place_groups(
    groups: Sequence[_Group],
    box: Bbox,
    width_ratios: np.ndarray,
    height_ratios: np.ndarray,
    *,
    largest: Bbox | None = None,
) -> None:
    """Place Axes in rows and columns of a box in pixels, with space for the labels around them."""
    margin = CELL_MARGIN * groups[0].axes[0].figure.dpi / 72
    beyond = [group.labels_beyond() + margin for group in groups]
    columns = _spans(box.x0, box.x1, width_ratios, [(g.columns, b[0], b[2]) for g, b in zip(groups, beyond)])
    rows = _spans(-box.y1, -box.y0, height_ratios, [(g.rows, b[3], b[1]) for g, b in zip(groups, beyond)])
    for group in groups:
        left, right = columns[0][group.columns.start], columns[1][group.columns.stop - 1]
        top, bottom = -rows[0][group.rows.start], -rows[1][group.rows.stop - 1]
        place = np.array([left, bottom, right, top])
        if largest is not None:
            place = np.where(INWARDS > 0, np.maximum(place, largest.extents), np.minimum(place, largest.extents))
        if (place[2:] > place[:2]).all():
            group.move_to(place)


def _spans(
    first: float, last: float, ratios: np.ndarray, labels: Sequence[tuple[range, float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and ends of columns between two ends, with space for the labels before and after each."""
    before, after = np.zeros(len(ratios)), np.zeros(len(ratios))
    for columns, length_before, length_after in labels:
        before[columns.start] = max(before[columns.start], length_before)
        after[columns.stop - 1] = max(after[columns.stop - 1], length_after)
    room = min(1, (1 - MIN_AXES_SHARE) * (last - first) / (before.sum() + after.sum()))
    before, after = room * before, room * after  # where labels would take all space, they may overlap
    free = last - first - before.sum() - after.sum()
    widths = free * ratios / ratios.sum()
    ends = first + np.cumsum(before + widths + after) - after
    return ends - widths, ends


def _fit_text(text: Text, length: float) -> None:
    """Shrink a text and break its lines so that they are at most as long as some pixels."""
    whole, size = text.get_text(), cast(float, text.get_fontsize())
    if _length(text) <= length:
        return
    for scale, n_added in FITS:
        text.set_fontsize(scale * size)
        lines = [part for line in whole.split("\n") for part in _broken(text, line, length)]
        if len(lines) <= 1 + whole.count("\n") + n_added:
            break
    text.set_text("\n".join(lines))


def _broken(text: Text, line: str, length: float) -> list[str]:
    """Break a line at spaces, not inside of formulas, nor beside =, ± and <."""
    parts: list[str] = []
    for word in re.findall(r"(?:\$[^$]+\$|\s[=±<]\s|\S)+", line):
        text.set_text(f"{parts[-1]} {word}" if parts else word)
        if parts and _length(text) <= length:
            parts[-1] = text.get_text()
        else:
            parts.append(word)
    return parts or [""]


def _length(text: Text) -> float:
    """Return the length of a text in pixels along its direction."""
    if not text.get_text():
        return 0.0
    box = text.get_window_extent()
    return float(box.height if text.get_rotation() == 90 else box.width)
