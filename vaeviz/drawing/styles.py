"""Styles: rcParams and page widths for print and for slides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from vaeviz.errors import UnknownName
from vaeviz.plugins.options import check_arguments

CLASS_COLORS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#33404d", "#92dadd",
)  # fmt: skip
"""petroff10 (Petroff 2021) with the darker of its two grays, its most similar pair of colors, darkened to slate."""

_SHARED_RC: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.02,
    "figure.constrained_layout.w_pad": 0.02,
    "axes.prop_cycle": f"cycler('color', {list(CLASS_COLORS)})",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # TrueType, which journals require
    "ps.fonttype": 42,
    "svg.hashsalt": "vaeviz",  # equal figures have equal ids
    "image.cmap": "viridis",
}


@dataclass(frozen=True)
class Style:
    """Page widths and rcParams of a figure set.

    Parameters
    ----------
    column : float
        Width of a text column in inches.
    full : float
        Width of a page in inches.
    dpi : int
        Resolution of images.
    rc : dict
        matplotlib rcParams.
    """

    column: float
    full: float
    dpi: int
    rc: dict[str, Any] = field(default_factory=dict)

    def width(self, page_width: Literal["column", "full"]) -> float:
        """Return the width of a figure.

        Parameters
        ----------
        page_width : {"column", "full"}
            How wide the figure is on its page.

        Returns
        -------
        float
            Width in inches.
        """
        return self.column if page_width == "column" else self.full


def _sizes(font_size: float, small_font_size: float, scale: float) -> dict[str, Any]:
    """Return rcParams of font sizes, and of lines and ticks enlarged by a scale."""
    return {
        "font.size": font_size,
        "axes.titlesize": font_size,
        "axes.labelsize": font_size,
        "figure.titlesize": font_size,
        "xtick.labelsize": small_font_size,
        "ytick.labelsize": small_font_size,
        "legend.fontsize": small_font_size,
        "legend.title_fontsize": small_font_size,
        "axes.linewidth": 0.6 * scale,
        "xtick.major.width": 0.6 * scale,
        "ytick.major.width": 0.6 * scale,
        "xtick.major.size": 3 * scale,
        "ytick.major.size": 3 * scale,
        "lines.linewidth": 1.2 * scale,
        "lines.markersize": 6 * scale,
        "axes.titlepad": 5 * scale,
    }


STYLES = {
    "paper": Style(3.4, 7.0, 300, {**_SHARED_RC, **_sizes(8, 7, 1.0)}),
    "talk": Style(6.2, 12.6, 150, {**_SHARED_RC, **_sizes(16, 14, 2.0)}),
}

_active_style: ContextVar[Style | None] = ContextVar("style", default=None)


def get_style(name: str) -> Style:
    """Return a style by name.

    Parameters
    ----------
    name : {"paper", "talk"}
        Name of the style.

    Returns
    -------
    Style
        Its page widths and rcParams.

    Raises
    ------
    UnknownName
        If there is no such style.
    """
    if name not in STYLES:
        raise UnknownName("style", name, STYLES)
    return STYLES[name]


@contextmanager
def style(name: str = "paper") -> Iterator[Style]:
    """Draw figures in a style, and restore rcParams afterwards.

    Plots that create their own figure use the page widths of the style; those that receive an Axes or a figure use its
    fonts, lines and colors.

    Parameters
    ----------
    name : {"paper", "talk"}
        Figures for print or for slides.

    Yields
    ------
    Style
        Its page widths, resolution and rcParams.

    Raises
    ------
    UnknownName
        If there is no such style.

    Notes
    -----
    =====  ===================  ===================  =====  =======  ==================================
    Style  Column               Page                 Text   Images   Made for
    =====  ===================  ===================  =====  =======  ==================================
    paper  3.4 in (86 mm)       7.0 in (178 mm)      8 pt   300 dpi  two-column journals
    talk   6.2 in (157 mm)      12.6 in (320 mm)     16 pt  150 dpi  half and all of a 13.33 in slide
    =====  ===================  ===================  =====  =======  ==================================

    Tick labels and legends are 7 pt and 14 pt. Include figures at their own size, since scaling them changes the text.
    Fonts are embedded as TrueType in PDF and EPS files.

    Examples
    --------
    >>> import vaeviz
    >>> with vaeviz.style("paper") as paper:
    ...     print(paper.column, paper.full)
    3.4 7.0
    """
    check_arguments(style, locals())
    import matplotlib

    chosen = get_style(name)
    token = _active_style.set(chosen)
    try:
        with matplotlib.rc_context(cast(Any, {"savefig.dpi": chosen.dpi, **chosen.rc})):
            yield chosen
    finally:
        _active_style.reset(token)


def current_style() -> Style | None:
    """Return the style of the ``with`` block that is running.

    Returns
    -------
    Style or None
        None outside of such a block.
    """
    return _active_style.get()
