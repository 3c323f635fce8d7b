"""Styles: rcParams and page widths for print and for slides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from vaeviz.errors import UnknownName

CATEGORICAL = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#33404d", "#92dadd",
)  # fmt: skip
"""petroff10 (Petroff 2021) with the darker of its two grays, which lie closest of all its pairs, darkened to slate."""

_EVERYWHERE = {
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.02,
    "figure.constrained_layout.w_pad": 0.02,
    "axes.prop_cycle": f"cycler('color', {list(CATEGORICAL)})",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # TrueType, as journals ask
    "ps.fonttype": 42,
    "svg.hashsalt": "vaeviz",  # the same figure has the same ids
    "image.cmap": "viridis",
}


@dataclass(frozen=True)
class Style:
    """A look: rcParams, and the widths in inches of a text column and of the full page."""

    column: float
    full: float
    dpi: int
    rc: dict = field(default_factory=dict)


def _sizes(base: float, small: float, line: float) -> dict:
    return {
        "font.size": base,
        "axes.titlesize": base,
        "axes.labelsize": base,
        "figure.titlesize": base,
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "legend.title_fontsize": small,
        "axes.linewidth": 0.6 * line,
        "xtick.major.width": 0.6 * line,
        "ytick.major.width": 0.6 * line,
        "xtick.major.size": 3 * line,
        "ytick.major.size": 3 * line,
        "lines.linewidth": 1.2 * line,
        "lines.markersize": 6 * line,
        "axes.titlepad": 5 * line,
    }


STYLES = {
    "paper": Style(3.4, 7.0, 300, {**_EVERYWHERE, **_sizes(8, 7, 1.0)}),
    "talk": Style(6.2, 12.6, 150, {**_EVERYWHERE, **_sizes(16, 14, 2.0)}),
}


_in_force: ContextVar[Style | None] = ContextVar("style", default=None)


def get_style(name: str) -> Style:
    """The style of that name; `UnknownName` if there is none."""
    if name not in STYLES:
        raise UnknownName("style", name, STYLES)
    return STYLES[name]


@contextmanager
def style(name: str = "paper") -> Iterator[Style]:
    """``with vaeviz.style("paper"):`` draws in that style, and leaves rcParams as they were."""
    import matplotlib

    chosen = get_style(name)
    token = _in_force.set(chosen)
    try:
        with matplotlib.rc_context(chosen.rc):
            yield chosen
    finally:
        _in_force.reset(token)


def current_style() -> Style | None:
    """The style whose block this is called in, or None."""
    return _in_force.get()
