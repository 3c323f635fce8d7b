"""How much room there is for words in Axes that are not laid out yet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER = 0.57  # width / size of a letter, on the average


def width_of(ax: Axes) -> float:
    """The width of the Axes in points."""
    return 72 * ax.get_window_extent().width / ax.figure.dpi


def height_of(ax: Axes) -> float:
    """The height of the Axes in points."""
    return 72 * ax.get_window_extent().height / ax.figure.dpi


def size_of(text: str) -> float:
    """The size in points of letters that stand as ``"axes.labelsize"``, ``"xtick.labelsize"`` or the like says."""
    import matplotlib
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=matplotlib.rcParams[text]).get_size_in_points()


def turned(ax: Axes, labels: Sequence[str]) -> int:
    """By how many degrees tick labels below the Axes are turned, so that none meets the next: 0 or 90."""
    letters = width_of(ax) / max(len(labels), 1) / (LETTER * size_of("xtick.labelsize"))
    meet = any(a and b and (len(a) + len(b)) / 2 + 1 > letters for a, b in pairwise(labels))
    return 90 if meet else 0


def shortened(names: Sequence[str], letters: int) -> list[str]:
    """Names of no more letters than that, the middle of longer ones left out; of more, where two would read alike."""
    longest = max(map(len, names), default=0)
    for most in range(letters, longest):
        shown = [_without_middle(name, most) for name in names]
        if len(set(shown)) == len(set(names)):
            return shown
    return list(names)


def _without_middle(name: str, letters: int) -> str:
    if len(name) <= letters:
        return name
    tail = (letters - 1) // 2
    return f"{name[: letters - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"


def letters_across(ax: Axes) -> int:
    """How many letters of a label fit under the Axes."""
    return max(16, int(width_of(ax) / (LETTER * size_of("axes.labelsize"))))
