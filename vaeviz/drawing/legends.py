"""What tells colours apart: legends beside or below the Axes, colour bars, names among the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.colours import LEGEND_MAX, MISSING, Colouring
from vaeviz.drawing.room import LETTER, height_of, shortened, size_of, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOLD_APART = 16  # colours of a rainbow
SHORT = 3  # letters of a name that hides little
AMONG_DATA = 16  # letters of a name that stands among the data
LEGEND_SHARE = 0.45  # of the width that the Axes and their legend have together
LEGEND_BELOW = 0.55  # of the height
LINE = 1.35  # height of a legend's line / size of its letters
MARK = 3  # letters as wide as the mark before a name and the gap behind it
MARGIN = 1.2  # width that a legend below may take / width of the Axes


def explain_colours(
    ax: Axes, colours: Colouring, points: np.ndarray | None = None, places: np.ndarray | None = None
) -> None:
    """A colour bar for a gradient; for categories a legend beside the data, or below them.

    More than ten categories are named among the data where names are short, or a legend would take too much room or
    too many colours: at `places` (C, 2), one a category, by default the medians of their `points` (N, 2).
    """
    if colours.mappable is not None:
        ax.figure.colorbar(colours.mappable, ax=ax, label="label", fraction=0.046, pad=0.03)
        _legend(ax, colours, below=True)
    elif len(colours.names) <= LEGEND_MAX or _suits_beside(ax, colours):
        _legend(ax, colours)
    elif _suits_below(ax, colours):
        _legend(ax, replace(colours, names=tuple(shortened(colours.names, _letters_below(ax)))), below=True)
    else:
        names = shortened(colours.names, AMONG_DATA)
        _name_among_data(ax, names, _medians(colours, points) if places is None else places)
        _legend(ax, replace(colours, names=()))


def legend_below(ax: Axes, **look: Any) -> None:
    """A legend in two columns under the Axes, their tick labels and the name of the axis, however high they are."""
    from matplotlib.transforms import ScaledTranslation

    labels = LINE * (size_of("xtick.labelsize") + size_of("axes.labelsize"))
    down = ScaledTranslation(0, -(labels + 8) / 72, ax.figure.dpi_scale_trans)
    place = {"bbox_to_anchor": (0.5, 0), "bbox_transform": ax.transAxes + down, "borderaxespad": 0}
    ax.legend(loc="upper center", **{"ncols": 2, **place, **look})


def explain_figure(figure: Any, corner: Axes, colours: Colouring, others: Sequence = ()) -> None:
    """The same for several Axes at once, in a `corner` that holds nothing else; `others` are named in it as well."""
    from matplotlib.lines import Line2D

    if colours.mappable is not None:
        bar = figure.colorbar(colours.mappable, cax=corner.inset_axes((0.4, -0.95, 0.1, 1.6)), label="label")
        bar.ax.yaxis.set_ticks_position("left")
        bar.ax.set_in_layout(False)
    entries = list(zip(colours.names, colours.colours)) + [("no label", MISSING)] * bool(colours.missing)
    own = [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=colour, label=name) for name, colour in entries]
    if own or others:
        columns = -(-len(own) // LEGEND_MAX) or 1
        legend = corner.legend(
            handles=[*others, *own], loc="upper right", borderaxespad=0, ncols=columns, handletextpad=0.3
        )
        legend.set_in_layout(False)


def _legend(ax: Axes, colours: Colouring, *, below: bool = False) -> None:
    """The named classes, grey for missing labels, and whatever else in the Axes has a label."""
    from matplotlib.lines import Line2D

    entries = list(zip(colours.names, colours.colours))
    if colours.missing:
        entries.append(("no label", MISSING))
    own = [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=colour, label=name) for name, colour in entries]
    others, _ = ax.get_legend_handles_labels()
    look = {"handletextpad": 0.3, "handlelength": 1.2, "labelspacing": LINE - 1, "columnspacing": 1, "frameon": False}
    if not own and not others:
        return
    if below:
        legend_below(ax, handles=own + others, **look)
        return
    columns = _columns(ax, len(own + others)) if len(colours.names) > LEGEND_MAX else 1
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
    ax.legend(handles=own + others, ncols=columns, **place, **look)


def _suits_beside(ax: Axes, colours: Colouring) -> bool:
    """Whether so many names are longer than what can stand among the data, and leave it room beside them."""
    letters = max(map(len, colours.names))
    width = _columns(ax, _entries(ax, colours)) * (LETTER * letters + MARK) * size_of("legend.fontsize")
    return _suits_a_legend(ax, colours) and width < LEGEND_SHARE * width_of(ax)


def _suits_below(ax: Axes, colours: Colouring) -> bool:
    """Whether they leave it room above them."""
    height = math.ceil(_entries(ax, colours) / 2) * LINE * size_of("legend.fontsize")
    return _suits_a_legend(ax, colours) and _letters_below(ax) >= AMONG_DATA and height < LEGEND_BELOW * height_of(ax)


def _suits_a_legend(ax: Axes, colours: Colouring) -> bool:
    """Whether names hide data, and their colours can be told apart. Without a layout engine nobody makes room."""
    few = len(colours.names) <= TOLD_APART and ax.figure.get_layout_engine() is not None
    return few and max(map(len, colours.names)) > SHORT


def _entries(ax: Axes, colours: Colouring) -> int:
    return len(colours.names) + len(ax.get_legend_handles_labels()[0]) + bool(colours.missing)


def _columns(ax: Axes, entries: int) -> int:
    """How many columns a legend needs to be hardly higher than the Axes, as they are before the page is laid out."""
    return math.ceil(entries * LINE * size_of("legend.fontsize") / (1.1 * height_of(ax)))


def _letters_below(ax: Axes) -> int:
    """How many letters a name has room for in the two columns below the Axes."""
    return int((MARGIN * width_of(ax) / 2 / size_of("legend.fontsize") - MARK) / LETTER)


def _medians(colours: Colouring, points: np.ndarray) -> np.ndarray:
    """(C, 2), NaN for a category without points."""
    places = np.full((len(colours.names), 2), np.nan)
    for code in np.unique(colours.index[colours.index >= 0]):
        places[code] = np.median(points[colours.index == code], axis=0)
    return places


def _name_among_data(ax: Axes, names: Sequence[str], places: np.ndarray) -> None:
    from matplotlib.patheffects import withStroke

    look = {"ha": "center", "va": "center", "fontsize": "small", "zorder": 5}
    for name, place in zip(names, places):
        if np.isfinite(place).all():
            ax.text(*place, name, path_effects=[withStroke(linewidth=2, foreground="white")], **look)
