"""How much room there is for words in Axes that are not laid out yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER_WIDTH = 0.57  # width / size of a letter, on the average


def axes_width(ax: Axes) -> float:
    """The width of the Axes in points."""
    return 72 * ax.get_window_extent().width / ax.figure.dpi


def axes_height(ax: Axes) -> float:
    """The height of the Axes in points."""
    return 72 * ax.get_window_extent().height / ax.figure.dpi


def font_size(text: str) -> float:
    """The size in points of letters that stand as ``"axes.labelsize"``, ``"xtick.labelsize"`` or the like says."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=matplotlib.rcParams[text]).get_size_in_points()


def label_rotation(ax: Axes, labels: Sequence[str]) -> int:
    """By how many degrees tick labels below the Axes are turned, so that none meets the next: 0 or 90."""
    letters = axes_width(ax) / max(len(labels), 1) / (LETTER_WIDTH * font_size("xtick.labelsize"))
    meet = any(a and b and (len(a) + len(b)) / 2 + 1 > letters for a, b in pairwise(labels))
    return 90 if meet else 0


def text_width(text: str, size: float) -> float:
    """The width of a text in points, in the font in force; of mathtext as it is set."""
    from matplotlib.cbook import is_math_text
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), is_math_text(text))[0]


def abbreviate(names: Sequence[str], letters: int) -> list[str]:
    """Names of no more letters than that, told apart as before; mathtext, which cannot be cut, is left as it is.

    Of longer names the middle is left out, or else what all of them share; where two would still read alike, all get
    more letters.
    """
    longest, most = max(map(len, names), default=0), letters
    own = _without_shared(names, letters)
    while most < longest:
        for parts in (names, own):
            shown = [_without_middle(part, most) for part in parts]
            if len(set(shown)) == len(set(names)):
                return shown
        most += 1 + most // 8
    return list(names)


def _without_shared(names: Sequence[str], letters: int) -> list[str]:
    """Names without the beginning and the end that all the longer ones have in common."""
    longer = {name for name in names if len(name) > letters and "$" not in name}
    head = _alike(longer)
    tail = _alike({name[head:][::-1] for name in longer})
    return [
        f"{'…' * (head > 0)}{name[head : len(name) - tail]}{'…' * (tail > 0)}" if name in longer else name
        for name in names
    ]


def _alike(names: Collection[str]) -> int:
    """With how many letters all of them begin alike."""
    places = enumerate(zip(*names))
    return next((place for place, letters in places if len(set(letters)) > 1), min(map(len, names), default=0))


def _without_middle(name: str, letters: int) -> str:
    if len(name) <= letters or "$" in name:
        return name
    tail = (letters - 1) // 2
    return f"{name[: letters - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"


def max_letters(ax: Axes) -> int:
    """How many letters of a label fit under the Axes."""
    return max(16, int(axes_width(ax) / (LETTER_WIDTH * font_size("axes.labelsize"))))
