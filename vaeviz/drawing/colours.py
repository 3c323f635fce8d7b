"""Labels to colours, the same in every figure of a set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.room import LETTER, height_of, size_of, width_of
from vaeviz.drawing.styles import CATEGORICAL
from vaeviz.errors import InputError
from vaeviz.labels import categories, checked_labels, has_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

MISSING = "0.78"
PLAIN = "#3f76b5"
LEGEND_MAX = 10
TOLD_APART = 16  # colours of a rainbow
SHORT = 3  # letters of a name that hides little
LEGEND_SHARE = 0.45  # of the width that the Axes and their legend have together
LINE = 1.35  # height of a legend's line / size of its letters
STEPS = 64  # a gradient is drawn in this many colours


@dataclass(frozen=True)
class Colouring:
    """One colour index a sample. Derived from all labels, before any subsampling.

    index: (N,) into colours; −1 for a missing label.
    names: of categories, one a colour; () for a gradient or for no labels.
    mappable: the gradient's scale, or None.
    """

    index: np.ndarray
    colours: list
    names: tuple[str, ...] = ()
    mappable: ScalarMappable | None = None

    def __getitem__(self, rows: Any) -> Colouring:
        return replace(self, index=self.index[rows])

    @property
    def missing(self) -> int:
        """How many samples have no label."""
        return int((self.index < 0).sum())


def colouring(labels: Any, total: int, *, palette: str | None = None, continuous: bool | None = None) -> Colouring:
    """Colours for `total` samples by their labels.

    labels: None, or (total,) integers or strings (categories) or floats (a gradient); NaN, None and empty
        strings are missing. palette: a matplotlib colour sequence or colormap by name, or colours joined by
        commas. continuous: True draws integers as a gradient; None decides by type.
    """
    if labels is None:
        return Colouring(np.zeros(total, np.int32), [PLAIN])
    values = checked_labels(labels, total)
    if continuous is None:
        continuous = not has_classes(values)
    if not continuous:
        codes, names = categories(values)
        return Colouring(codes, category_colours(len(names), palette), names)
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise InputError(f"continuous labels: got labels of {values.dtype}, expected numbers")
    return _gradient(values.astype(float), palette or "viridis")


def category_colours(count: int, palette: str | None) -> list:
    """`count` colours: those of `CATEGORICAL` up to ten classes, beyond that evenly around a rainbow."""
    import matplotlib
    from matplotlib.colors import to_rgba

    if palette is None and count <= LEGEND_MAX:
        return [to_rgba(colour) for colour in CATEGORICAL[:count]]
    name = palette or "turbo"
    if name in matplotlib.color_sequences:
        colours: Sequence = matplotlib.color_sequences[name]
    elif name in matplotlib.colormaps:
        colours = matplotlib.colormaps[name](np.linspace(0.04, 0.96, max(count, 2)))
    else:
        colours = _listed(name)
    if len(colours) < count:
        raise InputError(f"palette {name!r}: has {len(colours)} colours, the labels have {count} classes")
    return [to_rgba(colour) for colour in colours[:count]]


def explain_colours(
    ax: Axes, colours: Colouring, points: np.ndarray | None = None, places: np.ndarray | None = None
) -> None:
    """A colour bar for a gradient; for categories a legend beside the data.

    More than ten categories are named among the data where names are short, or a legend would take too much room or
    too many colours: at `places` (C, 2), one a category, by default the medians of their `points` (N, 2).
    """
    direct = len(colours.names) > LEGEND_MAX and not _suit_a_legend(ax, colours)
    if direct:
        _name_among_data(ax, colours.names, _medians(colours, points) if places is None else places)
    if colours.mappable is not None:
        ax.figure.colorbar(colours.mappable, ax=ax, label="label", fraction=0.046, pad=0.03)
    _legend(ax, () if direct else colours.names, colours)


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


def _legend(ax: Axes, names: Sequence[str], colours: Colouring) -> None:
    """The named classes, grey for missing labels, and whatever else in the Axes has a label.

    Beside the Axes, or below them where a colour bar stands beside.
    """
    from matplotlib.lines import Line2D

    entries = list(zip(names, colours.colours))
    if colours.missing:
        entries.append(("no label", MISSING))
    own = [Line2D([], [], ls="", marker="o", mew=0, ms=5, color=colour, label=name) for name, colour in entries]
    others, _ = ax.get_legend_handles_labels()
    look = {"borderaxespad": 0, "handletextpad": 0.3, "handlelength": 1.2, "labelspacing": LINE - 1, "frameon": False}
    if not own and not others:
        return
    if colours.mappable is None:
        look |= {"ncols": _columns(ax, len(own + others)) if len(names) > LEGEND_MAX else 1, "columnspacing": 1}
        ax.legend(handles=own + others, loc="upper left", bbox_to_anchor=(1.01, 1.0), **look)
    else:
        ax.legend(handles=own + others, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, **look)


def _suit_a_legend(ax: Axes, colours: Colouring) -> bool:
    """Whether so many names are longer than what can stand among the data, and leave it room beside them.

    Without a layout engine nobody makes that room.
    """
    letters = max(map(len, colours.names))
    entries = len(colours.names) + len(ax.get_legend_handles_labels()[0]) + bool(colours.missing)
    width = _columns(ax, entries) * (LETTER * letters + 3) * size_of("legend.fontsize")
    few = len(colours.names) <= TOLD_APART and ax.figure.get_layout_engine() is not None
    return few and letters > SHORT and width < LEGEND_SHARE * width_of(ax)


def _columns(ax: Axes, entries: int) -> int:
    """How many columns a legend needs to be hardly higher than the Axes, as they are before the page is laid out."""
    return math.ceil(entries * LINE * size_of("legend.fontsize") / (1.1 * height_of(ax)))


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


def _gradient(values: np.ndarray, palette: str) -> Colouring:
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    if palette not in matplotlib.colormaps:
        raise InputError(f"palette {palette!r}: continuous labels need the name of a matplotlib colormap")
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError("labels: all of them are missing")
    norm = Normalize(values[finite].min(), values[finite].max())
    mappable = ScalarMappable(norm, matplotlib.colormaps[palette])
    span = (norm.vmax - norm.vmin) or 1.0
    index = np.full(len(values), -1, dtype=np.int32)
    index[finite] = np.minimum((values[finite] - norm.vmin) / span * STEPS, STEPS - 1).astype(np.int32)
    colours = mappable.cmap((np.arange(STEPS) + 0.5) / STEPS)
    return Colouring(index, list(map(tuple, colours)), mappable=mappable)


def _listed(text: str) -> list[str]:
    from matplotlib.colors import is_color_like

    colours = [part.strip() for part in text.split(",")]
    wrong = next((colour for colour in colours if not is_color_like(colour)), None)
    if wrong is not None:
        raise InputError(
            f"palette: {wrong!r} is no colour, colour sequence or colormap; write e.g. 'tab10', 'viridis' or "
            "'#1b9e77,#d95f02,#7570b3'"
        )
    return colours
