"""Legends beside or below an Axes, color bars, and names written on the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, MISSING_COLOR, LabelColors
from vaeviz.drawing.figure_factory import can_grow, grow
from vaeviz.drawing.text_fit import (
    CHARACTER_WIDTH,
    FontSizeKey,
    abbreviate,
    axes_height,
    axes_width,
    font_size,
    text_width,
)
from vaeviz.plugins.axes_layout import cell_box, fit_texts

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

LegendPlace = Literal["beside", "below", "on the data"]

MAX_DISTINCT_COLORS = 16  # of a rainbow; more classes are named on the data
SHORT_NAME_LENGTH = 3  # characters of a name that hides little of the data
MIN_NAME_LENGTH = 16  # characters that an abbreviated name keeps
MAX_NAME_LENGTH = 80  # characters of a name in a legend, more than fit beside or below any figure
MAX_SIDE_WIDTH = 0.45  # of the width that an Axes and a legend beside it have together
MAX_BELOW_WIDTH, MAX_BELOW_HEIGHT = 1.1, 0.62  # of the Axes, for a legend below
LINE_HEIGHT = 1.35  # of a legend / size of its letters
HANDLE_WIDTH = 3  # of a marker and the gaps around it / size of the letters
N_MEASURED_NAMES = 8  # the widest name is searched among those with the most characters
EXPECTED_SHRINKAGE = 0.75  # of an Axes that will make space for its labels and legend without a layout engine
SMALL_LETTERS = 0.75  # of the size of the letters, of a legend beside an Axes that has no space for larger ones
MAX_SMALL_SIDE_WIDTH = 0.55  # of the Axes, for a legend in small letters beside it
MAX_GROWTH = 0.8  # of the height of a figure, for a legend below that makes it higher
SMALL_LINE_HEIGHT = 1.2  # of such a legend / size of its letters
MAX_COVERED_SHARE = 0.2  # of an Axes that names on the data may cover if they fit into a legend
MAX_NAME_SHIFT = 3  # lines of text by which a name on the data evades others; farther away it would seem lost

_COMPACT_LEGEND: dict[str, Any] = {
    "handletextpad": 0.3,
    "handlelength": 1.2,
    "labelspacing": LINE_HEIGHT - 1,
    "columnspacing": 1,
    "frameon": False,
}


def add_color_key(
    ax: Axes,
    colors: LabelColors,
    points: np.ndarray | None = None,
    *,
    label_positions: np.ndarray | None = None,
    marker: Any = "o",
) -> None:
    """Add a color bar for a gradient, or a legend for classes where it fits.

    The legend is beside the data, or below if names are long. More than ten classes are named on the data if their
    names are short, or if a legend would need too many colors. Names that would cover the data are listed in small
    letters beside or below them. A figure that vaeviz makes for one Axes becomes higher for more than ten. Long names
    are abbreviated. In any case `ax` holds a legend handle for each class.

    Parameters
    ----------
    ax : Axes
        Axes that holds the data.
    colors : LabelColors
        Colors of the points.
    points : ndarray, shape (N, 2), optional
        Points; names on the data are written at the median of their class.
    label_positions : ndarray, shape (C, 2), optional
        Positions of names on the data, instead of `points`; NaN for a class without a name.
    marker : str or MarkerStyle
        Marker of the points.
    """
    others = [handle for handle in ax.get_legend_handles_labels()[0] if handle.get_label() not in colors.names]
    if colors.mappable is not None:
        add_color_bar(ax.figure, colors, ax=ax, fraction=0.046, pad=0.03)
    layout = _choose_layout(ax, colors)
    own = [*_class_handles(colors, marker), *_gray_handles(colors, marker)]
    for line in own:
        ax.add_line(line)
    handles = [*own, *others]
    n_names = len(layout.names)
    labels = [*layout.names, *(str(handle.get_label()) for handle in handles[n_names:])]
    if layout.place == "on the data":
        handles, labels = [*handles[n_names:], _invisible_handle()], [*labels[n_names:], f"{n_names} more classes"]
    if handles:
        _add_legend(ax, layout, handles, labels)
    if layout.place == "on the data":
        if label_positions is None and points is not None:
            label_positions = _class_medians(colors, points)
        n_unnamed = 0 if label_positions is None else _write_names(ax, layout.names, label_positions)
        _count_unnamed(ax, n_unnamed)


def add_color_bar(figure: Figure | SubFigure, colors: LabelColors, **place: Any) -> Colorbar:
    """Add the color bar of a gradient.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure.
    colors : LabelColors
        Colors with a `mappable`.
    **place
        Arguments of `matplotlib.figure.Figure.colorbar`.

    Returns
    -------
    Colorbar
        The color bar, with ticks at dates if the labels are dates.
    """
    from matplotlib import dates

    assert colors.mappable is not None
    bar = figure.colorbar(colors.mappable, label=colors.scale_label, **place)
    if colors.is_date:
        locator: Any = dates.AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]  # not annotated
        formatter: Any = dates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # not annotated
        bar.ax.yaxis.set_major_locator(locator)
        bar.ax.yaxis.set_major_formatter(formatter)
    return bar


def legend_below(
    ax: Axes, *, text_above: Sequence[FontSizeKey] = ("xtick.labelsize", "axes.labelsize"), **legend_kws: Any
) -> None:
    """Add a legend below an Axes and the text there, whatever the height of the Axes.

    It has two columns, or one if two are wider than the place of the Axes. If one is still wider, it may reach below
    the neighbors, but stays in the figure.

    Parameters
    ----------
    ax : Axes
        The Axes.
    text_above : sequence of str
        One rcParam with a font size for each line of text between the Axes and the legend; by default tick labels and
        the axis label.
    **legend_kws
        Arguments of `matplotlib.axes.Axes.legend`.
    """
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    fit_texts([ax])  # now, since an axis label of more lines would grow into the legend
    n_lines = {"axes.labelsize": 1 + ax.get_xlabel().count("\n")}
    points = LINE_HEIGHT * sum(n_lines.get(key, 1) * font_size(key) for key in text_above) + 8
    shift = ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans)
    place = {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + shift, "borderaxespad": 0}
    legend = ax.legend(loc="upper center", **{"ncols": 2, **place, **legend_kws})
    cell, whole = cell_box(ax), ax.figure.bbox
    if legend.get_window_extent().width <= cell.width:
        return
    legend = ax.legend(loc="upper center", **{**place, **legend_kws, "ncols": 1})
    width = legend.get_window_extent().width
    if width > cell.width:
        center = np.clip((cell.x0 + cell.x1) / 2, whole.x0 + width / 2, whole.x1 - width / 2)
        on_figure = blended_transform_factory(ax.figure.transSubfigure, ax.transAxes + shift)
        legend.set_bbox_to_anchor(((center - whole.x0) / whole.width, 0), on_figure)


def legend_inside(ax: Axes, **legend_kws: Any) -> bool:
    """Add a legend inside an Axes, or below it if the Axes is too narrow for the legend.

    Parameters
    ----------
    ax : Axes
        The Axes.
    **legend_kws
        Arguments of `matplotlib.axes.Axes.legend` for its place inside.

    Returns
    -------
    bool
        True if it is inside.
    """
    width = ax.legend(**legend_kws).get_window_extent().width
    if width < ax.get_window_extent().width:
        return True
    legend_below(ax)
    return False


def add_figure_key(
    figure: Figure | SubFigure, corner: Axes, colors: LabelColors, others: Sequence[Artist] = (), *, n_panels: int = 2
) -> None:
    """Add the legend or color bar of several Axes in the empty corner above a diagonal of panels.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure.
    corner : Axes
        Axes in the upper right corner, which holds nothing else.
    colors : LabelColors
        Colors of the points.
    others : sequence of Artist
        Artists with labels that the legend lists first.
    n_panels : int
        Number of panels on the diagonal.
    """
    if colors.mappable is not None:
        bar = add_color_bar(figure, colors, cax=corner.inset_axes((0.4, -0.95, 0.1, 1.6)))
        bar.ax.yaxis.set_ticks_position("left")
        bar.ax.set_in_layout(False)
    handles = [*_class_handles(colors, "o"), *_gray_handles(colors, "o")]
    for handle in handles:
        corner.add_line(handle)
    if not (handles or others):
        return
    names, n_columns, size = _corner_names(corner, colors.names, len(handles) + len(others), n_panels)
    labels = [*names, *(str(handle.get_label()) for handle in handles[len(names) :])]
    legend = corner.legend(
        [*others, *handles],
        [*(str(artist.get_label()) for artist in others), *labels],
        loc="upper right",
        borderaxespad=0,
        fontsize=size,
        **_COMPACT_LEGEND | {"ncols": n_columns},
    )
    legend.set_in_layout(False)


def _corner_names(
    corner: Axes, names: Sequence[str], n_entries: int, n_panels: int
) -> tuple[Sequence[str], int, float]:
    """Return names, a number of columns and a font size with which a legend fits above a diagonal of panels.

    Free are k rows of the panels that are n_panels - k columns wide, for any k.
    """
    size = font_size("legend.fontsize") if n_entries <= MAX_LEGEND_CLASSES + 2 else _small_size()
    places = {}
    for n_rows in range(1, n_panels):
        n_columns = math.ceil(n_entries * LINE_HEIGHT * size / (n_rows * axes_height(corner)))
        places[(n_panels - n_rows) * axes_width(corner) / n_columns] = n_columns
    width = max(places)
    return _fitting_names(names, width, size) or abbreviate(names, MIN_NAME_LENGTH), places[width], size


def _add_legend(ax: Axes, layout: _KeyLayout, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Add a legend beside or below an Axes; a figure of vaeviz becomes higher for many classes below."""
    style = _COMPACT_LEGEND | {"ncols": layout.n_columns, "handles": handles, "labels": labels}
    size, line_height = font_size("legend.fontsize"), LINE_HEIGHT
    if layout.is_small:
        size, line_height = _small_size(), SMALL_LINE_HEIGHT
        style |= {"fontsize": size, "labelspacing": line_height - 1}
    if layout.place == "below":
        if layout.names and ax.get_adjustable() == "datalim":  # a color bar would stand apart from a smaller box
            ax.set_adjustable("box")  # limits of equal scale would become wider where the legend makes the Axes lower
            ax.set_anchor("S")  # so that a layout engine knows where the legend ends, whatever the height of the box
        legend_below(ax, **style)
        if layout.is_small or (len(layout.names) > MAX_LEGEND_CLASSES and ax.figure.axes == [ax]):
            grow(ax.figure, math.ceil(len(handles) / layout.n_columns) * line_height * size)
        return
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, **style)


