"""Legends beside or below an Axes, color bars, and names written on the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.drawing.colors import MAX_LEGEND_CLASSES, MISSING_COLOR, LabelColors
from vaeviz.drawing.text_fit import FontSizeKey, abbreviate, axes_height, axes_width, font_size, text_width

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

LegendPlace = Literal["beside", "below", "on the data"]

MAX_DISTINCT_COLORS = 16  # of a rainbow; more classes are named on the data
SHORT_NAME_LENGTH = 3  # characters of a name that hides little of the data
MIN_NAME_LENGTH = 16  # characters that an abbreviated name keeps
MAX_SIDE_WIDTH = 0.45  # of the width that an Axes and a legend beside it have together
MAX_BELOW_WIDTH, MAX_BELOW_HEIGHT = 1.1, 0.62  # of the Axes, for a legend below
LINE_HEIGHT = 1.35  # of a legend / size of its letters
HANDLE_WIDTH = 3  # of a marker and the gaps around it / size of the letters
N_MEASURED_NAMES = 8  # the widest name is searched among those with the most characters

_COMPACT_LEGEND: dict[str, Any] = {
    "handletextpad": 0.3,
    "handlelength": 1.2,
    "labelspacing": LINE_HEIGHT - 1,
    "columnspacing": 1,
    "frameon": False,
}


def add_color_key(
    ax: Axes, colors: LabelColors, points: np.ndarray | None = None, *, label_positions: np.ndarray | None = None
) -> None:
    """Add a color bar for a gradient, or a legend for classes where it fits.

    The legend is beside the data, or below if names are long. More than ten classes are named on the data if their
    names are short, or if a legend would need too much space or too many colors. Long names are abbreviated.

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
    """
    if colors.mappable is not None:
        ax.figure.colorbar(colors.mappable, ax=ax, label="label", fraction=0.046, pad=0.03)
        _add_class_legend(ax, colors, "below")
        return
    place, names = _choose_place(ax, colors)
    if place == "on the data":
        if label_positions is None and points is not None:
            label_positions = _class_medians(colors, points)
        if label_positions is not None:
            _write_names(ax, names, label_positions)
        names = ()
    _add_class_legend(ax, replace(colors, names=tuple(names)), place)


def legend_below(
    ax: Axes, *, text_above: Sequence[FontSizeKey] = ("xtick.labelsize", "axes.labelsize"), **legend_kws: Any
) -> None:
    """Add a legend in two columns below an Axes and the text there, whatever the height of the Axes.

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
    from matplotlib.transforms import ScaledTranslation

    points = LINE_HEIGHT * sum(map(font_size, text_above)) + 8
    shift = ScaledTranslation(0, -points / 72, ax.figure.dpi_scale_trans)
    place = {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + shift, "borderaxespad": 0}
    ax.legend(loc="upper center", **{"ncols": 2, **place, **legend_kws})


def add_figure_key(
    figure: Figure | SubFigure, corner: Axes, colors: LabelColors, others: Sequence[Artist] = ()
) -> None:
    """Add the legend or color bar of several Axes in an empty corner of their figure.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure.
    corner : Axes
        Axes that holds nothing else.
    colors : LabelColors
        Colors of the points.
    others : sequence of Artist
        Artists with labels that the legend lists first.
    """
    if colors.mappable is not None:
        bar = figure.colorbar(colors.mappable, cax=corner.inset_axes((0.4, -0.95, 0.1, 1.6)), label="label")
        bar.ax.yaxis.set_ticks_position("left")
        bar.ax.set_in_layout(False)
    n_entries = len(colors.names) + bool(colors.n_missing)
    n_columns = max(1, math.ceil(n_entries / MAX_LEGEND_CLASSES))
    names = _fitting_names(colors.names, axes_width(corner) / n_columns) or abbreviate(colors.names, MIN_NAME_LENGTH)
    handles = [*others, *_class_handles(replace(colors, names=tuple(names)))]
    if handles:
        legend = corner.legend(handles=handles, loc="upper right", borderaxespad=0, ncols=n_columns, handletextpad=0.3)
        legend.set_in_layout(False)


