"""Create figures for plots that receive no Axes; a notebook shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from vaeviz.drawing.styles import current_style
from vaeviz.drawing.text_fit import font_size
from vaeviz.errors import InputError
from vaeviz.plugins.options import check_arguments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from vaeviz.plugins.plot_spec import PageShape

SCREEN_WIDTHS = {"column": 5.0, "full": 9.0}  # inches, outside of a style
TITLE_LINES, LABEL_LINES = 2.5, 2.5  # of text above and below content with a height of its own
LINE_HEIGHT = 1.25  # of a line / size of its letters
MAX_ASPECT = 1.25  # height / width of a figure; taller content becomes narrower

_growable_figures: WeakSet[Any] = WeakSet()  # those that `allow_growth` was called with


def axes_for(plot: Callable[..., Any], aspect: float | None = None) -> Axes:
    """Create a figure with one Axes for a plot.

    Parameters
    ----------
    plot : callable
        A registered plot, whose page shape decides the size.
    aspect : float, optional
        Height / width of the content; by default that of the page.

    Returns
    -------
    Axes
        The only Axes of a new pyplot figure.

    Examples
    --------
    In a plot function: ``ax = ax or axes_for(my_plot)``.
    """
    return figure_for(plot, aspect).subplots()


def figure_for(plot: Callable[..., Any], aspect: float | None = None) -> Figure:
    """Create an empty figure for a plot.

    Parameters
    ----------
    plot : callable
        A registered plot, whose page shape decides the size.
    aspect : float, optional
        Height / width of the content; by default that of the page.

    Returns
    -------
    Figure
        A new pyplot figure with constrained layout. Inside ``with vaeviz.style(...)`` it has the width of that style.

    Raises
    ------
    InputError
        If `plot` is not registered, or `aspect` is not positive.
    """
    import matplotlib.pyplot as plt

    check_arguments(figure_for, locals())
    page: PageShape | None = getattr(plot, "__vaeviz_page__", None)
    if page is None:
        got = type(plot).__name__
        raise InputError(f"plot is of type {got}, expected a function with @register_plot.", got=got)
    style = current_style()
    width = SCREEN_WIDTHS[page.width] if style is None else style.width(page.width)
    height = width * (page.aspect or 0.6) if aspect is None else width * min(aspect, MAX_ASPECT) + _text_height()
    return allow_growth(plt.figure(figsize=(width, height), layout="constrained"))


def allow_growth(figure: Figure) -> Figure:
    """Let a figure become higher, since vaeviz made it for one plot.

    Parameters
    ----------
    figure : Figure
        A new figure.

    Returns
    -------
    Figure
        The same.
    """
    _growable_figures.add(figure)
    return figure


def can_grow(figure: Figure | SubFigure) -> bool:
    """Return True if vaeviz made a figure for one plot, so that it may become higher.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure.

    Returns
    -------
    bool
        False for a figure of the caller, whose size stays.
    """
    return figure in _growable_figures


def grow(figure: Figure | SubFigure, points: float) -> None:
    """Make a figure of vaeviz higher; other figures keep their size.

    Parameters
    ----------
    figure : Figure or SubFigure
        The figure.
    points : float
        Height to add, in points.
    """
    if can_grow(figure):
        root = figure.get_figure(root=True)
        assert root is not None
        root.set_figheight(root.get_figheight() + points / 72)


def _text_height() -> float:
    """Return the height of a title and of the labels below in inches."""
    points = TITLE_LINES * font_size("axes.titlesize") + LABEL_LINES * font_size("axes.labelsize")
    return LINE_HEIGHT * points / 72