def _class_handles(colors: LabelColors, marker: Any) -> list[Line2D]:
    """Return a legend handle for each class."""
    return [_marker_handle(name, color, marker) for name, color in zip(colors.names, colors.colors)]


def _gray_handles(colors: LabelColors, marker: Any) -> list[Line2D]:
    return [_marker_handle(colors.gray_name, MISSING_COLOR, marker)] if colors.n_missing else []


def _marker_handle(name: str, color: Any, marker: Any) -> Line2D:
    from matplotlib.lines import Line2D
    from matplotlib.markers import MarkerStyle

    edge_width = 0 if MarkerStyle(marker).is_filled() else 1
    return Line2D([], [], ls="", marker=marker, mew=edge_width, ms=5, color=color, label=name)


def _invisible_handle() -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], ls="")


@dataclass(frozen=True)
class _KeyLayout:
    """Where classes are named and how."""

    place: LegendPlace
    names: Sequence[str] = ()
    n_columns: int = 1
    is_small: bool = False  # in smaller letters than other legends


def _choose_layout(ax: Axes, colors: LabelColors) -> _KeyLayout:
    """Choose where classes are named, and their names, so that the data keep most of the space."""
    names, is_few = colors.names, len(colors.names) <= MAX_LEGEND_CLASSES
    if not names:
        return _KeyLayout("beside") if colors.mappable is None else _KeyLayout("below", n_columns=2)
    is_short = max(map(len, names)) <= SHORT_NAME_LENGTH
    others = [*ax.get_legend_handles_labels()[1], *[colors.gray_name] * bool(colors.n_missing)]
    n_entries = len(names) + len(others)
    if is_few or (not is_short and len(names) <= MAX_DISTINCT_COLORS):
        n_columns = 1 if is_few else _n_legend_columns(ax, n_entries)
        if n_columns * _entry_width([*names, *others]) < MAX_SIDE_WIDTH * axes_width(ax):
            n_lines = n_entries + sum(text.count("\n") for text in others)
            is_high = n_columns == 1 and n_lines * LINE_HEIGHT * font_size("legend.fontsize") > axes_height(ax)
            return _KeyLayout("beside", names, n_columns, is_small=is_high)
        fitting = _fitting_names(names, MAX_BELOW_WIDTH * axes_width(ax) / 2)
        height = math.ceil(n_entries / 2) * LINE_HEIGHT * font_size("legend.fontsize")
        if fitting and height < MAX_BELOW_HEIGHT * axes_height(ax):
            labels, half = [*fitting, *others], math.ceil(n_entries / 2)
            is_wide = _entry_width(labels[:half]) + _entry_width(labels[half:]) > MAX_BELOW_WIDTH * axes_width(ax)
            return _KeyLayout("below", fitting, 1 if is_wide else 2)
        if is_few:
            return _KeyLayout("beside", abbreviate(names, MIN_NAME_LENGTH), is_small=True)
    on_data = _KeyLayout("on the data", abbreviate(names, MIN_NAME_LENGTH))
    if is_short or _covered_share(ax, on_data.names) < MAX_COVERED_SHARE:
        return on_data
    return _choose_small_layout(ax, names, n_entries) or on_data


