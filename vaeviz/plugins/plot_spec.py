"""The definition of a plot: a plain function, and the `PlotSpec` that is read from its signature.

Positional parameters name the inputs of a plot and keyword-only parameters are its options. It draws into one Axes
(``ax``) or, if it has several panels, into one figure (``figure``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, get_args, overload

from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins import registry
from vaeviz.plugins.html_table import html_table
from vaeviz.plugins.options import (
    PLACES,
    Option,
    check_arguments,
    describe_annotation,
    format_value,
    is_text_serializable,
    options_of,
)
from vaeviz.plugins.plot_place import ADDED_PARAMETERS, extend_plot
from vaeviz.plugins.signature import InputSignature

PageWidth = Literal["column", "full"]
PlotFunction = TypeVar("PlotFunction", bound=Callable[..., Any])

PAGE_ATTRIBUTE = "__vaeviz_page__"  # of a registered function; a function without it is not a plot
QUESTION_ATTRIBUTE = "__vaeviz_question__"
QUESTIONS = (
    "Where do my classes lie?",
    "Which dimensions matter?",
    "What does it reconstruct?",
    "Can I sample from it?",
    "Is the bound tight?",
    "Can I trust this map?",
    "Are two runs the same?",
)
"""What the plots of vaeviz answer, in the order of a page. A plot may ask another question."""

TEXT_TYPES = "bool, int, float, str, Path, Literal, dict, tuple[int, ...], or one of these | None"


@dataclass(frozen=True)
class PageShape:
    """The shape of a plot on a page.

    Parameters
    ----------
    width : {"column", "full"}, default "column"
        One text column, or the full width of the page.
    aspect : float, optional
        Height divided by width, by default 1; None if the content decides.
    """

    width: PageWidth = "column"
    aspect: float | None = 1.0

    def __post_init__(self) -> None:
        if self.width not in get_args(PageWidth):
            raise UnknownName("page width", self.width, get_args(PageWidth))


@dataclass(frozen=True)
class PlotSpec(InputSignature):
    """A registered plot. Calling it calls the plot function.

    Parameters
    ----------
    page : PageShape
        Its shape on a page.
    distribution : str
        The distribution that provides it.
    question : str
        The question that it answers; empty if it names none.
    """

    page: PageShape
    distribution: str
    question: str = ""

    @property
    def place(self) -> Literal["ax", "figure"]:
        """Name of the parameter for the Axes or Figure to draw into."""
        return "figure" if "figure" in inspect.signature(self.function).parameters else "ax"

    def _repr_html_(self) -> str:
        inputs = ", ".join([*self.required, *(f"[{name}]" for name in self.optional)])
        rows = [
            (option.name, describe_annotation(option.annotation), format_value(option.default))
            for option in self.options.values()
        ]
        title = f"{self.name}: {self.summary}"
        return html_table(
            title, ("option", "type", "default"), rows, f"Inputs: {inputs}. Provided by {self.distribution}."
        )


@overload
def register_plot(function: PlotFunction, /) -> PlotFunction: ...
@overload
def register_plot(*, page: PageShape = ..., question: str = ...) -> Callable[[PlotFunction], PlotFunction]: ...


def register_plot(
    function: Callable[..., Any] | None = None, /, *, page: PageShape | None = None, question: str = ""
) -> Callable[..., Any]:
    """Register a plot function under its own name.

    Write ``@register_plot`` or ``@register_plot(page=PageShape("full", 0.4))`` above the function.

    Parameters
    ----------
    function : callable
        The plot. It follows the contract of ``docs/how-to/writing-a-plot.md``.
    page : PageShape, optional
        Its shape on a page, by default one column wide and as high as wide.
    question : str, optional
        The question that it answers, such as ``"Can I sample from it?"``. The page of a figure set groups plots by it.

    Returns
    -------
    callable
        The function, which also takes ``title``, ``legend`` and, if it draws into a figure, ``ax``.

    Raises
    ------
    InputError
        If the signature breaks the contract.
    """
    if not isinstance(page, PageShape | None):
        raise InputError(
            f"page is of type {type(page).__name__}, expected a PageShape.",
            got=type(page).__name__,
            expected="a PageShape",
            fix='Write page=vaeviz.PageShape("full", 0.4).',
        )
    page = page or PageShape()

    def register(function: PlotFunction) -> PlotFunction:
        _check_contract(function)
        plot = cast(PlotFunction, extend_plot(function))
        setattr(plot, PAGE_ATTRIBUTE, page)
        setattr(plot, QUESTION_ATTRIBUTE, question)
        registry.add("vaeviz.plots", function.__name__, plot)
        return plot

    return register if function is None else register(function)


def plot_names() -> list[str]:
    """Return the names of all registered plots, without importing them.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    return list(registry.entries("vaeviz.plots"))


def get_plot(name: str) -> PlotSpec:
    """Return a registered plot.

    Parameters
    ----------
    name : str
        Its name. Dashes and underscores are the same.

    Returns
    -------
    PlotSpec
        The plot, imported.

    Raises
    ------
    InputError
        If the name is unknown (the message lists the nearest names), or the plot cannot be imported.
    """
    check_arguments(get_plot, locals())
    entry = registry.find("vaeviz.plots", name)
    function = entry.load()
    page = getattr(function, PAGE_ATTRIBUTE, None)
    if page is None:
        raise entry.wrong_type(type(function).__name__, "a function with @register_plot")
    return PlotSpec(function, entry.name, page, entry.distribution, getattr(function, QUESTION_ATTRIBUTE))


def _check_contract(function: Callable[..., Any]) -> None:
    owner = f"Plot {function.__name__}"
    parameters = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
        raise InputError(f"{owner} has *args or **kwargs.", fix="Name every input and every option.")
    places = [place for place in PLACES if place in parameters]
    if len(places) != 1 or parameters[places[0]].kind is not inspect.Parameter.KEYWORD_ONLY:
        raise InputError(
            f"{owner} has {len(places)} places to draw in, expected one that is keyword-only.",
            got=", ".join(places),
            expected="ax or figure",
            fix="Add `*, ax=None` or `*, figure=None` to its parameters.",
        )
    taken = [name for name in ADDED_PARAMETERS if name in parameters]
    if taken:
        raise InputError(
            f"{owner} has a parameter {taken[0]!r}, which every plot has anyway.",
            got=taken[0],
            fix="Remove it, since register_plot adds it. If yours means something else, give it another name.",
        )
    for option in _plot_options(function).values():
        _check_option(owner, option)


def _check_option(owner: str, option: Option) -> None:
    if option.default is inspect.Parameter.empty:
        raise InputError(f"{owner}: option {option.name!r} has no default.", fix=f"Write {option.name}=VALUE.")
    if option.annotation is Any:
        fix = f"Annotate it with {TEXT_TYPES}."
        raise InputError(f"{owner}: option {option.name!r} has no annotation.", expected=TEXT_TYPES, fix=fix)
    if not is_text_serializable(option.annotation):
        annotation = inspect.formatannotation(option.annotation)
        raise InputError(
            f"{owner}: option {option.name!r} is annotated {annotation}, which cannot be written on a command line.",
            got=annotation,
            expected=TEXT_TYPES,
            fix=f"Annotate it with {TEXT_TYPES}.",
        )


def _plot_options(function: Callable[..., Any]) -> dict[str, Option]:
    try:
        return options_of(function)
    except InputError as error:
        message = f"Plot {function.__name__}: {error.message}"
        raise InputError(message, got=error.got, expected=error.expected, fix=error.fix) from None
