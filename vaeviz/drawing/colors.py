"""Colors of labels, the same in every figure of a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.data.labels import (
    ClassLabels,
    all_missing_error,
    check_labels,
    class_counts,
    factorize_labels,
    has_classes,
    label_name,
    name_classes,
)
from vaeviz.drawing.limits import robust_range
from vaeviz.drawing.styles import CLASS_COLORS
from vaeviz.drawing.text_fit import abbreviate, drawable_text
from vaeviz.errors import Fix, InputError, UnknownName

if TYPE_CHECKING:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap
    from matplotlib.typing import ColorType

Palette = str | tuple[str, ...] | dict[str, str]
"""What plots accept as colors, as their options declare it. A script may also pass a list or a Colormap."""
ClassNames = tuple[str, ...] | dict[str, str]
"""Names of classes, in order or by label."""

MISSING_COLOR = "0.78"
PLAIN_COLOR = "#3f76b5"  # of samples without labels
MAX_LEGEND_CLASSES = 10  # classes with a color of CLASS_COLORS each; more are colored along a rainbow
MAX_SEQUENCE_COLORS = 64  # a ListedColormap of more colors is a gradient, such as viridis, from which colors are picked
SECONDS_PER_DAY = 24 * 60 * 60
MAX_SCALE_NAME_LENGTH = 32  # characters beside a color bar
N_GRADIENT_COLORS = 64  # a gradient is drawn in this many colors, each with one call


@dataclass(frozen=True)
class LabelColors:
    """One color per sample, chosen from all labels before any subsampling.

    Parameters
    ----------
    index : ndarray of int, shape (N,)
        Position of each sample's color in `colors`; −1 for a gray sample.
    colors : list
        Colors of the classes that samples have, or of the steps of a gradient.
    names : tuple of str
        Names of the classes, one per color; empty for a gradient or without labels.
    mappable : ScalarMappable, optional
        Scale of a gradient, for its color bar.
    scale_label : str
        Label of the color bar: the name of the labels, if any, and how many are beyond the ends of the scale.
    is_date : bool
        The scale holds dates, as matplotlib counts them.
    gray_name : str
        Name of the gray samples in a legend.
    """

    index: np.ndarray
    colors: list[ColorType]
    names: tuple[str, ...] = ()
    mappable: ScalarMappable | None = None
    scale_label: str = "label"
    is_date: bool = False
    gray_name: str = "no label"

    def __getitem__(self, rows: Any) -> LabelColors:
        return replace(self, index=self.index[rows])

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of samples of each color, shape (C,)."""
        return class_counts(self.index, len(self.colors))

    @property
    def n_missing(self) -> int:
        """Number of gray samples: those without a label, or of classes that are not highlighted."""
        return len(self.index) - int(self.counts.sum())


def color_labels(
    labels: Any,
    n_samples: int,
    palette: Any = None,
    continuous: bool | None = None,
    *,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
) -> LabelColors:
    """Assign colors to samples by their labels.

    Parameters
    ----------
    labels : array_like, shape (N,), or None
        Labels as `vaeviz.data.labels.check_labels` has them: classes have a color each, numbers and dates a gradient.
    n_samples : int
        Number of samples, N.
    palette : str, sequence, mapping or Colormap, optional
        By default, the colors that labels from an AnnData come with, or those of `class_colors`.
        Name of a color sequence or colormap of matplotlib or of a palette of seaborn, a list of colors (also joined by
        commas), a color for each class by its label or its name in `class_names`, or a colormap.
    continuous : bool, optional
        True colors integers along a gradient; by default the type of the labels decides.
    class_names : sequence of str or mapping, optional
        Names of the classes in order, or new names by label, see `vaeviz.data.labels.name_classes`.
    highlight : sequence of str, optional
        Classes that keep their colors, while the others become gray.
    limits : tuple of float, optional
        Ends of a gradient. By default those of the labels, without values that are far out.

    Returns
    -------
    LabelColors
        One color per sample; one color for all without labels.

    Raises
    ------
    InputError
        If labels do not fit the samples, are all missing, or if an option does not fit the labels.

    Notes
    -----
    A value is far out if it is more than three interquartile ranges beyond the quartiles (Tukey 1977). The color bar
    has a pointed end where values are beyond it, and counts them.

    Examples
    --------
    >>> colors = color_labels(["a", "b", "a"], 3)
    >>> colors.names, colors.index.tolist()
    (('a', 'b'), [0, 1, 0])
    """
    if labels is None:
        return LabelColors(np.zeros(n_samples, np.int32), [PLAIN_COLOR])
    values = check_labels(labels, n_samples)
    if palette is None and isinstance(values, ClassLabels) and values.colors:
        palette = dict(zip(values.categories, values.colors))
    if class_names is not None:
        named = name_classes(values, class_names)
        palette = _rename_palette(palette, values, named)
        values = named
    if continuous is None:
        continuous = highlight is None and not has_classes(values)
    if not continuous:
        return _color_classes(*factorize_labels(values), palette, highlight)
    values = np.asarray(values)
    if values.dtype.kind not in "fiuM":
        raise InputError(
            f"labels are {values.dtype}, but continuous labels must be numbers.",
            got=str(values.dtype),
            expected="numbers",
            fix="Pass numeric labels, or continuous=False.",
        )
    return _color_gradient(values, "viridis" if palette is None else palette, limits, label_name(labels) or "label")


