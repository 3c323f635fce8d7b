"""Labels to colors, the same in every figure of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.drawing.styles import CATEGORICAL
from vaeviz.errors import InputError

if TYPE_CHECKING:
    from matplotlib.cm import ScalarMappable

MISSING_COLOR = "0.78"
PLAIN_COLOR = "#3f76b5"
MAX_DIRECT_LEGEND = 10
STEPS = 64  # a gradient is drawn in this many colors


@dataclass(frozen=True)
class LabelColors:
    """One color index a sample. Derived from all labels, before any subsampling.

    index: (N,) into colors; −1 for a missing label.
    names: of categories, one a color; () for a gradient or for no labels.
    mappable: the gradient's scale, or None.
    """

    index: np.ndarray
    colors: list
    names: tuple[str, ...] = ()
    mappable: ScalarMappable | None = None

    def __getitem__(self, rows: Any) -> LabelColors:
        return replace(self, index=self.index[rows])

    @property
    def n_missing(self) -> int:
        """How many samples have no label."""
        return int((self.index < 0).sum())


def color_labels(labels: Any, total: int, *, palette: str | None = None, continuous: bool | None = None) -> LabelColors:
    """Colors for `total` samples by their labels.

    labels: None, or (total,) integers or strings (categories) or floats (a gradient); NaN, None and empty
        strings are missing. palette: a matplotlib color sequence or colormap by name, or colors joined by
        commas. continuous: True draws integers as a gradient; None decides by type.
    """
    if labels is None:
        return LabelColors(np.zeros(total, np.int32), [PLAIN_COLOR])
    values = check_labels(labels, total)
    if continuous is None:
        continuous = not has_classes(values)
    if not continuous:
        codes, names = factorize_labels(values)
        return LabelColors(codes, class_colors(len(names), palette), names)
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise InputError(f"continuous labels: got labels of {values.dtype}, expected numbers")
    return _gradient(values.astype(float), palette or "viridis")


def class_colors(count: int, palette: str | None) -> list:
    """`count` colors: those of `CATEGORICAL` up to ten classes, beyond that evenly around a rainbow."""
    import matplotlib
    from matplotlib.colors import to_rgba

    if palette is None and count <= MAX_DIRECT_LEGEND:
        return [to_rgba(color) for color in CATEGORICAL[:count]]
    name = palette or "turbo"
    if name in matplotlib.color_sequences:
        colors: Sequence = matplotlib.color_sequences[name]
    elif name in matplotlib.colormaps:
        colors = matplotlib.colormaps[name](np.linspace(0.04, 0.96, max(count, 2)))
    else:
        colors = _listed(name)
    if len(colors) < count:
        raise InputError(f"palette {name!r}: has {len(colors)} colors, the labels have {count} classes")
    return [to_rgba(color) for color in colors[:count]]


def _gradient(values: np.ndarray, palette: str) -> LabelColors:
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
    colors = mappable.cmap((np.arange(STEPS) + 0.5) / STEPS)
    return LabelColors(index, list(map(tuple, colors)), mappable=mappable)


def _listed(text: str) -> list[str]:
    from matplotlib.colors import is_color_like

    colors = [part.strip() for part in text.split(",")]
    wrong = next((color for color in colors if not is_color_like(color)), None)
    if wrong is not None:
        raise InputError(
            f"palette: {wrong!r} is no color, color sequence or colormap; write e.g. 'tab10', 'viridis' or "
            "'#1b9e77,#d95f02,#7570b3'"
        )
    return colors