def _choose_small_layout(ax: Axes, names: Sequence[str], n_entries: int) -> _KeyLayout | None:
    """Return a layout in small letters beside an Axes, or below it if its figure can become higher; None if none."""
    size, height = _small_size(), 72 / ax.figure.dpi * cell_box(ax).height
    room = height - 2 * LINE_HEIGHT * font_size("axes.titlesize")
    n_columns = math.ceil(n_entries * SMALL_LINE_HEIGHT * size / max(room, 1))
    fitting = _fitting_names(names, MAX_SMALL_SIDE_WIDTH * axes_width(ax) / n_columns, size)
    if fitting:
        return _KeyLayout("beside", fitting, n_columns, is_small=True)
    fitting = _fitting_names(names, MAX_BELOW_WIDTH * axes_width(ax) / 2, size)
    is_low = math.ceil(n_entries / 2) * SMALL_LINE_HEIGHT * size < MAX_GROWTH * height
    return _KeyLayout("below", fitting, 2, is_small=True) if fitting and is_low and can_grow(ax.figure) else None


def _covered_share(ax: Axes, names: Sequence[str]) -> float:
    """Return the share of an Axes that names would cover."""
    size = font_size("legend.fontsize")
    covered = sum(map(len, names)) * CHARACTER_WIDTH * size * LINE_HEIGHT * size
    return covered / (axes_width(ax) * axes_height(ax))