def class_colors(n_classes: int, palette: Any) -> list[ColorType]:
    """Choose one color per class.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    palette : str, sequence of colors, Colormap or None
        Name of a color sequence or colormap of matplotlib or of a palette of seaborn, colors (also joined by commas),
        or a colormap. None uses `CLASS_COLORS` for up to 10 classes and turbo for more.

    Returns
    -------
    list
        The colors.

    Raises
    ------
    InputError
        If the palette is unknown or has too few colors.
    """
    from matplotlib import color_sequences
    from matplotlib.colors import Colormap, ListedColormap, to_rgba

    if palette is None:
        palette = CLASS_COLORS if n_classes <= MAX_LEGEND_CLASSES else "turbo"
    if isinstance(palette, str):
        palette = color_sequences[palette] if palette in color_sequences else _named_palette(palette, n_classes)
    if isinstance(palette, ListedColormap) and palette.N <= MAX_SEQUENCE_COLORS:
        palette = palette.colors
    if isinstance(palette, Colormap):
        palette = palette(np.linspace(0.04, 0.96, max(n_classes, 2)))
    if not np.iterable(palette):
        got = type(palette).__name__
        raise InputError(
            f"palette is of type {got}, expected a name, colors or a colormap.",
            got=got,
            expected="a name, colors, or a colormap",
        )
    colors = [to_rgba(_check_color(color)) for color in palette]
    if len(colors) < n_classes:
        raise InputError(
            f"palette has {len(colors)} colors but the labels have {n_classes} classes.",
            got=f"{len(colors)} colors",
            expected=f"{n_classes} colors",
            fix=Fix('Pass a colormap such as palette="turbo", or more colors.', "Add --palette turbo."),
        )
    return list(colors[:n_classes])


def _color_classes(
    codes: np.ndarray, names: tuple[str, ...], palette: Any, highlight: Sequence[str] | None
) -> LabelColors:
    """Color classes, those of `highlight` only if there are any, and leave out classes without samples."""
    codes = codes.astype(np.int32, copy=False)  # those of pandas are bytes if the classes are few
    counts = class_counts(codes, len(names))
    is_present = counts > 0
    if not is_present.any():
        raise all_missing_error()
    highlighted = None if highlight is None else [str(name) for name in highlight]
    for name in highlighted or ():
        if name not in names:
            raise UnknownName("class to highlight", name, names)
    shown = [code for code, name in enumerate(names) if is_present[code] and (not highlighted or name in highlighted)]
    if palette is None and highlighted and len(names) > MAX_LEGEND_CLASSES >= len(shown):
        colors = class_colors(len(shown), None)  # easier to distinguish than those of all classes
    else:
        by_name = palette if isinstance(palette, Mapping) else dict(zip(names, class_colors(len(names), palette)))
        colors = _colors_by_name([names[code] for code in shown], by_name)
    if counts[shown].sum() < len(codes) or len(shown) < len(names):
        places = np.full(len(names) + 1, -1, dtype=np.int32)  # the last one is that of a missing label
        places[shown] = np.arange(len(shown))
        codes = places[codes]
    gray_name = "other" if highlighted else "no label"
    return LabelColors(codes, colors, tuple(drawable_text(names[code]) for code in shown), gray_name=gray_name)


