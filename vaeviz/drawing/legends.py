"""What tells colors apart: legends beside or below the Axes, color bars, names among the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.drawing.colors import MAX_DIRECT_LEGEND, MISSING_COLOR, LabelColors
from vaeviz.drawing.text_fit import abbreviate, axes_height, axes_width, font_size, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Where = Literal["beside", "below", "among the data"]

TOLD_APART = 16  # colors of a rainbow
SHORT = 3  # letters of a name that hides little
FEWEST = 16  # letters that a long name keeps at least
BESIDE = 0.45  # of the width that the Axes and a legend beside them have together
BELOW = 1.1, 0.62  # of the width and of the height of the Axes, for a legend below
LINE = 1.35  # height of a legend's line / size of its letters
LIKELY = 8  # names of the most letters, among which the widest is looked for
MARK = 3  # width of the mark before a name and of the gaps around it / size of its letters


def add_color_key(
    ax: Axes, colors: LabelColors, points: np.ndarray | None = None, label_positions: np.ndarray | None = None
) -> None:
    """A color bar for a gradient; for categories a legend beside the data, or where names are long below them.

    More than ten categories are named among the data where names are short, or a legend would take too much room or
    too many colors: at `label_positions` (C, 2), one a category, by default the medians of their `points` (N, 2). Names that
    find no room are shortened.
    """
    if colors.mappable is not None:
        ax.figure.colorbar(colors.mappable, ax=ax, label="label", fraction=0.046, pad=0.03)
        _legend(ax, colors, "below")
        return
    where, names = _arrangement(ax, colors)
    if where == "among the data":
        _name_among_data(ax, names, _medians(colors, points) if label_positions is None else label_positions)
    _legend(ax, replace(colors, names=() if where == "among the data" else tuple(names)), where)


def legend_below(ax: Axes, *, text_above: Sequence[str] = ("xtick.labelsize", "axes.labelsize"), **look: Any) -> None:
    """A legend in two columns below the Axes, however high they are, and `text_above` a line of text of each of these sizes.

    Unless said otherwise, those are the tick labels and the name of the axis.
    """
    from matplotlib.transforms import ScaledTranslation

    down = ScaledTranslation(0, -(LINE * sum(map(font_size, text_above)) + 8) / 72, ax.figure.dpi_scale_trans)
    place = {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + down, "borderaxespad": 0}
    ax.legend(loc="upper center", **{"ncols": 2, **place, **look})


def add_figure_key(figure: Any, corner: Axes, colors: LabelColors, others: Sequence = ()) -> None:
    """The same for several Axes at once, in a `corner` that holds nothing else; `others` are named in it as well."""
    from matplotlib.lines import Line2D

    if colors.mappable is not None:
        bar = figure.colorbar(colors.mappable, cax=corner.inset_axes((0.4, -0.95, 0.1, 1.6)), label="label")
        bar.ax.yaxis.set_ticks_position("left")
        bar.ax.set_in_layout(False)
    columns = -(-(len(colors.names) + bool(colors.n_missing)) // MAX_DIRECT_LEGEND) or 1
    names = _fitting(colors.names, axes_width(corner) / columns) or abbreviate(colors.names, FEWEST)
    entries = list(zip(names, colors.colors)) + [("no label", MISSING_COLOR)] * bool(colors.n_missing)
    own = [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=color, label=name) for name, color in entries]
    if own or others:
        legend = corner.legend(
            handles=[*others, *own], loc="upper right", borderaxespad=0, ncols=columns, handletextpad=0.3
        )
        legend.set_in_layout(False)


def _legend(ax: Axes, colors: LabelColors, where: Where) -> None:
    """The named classes, gray for missing labels, and whatever else in the Axes has a label; beside unless below."""
    from matplotlib.lines import Line2D

    entries = list(zip(colors.names, colors.colors))
    if colors.n_missing:
        entries.append(("no label", MISSING_COLOR))
    own = [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=color, label=name) for name, color in entries]
    others, _ = ax.get_legend_handles_labels()
    look = {"handletextpad": 0.3, "handlelength": 1.2, "labelspacing": LINE - 1, "columnspacing": 1, "frameon": False}
    if not own and not others:
        return
    if where == "below":
        legend_below(ax, handles=own + others, **look)
        return
    columns = _columns(ax, len(own + others)) if len(colors.names) > MAX_DIRECT_LEGEND else 1
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
    ax.legend(handles=own + others, ncols=columns, **place, **look)


def _arrangement(ax: Axes, colors: LabelColors) -> tuple[Where, Sequence[str]]:
    """Where categories are named, and how, so that the names are read and the data keep most of the room.

    Without a layout engine nobody makes room for a legend.
    """
    names, few = colors.names, len(colors.names) <= MAX_DIRECT_LEGEND
    if not names or (few and not _is_laid_out(ax)):
        return "beside", names
    short = max(map(len, names)) <= SHORT
    if not few and (short or len(names) > TOLD_APART or not _is_laid_out(ax)):
        return "among the data", abbreviate(names, FEWEST)
    entries = len(names) + len(ax.get_legend_handles_labels()[0]) + bool(colors.n_missing)
    columns = 1 if few else _columns(ax, entries)
    if columns * _entry_width(names) < BESIDE * axes_width(ax):
        return "beside", names
    width, height = BELOW[0] * axes_width(ax), BELOW[1] * axes_height(ax)
    fitting = _fitting(names, width / 2)
    if fitting and math.ceil(entries / 2) * LINE * font_size("legend.fontsize") < height:
        return "below", fitting
    return ("beside" if few else "among the data"), abbreviate(names, FEWEST)


def _fitting(names: Sequence[str], width: float) -> Sequence[str] | None:
    """Names that are so much shortened that an entry of a legend is no wider, in points; None where none are."""
    longest = max(map(len, names), default=0)
    for letters in range(longest, min(longest, FEWEST) - 1, -1):
        shown = abbreviate(names, letters)
        if _entry_width(shown) <= width:
            return shown
    return None


def _entry_width(names: Sequence[str]) -> float:
    """The width in points of a legend's entry that has room for each of the names."""
    size = font_size("legend.fontsize")
    longest = sorted(names, key=len)[-LIKELY:]
    return max((text_width(name, size) for name in longest), default=0) + MARK * size


def _is_laid_out(ax: Axes) -> bool:
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    engine = ax.figure.get_layout_engine()
    return engine is not None and not isinstance(engine, PlaceHolderLayoutEngine)


def _columns(ax: Axes, entries: int) -> int:
    """How many columns a legend needs to be hardly higher than the Axes, as they are before the page is laid out."""
    return math.ceil(entries * LINE * font_size("legend.fontsize") / (1.1 * axes_height(ax)))


def _medians(colors: LabelColors, points: np.ndarray) -> np.ndarray:
    """(C, 2), NaN for a category without points."""
    places = np.full((len(colors.names), 2), np.nan)
    for code in np.unique(colors.index[colors.index >= 0]):
        places[code] = np.median(points[colors.index == code], axis=0)
    return places


def _name_among_data(ax: Axes, names: Sequence[str], places: np.ndarray) -> None:
    from matplotlib.patheffects import withStroke

    look = {"ha": "center", "va": "center", "fontsize": "small", "zorder": 5}
    for name, place in zip(names, places):
        if np.isfinite(place).all():
            ax.text(*place, name, path_effects=[withStroke(linewidth=2, foreground="white")], **look)
