"""A plot that is drawn repeatedly with the same options: by name, or any function."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaeviz.drawing.styles import style as style_context
from vaeviz.errors import InputError, NotApplicable
from vaeviz.export.render import draw_figure, shared_options
from vaeviz.plugins.options import PLACES, validate_settings
from vaeviz.plugins.plot_spec import PAGE_ATTRIBUTE, PageShape, PlotSpec, get_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class PlotCall:
    """A plot with its options.

    Parameters
    ----------
    name : str
        Name of its figures.
    spec : PlotSpec
        The plot.
    options : mapping
        Values of its options by name.
    """

    name: str
    spec: PlotSpec
    options: Mapping[str, Any] = field(default_factory=dict)

    def with_options(self, options: Mapping[str, Any]) -> PlotCall:
        """Return the plot with further options, which override its own.

        Parameters
        ----------
        options : mapping
            Values by name.

        Returns
        -------
        PlotCall
            The plot.

        Raises
        ------
        InputError
            If an option is unknown, or its value does not fit.
        """
        checked = validate_settings(self.spec.function, options, owner=self.name)
        return replace(self, options={**self.options, **checked})

    def draw(self, inputs: Mapping[str, Any], style: str) -> Figure:
        """Draw the plot on a page of its own.

        Parameters
        ----------
        inputs : mapping
            Inputs of plots by name.
        style : str
            Name of the style.

        Returns
        -------
        Figure
            The figure, which is not registered in pyplot.

        Raises
        ------
        NotApplicable
            If an input is missing.
        """
        missing = self.spec.why_not_applicable(inputs)
        if missing:
            raise NotApplicable(f"{self.name} {missing}.")
        with closed_figures(), style_context(style) as page_style:
            if {*PLACES} & {*inspect.signature(self.spec.function).parameters}:
                return draw_figure(self.spec, inputs, self.options, page_style)
            return _figure_of(self.spec(**self.spec.select_inputs(inputs), **self.options), self.name)


@contextmanager
def closed_figures() -> Iterator[None]:
    """Close the figures of pyplot that the block opens, which a plot that fails leaves behind."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = pyplot.get_fignums() if pyplot is not None else []
    try:
        yield
    finally:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            for number in {*pyplot.get_fignums()} - {*before}:
                pyplot.close(number)


def find_plot_call(plot: Any, seed: int | None = None) -> PlotCall:
    """Return a plot by its name, or as a function.

    Parameters
    ----------
    plot : str or callable
        Name of a plot, a plot, `functools.partial` of a plot with options, or any function. The positional parameters
        of a function name its inputs. It draws into ``ax`` or ``figure``, or returns its own figure.
    seed : int, optional
        Seed of a registered plot that has one.

    Returns
    -------
    PlotCall
        The plot.

    Raises
    ------
    InputError
        If it is neither, or no plot has this name.
    """
    is_preset = isinstance(plot, functools.partial) and hasattr(plot.func, PAGE_ATTRIBUTE) and not plot.args
    function = plot.func if is_preset else plot
    name = getattr(function, "__name__", type(function).__name__)
    if isinstance(function, str) or hasattr(function, PAGE_ATTRIBUTE):
        spec = get_plot(function if isinstance(function, str) else name)
        preset = PlotCall(spec.name, spec, shared_options(spec, seed, None))
        return preset.with_options(plot.keywords) if is_preset else preset
    if not callable(function):
        expected = "the name of a plot, or a function"
        raise InputError(f"A plot is of type {name}, expected {expected}.", got=name, expected=expected)
    spec = PlotSpec(function, name if name.isidentifier() else "figure", PageShape(), distribution="")
    return PlotCall(spec.name, spec)


def _figure_of(drawn: Any, name: str) -> Figure:
    """Return the figure that a function made."""
    from matplotlib.figure import Figure

    first = drawn.flat[0] if isinstance(drawn, np.ndarray) else drawn
    figure = first if isinstance(first, Figure) else getattr(first, "figure", None)
    if not isinstance(figure, Figure):
        got = type(drawn).__name__
        raise InputError(
            f"{name} returned an object of type {got}, expected a Figure or Axes.",
            got=got,
            expected="a Figure or Axes",
            fix="Return the figure, or draw into a parameter ax.",
        )
    return figure