def _fitting_names(names: Sequence[str], width: float, size: float | None = None) -> Sequence[str] | None:
    """Abbreviate names until a legend entry is no wider than `width` points; None if they would become too short."""
    longest = min(max(map(len, names), default=0), MAX_NAME_LENGTH)
    for length in range(longest, min(longest, MIN_NAME_LENGTH) - 1, -1):
        shown = abbreviate(names, length)
        if _entry_width(shown, size) <= width:
            return shown
    return None


def _entry_width(names: Sequence[str], size: float | None = None) -> float:
    """Return the width in points of a legend entry that fits every name in letters of a size."""
    size = size or font_size("legend.fontsize")
    lines = (line for name in names for line in name.splitlines())
    longest = sorted(lines, key=len)[-N_MEASURED_NAMES:]
    return max((text_width(line, size) for line in longest), default=0) + HANDLE_WIDTH * size


def _has_layout_engine(ax: Axes) -> bool:
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    engine = ax.figure.get_layout_engine()
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)


def _n_legend_columns(ax: Axes, n_entries: int) -> int:
    """Return how many columns keep a legend about as low as the Axes are before the layout."""
    return math.ceil(n_entries * LINE_HEIGHT * font_size("legend.fontsize") / (1.1 * axes_height(ax)))


def _small_size() -> float:
    return SMALL_LETTERS * font_size("legend.fontsize")


