"""Where a plot draws when nobody gave it a place: a new pyplot figure, so that a notebook shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vaeviz.drawing.styles import current_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = {"column": 5.0, "full": 9.0}  # on a screen; a style in force has widths of its own
MARGIN = 0.5  # inches of title and labels


def axes_for(plot: Callable, aspect: float | None = None) -> Axes:
    """The one Axes of a new figure in the page shape of `plot`, or of that height / width of its content."""
    return figure_for(plot, aspect).subplots()


def figure_for(plot: Callable, aspect: float | None = None) -> Figure:
    """A new constrained-layout pyplot figure in the page shape of `plot`."""
    import matplotlib.pyplot as plt

    page = plot.__vaeviz_page__
    width = getattr(current_style(), page.width, INCHES[page.width])
    height = width * (page.aspect or 0.6) if aspect is None else width * aspect + MARGIN
    return plt.figure(figsize=(width, height), layout="constrained")