def _add_class_legend(ax: Axes, colors: LabelColors, place: LegendPlace) -> None:
    """Add a legend of the named classes, missing labels, and everything else in the Axes that has a label."""
    handles = [*_class_handles(colors), *ax.get_legend_handles_labels()[0]]
    if not handles:
        return
    if place == "below":
        legend_below(ax, handles=handles, **_COMPACT_LEGEND)
        return
    n_columns = _n_legend_columns(ax, len(handles)) if len(colors.names) > MAX_LEGEND_CLASSES else 1
    ax.legend(
        handles=handles,
        ncols=n_columns,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0,
        **_COMPACT_LEGEND,
    )


def _class_handles(colors: LabelColors) -> list[Line2D]:
    """Return legend handles of the named classes, and of missing labels if there are any."""
    from matplotlib.lines import Line2D

    entries = list(zip(colors.names, colors.colors))
    if colors.n_missing:
        entries.append(("no label", MISSING_COLOR))
    return [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=color, label=name) for name, color in entries]


def _choose_place(ax: Axes, colors: LabelColors) -> tuple[LegendPlace, Sequence[str]]:
    """Choose where classes are named, and their names, so that the data keep most of the space.

    Only a layout engine makes space for a legend.
    """
    names, is_few = colors.names, len(colors.names) <= MAX_LEGEND_CLASSES
    has_layout = _has_layout_engine(ax)
    if not names or (is_few and not has_layout):
        return "beside", names
    is_short = max(map(len, names)) <= SHORT_NAME_LENGTH
    if not is_few and (is_short or len(names) > MAX_DISTINCT_COLORS or not has_layout):
        return "on the data", abbreviate(names, MIN_NAME_LENGTH)
    n_entries = len(names) + len(ax.get_legend_handles_labels()[0]) + bool(colors.n_missing)
    n_columns = 1 if is_few else _n_legend_columns(ax, n_entries)
    if n_columns * _entry_width(names) < MAX_SIDE_WIDTH * axes_width(ax):
        return "beside", names
    fitting = _fitting_names(names, MAX_BELOW_WIDTH * axes_width(ax) / 2)
    height = math.ceil(n_entries / 2) * LINE_HEIGHT * font_size("legend.fontsize")
    if fitting and height < MAX_BELOW_HEIGHT * axes_height(ax):
        return "below", fitting
    return ("beside" if is_few else "on the data"), abbreviate(names, MIN_NAME_LENGTH)


def _fitting_names(names: Sequence[str], width: float) -> Sequence[str] | None:
    """Abbreviate names until a legend entry is no wider than `width` points; None if they would become too short."""
    longest = max(map(len, names), default=0)
    for length in range(longest, min(longest, MIN_NAME_LENGTH) - 1, -1):
        shown = abbreviate(names, length)
        if _entry_width(shown) <= width:
            return shown
    return None


def _entry_width(names: Sequence[str]) -> float:
    """Return the width in points of a legend entry that fits every name."""
    size = font_size("legend.fontsize")
    longest = sorted(names, key=len)[-N_MEASURED_NAMES:]
    return max((text_width(name, size) for name in longest), default=0) + HANDLE_WIDTH * size


def _has_layout_engine(ax: Axes) -> bool:
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    engine = ax.figure.get_layout_engine()
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)


def _n_legend_columns(ax: Axes, n_entries: int) -> int:
    """Return how many columns keep a legend about as low as the Axes are before the layout."""
    return math.ceil(n_entries * LINE_HEIGHT * font_size("legend.fontsize") / (1.1 * axes_height(ax)))


def _class_medians(colors: LabelColors, points: np.ndarray) -> np.ndarray:
    """Return the median of each class (C, 2), NaN for a class without points."""
    medians = np.full((len(colors.names), 2), np.nan)
    for code in np.unique(colors.index[colors.index >= 0]):
        medians[code] = np.median(points[colors.index == code], axis=0)
    return medians


def _write_names(ax: Axes, names: Sequence[str], positions: np.ndarray) -> None:
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2, foreground="white")]
    for name, (x, y) in zip(names, positions):
        if np.isfinite(x) and np.isfinite(y):
            ax.text(x, y, name, ha="center", va="center", fontsize="small", zorder=5, path_effects=outline)