def _count_unnamed(ax: Axes, n_unnamed: int) -> None:
    """Write into the last entry of a legend how many classes have no name on the data, or remove it."""
    legend = ax.get_legend()
    assert legend is not None
    legend.get_texts()[-1].set_text(f"{n_unnamed} more classes" if n_unnamed else "")
    if len(legend.get_texts()) == 1 and not n_unnamed:
        legend.remove()


def _class_medians(colors: LabelColors, points: np.ndarray) -> np.ndarray:
    """Return the median of each class (C, 2), NaN for a class without points."""
    medians = np.full((len(colors.names), 2), np.nan)
    for code in np.unique(colors.index[colors.index >= 0]):
        medians[code] = np.median(points[colors.index == code], axis=0)
    return medians


def _write_names(ax: Axes, names: Sequence[str], positions: np.ndarray) -> int:
    """Write names at positions, or near them where they would overlap, and return how many find no place."""
    from matplotlib.patheffects import withStroke

    style: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": font_size("legend.fontsize"),
        "zorder": 5,
        "path_effects": [withStroke(linewidth=2, foreground="white")],
    }
    is_shown = np.isfinite(positions).all(axis=1)
    names, positions = [name for name, shown in zip(names, is_shown) if shown], positions[is_shown]
    line = {"arrowstyle": "-", "lw": 0.4, "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    shifts = _evading_shifts(ax, names, positions)
    for name, (x, y), shift in zip(names, positions, shifts):
        if shift is not None and any(shift):
            ax.annotate(name, (x, y), shift, textcoords="offset points", arrowprops=line, **style)
        elif shift is not None:
            ax.text(x, y, name, **style)
    return shifts.count(None)


def _evading_shifts(ax: Axes, names: Sequence[str], positions: np.ndarray) -> list[tuple[float, float] | None]:
    """Return for each name the smallest shift in points at which it overlaps no earlier one, None if there is none."""
    has_layout = _has_layout_engine(ax)
    if has_layout:
        root = ax.get_figure(root=True)
        assert root is not None
        root.draw_without_rendering()  # so that the Axes have the size with which they are drawn
    ax.apply_aspect()
    size = font_size("legend.fontsize")
    height = 1.2 * size
    anchors = 72 / ax.figure.dpi * (ax.transData.transform(positions) - ax.bbox.min)
    free = np.array([axes_width(ax), axes_height(ax)])
    if not has_layout:
        anchors, free = EXPECTED_SHRINKAGE * anchors, EXPECTED_SHRINKAGE * free
    taken = np.empty((0, 4))
    shifts: list[tuple[float, float] | None] = []
    for name, anchor in zip(names, anchors):
        half = np.array([text_width(name, size) + 2, height]) / 2
        for shift in _shifts_outward(half[0], height):
            low, high = anchor + shift - half, anchor + shift + half
            overlaps = (taken[:, :2] < high).all(axis=1) & (taken[:, 2:] > low).all(axis=1)
            if not overlaps.any() and (low >= 0).all() and (high <= free).all():
                taken = np.vstack([taken, [*low, *high]])
                shifts.append(shift)
                break
        else:
            shifts.append(None)
    return shifts


def _shifts_outward(half_width: float, height: float) -> Iterator[tuple[float, float]]:
    """Yield shifts in points: none, then around it at a growing distance."""
    yield 0.0, 0.0
    for ring in range(1, MAX_NAME_SHIFT + 1):
        for x in (0.0, 0.5, -0.5, 1.0, -1.0):
            for y in (1, -1):
                yield x * ring * half_width, float(y * ring * height)
        for x in (1, -1):
            yield float(x * ring * half_width), 0.0