def _color_gradient(values: np.ndarray, palette: Any, limits: tuple[float, float] | None, name: str) -> LabelColors:
    """Color numbers or dates, some of which may be missing, along a colormap."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    is_date = values.dtype.kind == "M"
    numbers = _days(values) if is_date else values.astype(float)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        raise all_missing_error()
    low, high = limits or robust_range(finite)
    if not low <= high:
        raise InputError(
            f"limits is ({low:g}, {high:g}), but the first must be the smaller one.",
            got=f"({low:g}, {high:g})",
            expected="two numbers in ascending order",
            fix=Fix(f"Pass limits=({high:g}, {low:g}).", f"Add --limits {high:g},{low:g}."),
        )
    cmap = _as_colormap(palette).copy()
    beyond = finite[(finite < low) | (finite > high)]
    cmap.colorbar_extend = _pointed_ends(beyond < low, beyond > high)  # type: ignore[assignment]  # typeshed: bool
    mappable = ScalarMappable(Normalize(low, high), cmap)
    index = np.full(len(numbers), -1, dtype=np.int32)
    share = (finite - low) / ((high - low) or 1.0)
    index[np.isfinite(numbers)] = np.clip(share * N_GRADIENT_COLORS, 0, N_GRADIENT_COLORS - 1).astype(np.int32)
    colors: list[ColorType] = list(map(tuple, cmap((np.arange(N_GRADIENT_COLORS) + 0.5) / N_GRADIENT_COLORS)))
    name = drawable_text(abbreviate([name], MAX_SCALE_NAME_LENGTH)[0])
    label = f"{name} ({len(beyond):,} beyond the scale)" if len(beyond) else name
    return LabelColors(index, colors, mappable=mappable, scale_label=label, is_date=is_date)


def _days(dates: np.ndarray) -> np.ndarray:
    """Return dates as matplotlib counts them, in days since 1970, NaN for a missing one."""
    seconds = (dates - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    return np.asarray(seconds / SECONDS_PER_DAY)


def _pointed_ends(below: np.ndarray, above: np.ndarray) -> str:
    """Return which ends of a color bar are pointed, as matplotlib names them."""
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (bool(below.any()), bool(above.any())), "neither"
    )


def _rename_palette(palette: Any, before: np.ndarray | ClassLabels, after: np.ndarray | ClassLabels) -> Any:
    """Return a palette by the new names of classes if it has colors by their labels."""
    if not isinstance(palette, Mapping):
        return palette
    (old_codes, old_names), (new_codes, new_names) = factorize_labels(before), factorize_labels(after)
    codes, rows = np.unique(old_codes, return_index=True)
    renamed = {old_names[code]: new_names[new_codes[row]] for code, row in zip(codes, rows) if code >= 0}
    by_label = {renamed.get(str(label), str(label)): color for label, color in palette.items()}
    return by_label | {str(name): color for name, color in palette.items() if str(name) in new_names}


def _colors_by_name(names: Sequence[str], palette: Mapping[Any, Any]) -> list[ColorType]:
    """Return the color of each class."""
    by_name = {str(name): _check_color(color) for name, color in palette.items()}
    absent = next((name for name in names if name not in by_name), None)
    if absent is not None:
        raise InputError(
            f"palette has colors for {', '.join(map(repr, by_name))}, but none for class {absent!r}.",
            got=", ".join(by_name),
            expected=", ".join(names),
            fix="Pass a color for each class.",
        )
    return [by_name[name] for name in names]


def _named_palette(name: str, n_classes: int) -> Any:
    """Return a colormap of matplotlib, colors joined by commas, or a palette of seaborn."""
    import matplotlib
    from matplotlib.colors import is_color_like

    if name in matplotlib.colormaps:
        return matplotlib.colormaps[name]
    colors = [part.strip() for part in name.split(",")]
    if len(colors) > 1 or is_color_like(name):
        return colors
    import seaborn

    try:
        own = seaborn.color_palette(name)
        return own if name in seaborn.palettes.SEABORN_PALETTES else seaborn.color_palette(name, n_classes)
    except ValueError:
        raise _color_error(name) from None


def _as_colormap(palette: Any) -> Colormap:
    import matplotlib
    from matplotlib.colors import Colormap, LinearSegmentedColormap

    if isinstance(palette, Colormap):
        return palette
    if isinstance(palette, str) and palette in matplotlib.colormaps:
        return matplotlib.colormaps[palette]
    colors = palette.split(",") if isinstance(palette, str) else palette
    if len(colors) > 1 and not isinstance(colors, Mapping):
        return LinearSegmentedColormap.from_list("palette", [_check_color(color) for color in colors])
    raise InputError(
        f"palette {palette!r} is not a matplotlib colormap, which continuous labels need.",
        got=str(palette),
        expected="a matplotlib colormap, or two colors or more",
        fix=Fix('Pass e.g. palette="viridis".', "Add --palette viridis."),
    )


def _check_color(color: Any) -> ColorType:
    from matplotlib.colors import is_color_like

    checked: ColorType = color.strip() if isinstance(color, str) else color
    if not is_color_like(checked):
        raise _color_error(color)
    return checked


def _color_error(color: Any) -> InputError:
    return InputError(
        f"palette holds {color!r}, which is not a color, a color sequence or a colormap.",
        got=str(color),
        expected="a color, or the name of a color sequence, a colormap or a palette",
        fix=Fix(
            'Pass e.g. palette="tab10", palette="viridis" or palette="#1b9e77,#d95f02,#7570b3".',
            "Add e.g. --palette tab10, --palette viridis or --palette '#1b9e77,#d95f02,#7570b3'.",
        ),
    )
