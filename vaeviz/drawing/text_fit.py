"""Fit text into Axes before the layout is computed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from vaeviz.errors import printable_text, warn_user

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FontSizeKey = Literal[
    "font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"
]

CHARACTER_WIDTH = 0.57  # average width of a character / font size
MISSING_GLYPH = re.compile(r"Glyph (\d+) ")  # in a warning of matplotlib
MIN_LABEL_LENGTH = 16  # characters that a label has at least, however narrow its Axes


def axes_width(ax: Axes) -> float:
    """Return the width of an Axes in points.

    Parameters
    ----------
    ax : Axes
        The Axes.

    Returns
    -------
    float
        Width in points.
    """
    return 72 * ax.get_window_extent().width / ax.figure.dpi


def axes_height(ax: Axes) -> float:
    """Return the height of an Axes in points.

    Parameters
    ----------
    ax : Axes
        The Axes.

    Returns
    -------
    float
        Height in points.
    """
    return 72 * ax.get_window_extent().height / ax.figure.dpi


def font_size(key: FontSizeKey) -> float:
    """Return the font size of an rcParam in points.

    Parameters
    ----------
    key : str
        An rcParam that holds a font size, e.g. ``"axes.labelsize"``.

    Returns
    -------
    float
        Font size in points.
    """
    import matplotlib
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=matplotlib.rcParams[key]).get_size_in_points()


def text_width(text: str, size: float) -> float:
    """Measure a text in the current font.

    Parameters
    ----------
    text : str
        A text; mathtext is measured as it is rendered.
    size : float
        Font size in points.

    Returns
    -------
    float
        Width in points.
    """
    with warnings.catch_warnings():  # of missing glyphs, which matplotlib repeats when it draws the text
        warnings.simplefilter("ignore", UserWarning)
        return _measure_text(text, size)


def _measure_text(text: str, size: float) -> float:
    from matplotlib.cbook import is_math_text
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), is_math_text(text))[0]


def drawable_text(text: str) -> str:
    """Return a text that matplotlib can draw and any program can show.

    Parameters
    ----------
    text : str
        A text from a person's data.

    Returns
    -------
    str
        The text without control characters. Dollar signs that do not enclose valid mathtext are escaped. Characters
        that the font lacks are replaced, unless another program chooses the font.

    Warns
    -----
    UserWarning
        If characters are replaced, once in a plot.

    Examples
    --------
    >>> drawable_text("$z_1$"), drawable_text("red" + chr(27))
    ('$z_1$', 'red�')
    """
    shown = printable_text(text)
    if "$" in shown:
        try:
            text_width(shown, 10)
        except ValueError:
            shown = shown.replace("$", r"\$")
    return shown if shown.isascii() else _replace_missing_glyphs(shown)


def _replace_missing_glyphs(text: str) -> str:
    """Replace the characters that the current font lacks, of each of which matplotlib would warn."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    if matplotlib.rcParams["text.usetex"] or matplotlib.rcParams["svg.fonttype"] == "none":
        return text
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        _measure_text(text, 10)
    glyphs = [MISSING_GLYPH.match(str(warning.message)) for warning in found]
    missing = {int(glyph[1]): "\N{REPLACEMENT CHARACTER}" for glyph in glyphs if glyph}
    if missing:
        font = FontProperties().get_name()
        warn_user(
            UserWarning(
                f"The font {font} lacks characters of the labels, which \N{REPLACEMENT CHARACTER} replaces. Write "
                f'plt.rcParams["font.family"] = ["{font}", "Noto Sans CJK JP"], or any installed font that has them.'
            )
        )
    return text.translate(missing)


def label_rotation(ax: Axes, labels: Sequence[str]) -> int:
    """Return the rotation at which tick labels below an Axes do not overlap.

    Parameters
    ----------
    ax : Axes
        The Axes.
    labels : sequence of str
        Labels, evenly spaced over the width of the Axes.

    Returns
    -------
    int
        0 or 90 degrees.
    """
    size = font_size("xtick.labelsize")
    distance = axes_width(ax) / max(len(labels), 1)
    widths = [text_width(label, size) if label else 0 for label in labels]
    overlap = any(a and b and (a + b) / 2 + CHARACTER_WIDTH * size > distance for a, b in pairwise(widths))
    return 90 if overlap else 0


def max_label_length(ax: Axes) -> int:
    """Return how many characters of an axis label fit below an Axes.

    Parameters
    ----------
    ax : Axes
        The Axes.

    Returns
    -------
    int
        Number of characters, at least 16.
    """
    return max(MIN_LABEL_LENGTH, int(axes_width(ax) / (CHARACTER_WIDTH * font_size("axes.labelsize"))))


def abbreviate(names: Sequence[str], max_length: int) -> list[str]:
    """Abbreviate names, keeping them distinct.

    The middle of a longer name is replaced by an ellipsis, or the beginning and the end that all longer names share.
    If two names would still look the same, all of them become longer than `max_length`. Mathtext is not cut.

    Parameters
    ----------
    names : sequence of str
        Names.
    max_length : int
        Number of characters to aim for.

    Returns
    -------
    list of str
        One name for each.

    Examples
    --------
    >>> abbreviate(["mean temperature at a depth of 5 cm", "pH"], 16)
    ['mean tem…of 5 cm', 'pH']
    """
    longest, length = max(map(len, names), default=0), max_length
    distinctive = _without_shared_ends(names, max_length)
    while length < longest:
        for candidates in (names, distinctive):
            shown = [_without_middle(name, length) for name in candidates]
            if len(set(shown)) == len(set(names)):
                return shown
        length += 1 + length // 8
    return list(names)


def _without_shared_ends(names: Sequence[str], max_length: int) -> list[str]:
    """Remove the beginning and the end that all names longer than `max_length` share."""
    longer = {name for name in names if len(name) > max_length and "$" not in name}
    head = _shared_prefix_length(longer)
    tail = _shared_prefix_length({name[head:][::-1] for name in longer})
    return [
        f"{'…' * (head > 0)}{name[head : len(name) - tail]}{'…' * (tail > 0)}" if name in longer else name
        for name in names
    ]


def _shared_prefix_length(names: Collection[str]) -> int:
    columns = enumerate(zip(*names))
    return next((index for index, letters in columns if len(set(letters)) > 1), min(map(len, names), default=0))


def _without_middle(name: str, max_length: int) -> str:
    if len(name) <= max_length or "$" in name:
        return name
    tail = (max_length - 1) // 2
    return f"{name[: max_length - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"
