"""What a plot is: a plain function, and the `PlotSpec` that its signature says.

Positional parameters name what the plot needs, keyword-only parameters are its options, and it draws
into one Axes (``ax``) or, with several panels, into one figure (``figure``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, overload

from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins import registry
from vaeviz.plugins.options import Option, is_text_serializable, options_of
from vaeviz.plugins.signature import InputSignature

INPUTS = (
    "encoder",
    "decoder",
    "x",
    "labels",
    "condition",
    "factors",
    "history",
    "likelihood",
    "other_x",
    "other_encoder",
    "runs",
    "feature_names",
    "factor_names",
)
"""The vocabulary of inputs. An input of another name is legal; it is supplied by whoever calls."""


PageWidth = Literal["column", "full"]


@dataclass(frozen=True)
class PageShape:
    """The shape of a plot on a page: one text column wide or the full width, and height / width.

    aspect: None where what is drawn decides.
    """

    width: PageWidth = "column"
    aspect: float | None = 1.0

    def __post_init__(self) -> None:
        if self.width not in get_args(PageWidth):
            raise UnknownName("page width", self.width, get_args(PageWidth))


@dataclass(frozen=True)
class PlotSpec(InputSignature):
    """What the registry knows of a plot. Calling it calls the plot function."""

    page: PageShape
    distribution: str

    @property
    def place(self) -> str:
        """The parameter that takes where to draw: ``ax`` or ``figure``."""
        return "figure" if "figure" in inspect.signature(self.function).parameters else "ax"


@overload
def register_plot(function: Callable, /) -> Callable: ...
@overload
def register_plot(*, page: PageShape = ...) -> Callable[[Callable], Callable]: ...


def register_plot(function: Callable | None = None, /, *, page: PageShape | None = None) -> Callable:
    """File a plot function under its own name, and return it unchanged.

    ``@register_plot`` or ``@register_plot(page=Page("full", 0.4))``. Raises `InputError` if the signature
    breaks the contract of a plot (see ``docs/writing-a-plot.md``).
    """
    page = page or PageShape()

    def file(function: Callable) -> Callable:
        _check_contract(function)
        function.__vaeviz_page__ = page
        registry.add("vaeviz.plots", function.__name__, function)
        return function

    return file if function is None else file(function)


def plot_names() -> list[str]:
    """The names of all registered plots. Imports none of them."""
    return list(registry.entries("vaeviz.plots"))


def get_plot(name: str) -> PlotSpec:
    """The plot registered under `name`; `InputError` with the nearest names if there is none."""
    entry = registry.find("vaeviz.plots", name)
    function = entry.load()
    page = getattr(function, "__vaeviz_page__", None)
    if page is None:
        raise InputError(f"{entry.name!r} of {entry.distribution} is not a plot: decorate it with @register_plot")
    return PlotSpec(function, entry.name, page, entry.distribution)


def _check_contract(function: Callable) -> None:
    name = function.__name__
    parameters = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
        raise InputError(f"plot {name}: *args and **kwargs are not allowed, name every input and option")
    places = [place for place in ("ax", "figure") if place in parameters]
    if len(places) != 1 or parameters[places[0]].kind is not inspect.Parameter.KEYWORD_ONLY:
        raise InputError(f"plot {name}: needs one place to draw, a keyword-only `ax=None` or `figure=None`")
    for option in _readable_options(function).values():
        if option.default is inspect.Parameter.empty:
            raise InputError(f"plot {name}: option {option.name!r} needs a default")
        if option.annotation is Any:
            raise InputError(f"plot {name}: option {option.name!r} needs an annotation")
        if not is_text_serializable(option.annotation):
            written = inspect.formatannotation(option.annotation)
            raise InputError(
                f"plot {name}: option {option.name!r} is annotated {written}, which nobody can write on a command "
                "line; expected bool, int, float, str, Path, Literal, dict, a tuple as tuple[int, ...], or one of "
                "these | None"
            )


def _readable_options(function: Callable) -> dict[str, Option]:
    try:
        return options_of(function)
    except InputError as error:
        raise InputError(f"plot {error}") from None
