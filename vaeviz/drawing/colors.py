"""Colors of labels, the same in every figure of a set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.labels import check_labels, factorize_labels, has_classes
from vaeviz.drawing.styles import CLASS_COLORS
from vaeviz.errors import Fix, InputError

if TYPE_CHECKING:
    from matplotlib.cm import ScalarMappable
    from matplotlib.typing import ColorType

MISSING_COLOR = "0.78"
PLAIN_COLOR = "#3f76b5"  # of samples without labels
MAX_LEGEND_CLASSES = 10  # classes with a color of CLASS_COLORS each; more are colored along a rainbow
N_GRADIENT_COLORS = 64  # a gradient is drawn in this many colors, each with one call


@dataclass(frozen=True)
class LabelColors:
    """One color per sample, chosen from all labels before any subsampling.

    Parameters
    ----------
    index : ndarray of int, shape (N,)
        Position of each sample's color in `colors`; −1 for a missing label.
    colors : list
        Colors of the classes, or of the steps of a gradient.
    names : tuple of str
        Names of the classes, one per color; empty for a gradient or without labels.
    mappable : ScalarMappable, optional
        Scale of a gradient, for its color bar.
    """

    index: np.ndarray
    colors: list[ColorType]
    names: tuple[str, ...] = ()
    mappable: ScalarMappable | None = None

    def __getitem__(self, rows: Any) -> LabelColors:
        return replace(self, index=self.index[rows])

    @property
    def n_missing(self) -> int:
        """Number of samples without a label."""
        return int((self.index < 0).sum())


def color_labels(
    labels: Any, n_samples: int, *, palette: str | None = None, continuous: bool | None = None
) -> LabelColors:
    """Assign colors to samples by their labels.

    Parameters
    ----------
    labels : array_like, shape (N,), or None
        Integers or strings (classes) or floats (a gradient). NaN, None and empty strings are missing.
    n_samples : int
        Number of samples, N.
    palette : str, optional
        Name of a matplotlib color sequence or colormap, or colors joined by commas.
    continuous : bool, optional
        True colors integers along a gradient; by default the type of the labels decides.

    Returns
    -------
    LabelColors
        One color per sample; one color for all without labels.

    Raises
    ------
    InputError
        If labels do not fit the samples, or the palette does not fit the labels.

    Examples
    --------
    >>> colors = color_labels(["a", "b", "a"], 3)
    >>> colors.names, colors.index.tolist()
    (('a', 'b'), [0, 1, 0])
    """
    if labels is None:
        return LabelColors(np.zeros(n_samples, np.int32), [PLAIN_COLOR])
    values = check_labels(labels, n_samples)
    if continuous is None:
        continuous = not has_classes(values)
    if not continuous:
        codes, names = factorize_labels(values)
        return LabelColors(codes, class_colors(len(names), palette), names)
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise InputError(
            f"labels are {values.dtype}, but continuous labels must be numbers.",
            got=str(values.dtype),
            expected="numbers",
            fix="Pass numeric labels, or continuous=False.",
        )
    return _color_gradient(values.astype(float), palette or "viridis")


def class_colors(n_classes: int, palette: str | None) -> list[ColorType]:
    """Choose one color per class.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    palette : str or None
        Name of a matplotlib color sequence or colormap, or colors joined by commas. None uses `CLASS_COLORS` for up to
        10 classes and turbo for more.

    Returns
    -------
    list
        The colors.

    Raises
    ------
    InputError
        If the palette is unknown or has too few colors.
    """
    import matplotlib
    from matplotlib.colors import to_rgba

    if palette is None and n_classes <= MAX_LEGEND_CLASSES:
        return [to_rgba(color) for color in CLASS_COLORS[:n_classes]]
    name = palette or "turbo"
    if name in matplotlib.color_sequences:
        colors = [to_rgba(color) for color in matplotlib.color_sequences[name]]
    elif name in matplotlib.colormaps:
        colors = [to_rgba(color) for color in matplotlib.colormaps[name](np.linspace(0.04, 0.96, max(n_classes, 2)))]
    else:
        colors = [to_rgba(color) for color in _split_palette(name)]
    if len(colors) < n_classes:
        raise InputError(
            f"palette {name!r} has {len(colors)} colors but the labels have {n_classes} classes.",
            got=f"{len(colors)} colors",
            expected=f"{n_classes} colors",
            fix=Fix('Pass a colormap such as palette="turbo", or more colors.', "Add --palette turbo."),
        )
    return list(colors[:n_classes])


def _color_gradient(values: np.ndarray, palette: str) -> LabelColors:
    """Color numbers, some of which may be missing, along a colormap."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    if palette not in matplotlib.colormaps:
        raise InputError(
            f"palette {palette!r} is not a matplotlib colormap, which continuous labels need.",
            got=palette,
            expected="the name of a matplotlib colormap",
            fix=Fix('Pass e.g. palette="viridis".', "Add --palette viridis."),
        )
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError(
            "All labels are missing.", got="no finite label", expected="at least one", fix="Pass labels=None."
        )
    low, high = float(values[finite].min()), float(values[finite].max())
    mappable = ScalarMappable(Normalize(low, high), matplotlib.colormaps[palette])
    index = np.full(len(values), -1, dtype=np.int32)
    share = (values[finite] - low) / ((high - low) or 1.0)
    index[finite] = np.minimum(share * N_GRADIENT_COLORS, N_GRADIENT_COLORS - 1).astype(np.int32)
    colors = mappable.cmap((np.arange(N_GRADIENT_COLORS) + 0.5) / N_GRADIENT_COLORS)
    return LabelColors(index, list(map(tuple, colors)), mappable=mappable)


def _split_palette(text: str) -> list[str]:
    """Return the colors of a list joined by commas."""
    from matplotlib.colors import is_color_like

    colors = [part.strip() for part in text.split(",")]
    for color in colors:
        if not is_color_like(color):
            raise InputError(
                f"palette holds {color!r}, which is not a color, a color sequence or a colormap.",
                got=color,
                expected="a color, or the name of a matplotlib color sequence or colormap",
                fix=Fix(
                    'Pass e.g. palette="tab10", palette="viridis" or palette="#1b9e77,#d95f02,#7570b3".',
                    "Add e.g. --palette tab10, --palette viridis or --palette '#1b9e77,#d95f02,#7570b3'.",
                ),
            )
    return colors
