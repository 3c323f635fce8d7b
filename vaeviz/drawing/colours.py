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
SHORT = 3  # letters of a name that hides little
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


def explain_colours(ax: Axes, colours: Colouring, points: np.ndarray | None = None) -> None:
    """A colour bar for a gradient; for categories a legend beside the data.

    More than ten categories are named at the medians of their `points` (N, 2) instead, where the names are too short
    to meet each other, or too many and long for a legend.
    """
    direct = len(colours.names) > LEGEND_MAX and points is not None and not _are_for_a_legend(ax, colours.names)
    if direct:
        _name_at_medians(ax, colours, points)
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
        look |= {"ncols": _columns(ax, len(own + others)) if len(own) > LEGEND_MAX else 1, "columnspacing": 1}
        ax.legend(handles=own + others, loc="upper left", bbox_to_anchor=(1.01, 1.0), **look)
    else:
        ax.legend(handles=own + others, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, **look)


def _are_for_a_legend(ax: Axes, names: Sequence[str]) -> bool:
    """Whether names are longer than what can stand among the data, and leave room for it beside them."""
    letters = max(map(len, names))
    width = _columns(ax, len(names)) * (LETTER * letters + 3) * size_of("legend.fontsize")
    return letters > SHORT and width < width_of(ax)


def _columns(ax: Axes, entries: int) -> int:
    """How many columns a legend needs to be no higher than the Axes."""
    return math.ceil(entries * LINE * size_of("legend.fontsize") / height_of(ax))


def _name_at_medians(ax: Axes, colours: Colouring, points: np.ndarray) -> None:
    from matplotlib.patheffects import withStroke

    for code, name in enumerate(colours.names):
        mine = points[colours.index == code]
        if len(mine):
            ax.text(
                *np.median(mine, axis=0),
                name,
                ha="center",
                va="center",
                fontsize="small",
                path_effects=[withStroke(linewidth=2, foreground="white")],
                zorder=5,
            )


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
