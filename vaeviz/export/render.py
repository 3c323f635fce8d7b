"""One figure of one plot: its inputs, its page, its file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeviz.data.atomic_files import atomic_path
from vaeviz.data.dataset import Dataset
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.styles import Style
from vaeviz.errors import InputError, UnknownName
from vaeviz.model.collect_inputs import collect_inputs
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.plot_spec import PlotSpec, get_plot, plot_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAME_HEIGHT = 0.002  # inches, half a pixel in print
FORMATS = ("png", "pdf", "svg")
NO_DATES = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def collect_plot_inputs(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name from a model, a data set, and what was given by name, which wins.

    A model or input that is spelled ``package.module:attribute`` is that object. Imports that module.
    """
    _check_names(inputs)
    return collect_inputs(model, data, inputs)


def shared_options(spec: PlotSpec, seed: int | None, kind: SampleKind | None) -> dict[str, Any]:
    """What a plot takes of a seed and of the kind of the samples, each None where nobody said."""
    annotations = {name: option.annotation for name, option in spec.options.items()}
    taken = {"seed": seed} if "seed" in annotations else {}
    if annotations.get("kind") == SampleKind | None:
        taken["kind"] = kind
    return {name: value for name, value in taken.items() if value is not None}


def draw_figure(spec: PlotSpec, inputs: Mapping[str, Any], options: Mapping[str, Any], look: Style) -> Figure:
    """The figure of one plot, on its own page; the style's rcParams are the caller's to set."""
    from matplotlib.figure import Figure

    width = look.column if spec.page.width == "column" else look.full
    figure = Figure(figsize=(width, width * (spec.page.aspect or 2.0)), layout="constrained")
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    spec.function(**spec.select_inputs(inputs), **options, **place)
    if spec.page.aspect is None:
        _fit_height(figure)
    else:
        figure.draw_without_rendering()  # a first layout: ticks that change with it may need other margins in the next
    return figure


def save_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Save a figure, whole or not at all, with the same bytes for the same picture."""
    ending = path.suffix.lstrip(".")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=ending, metadata=NO_DATES.get(ending))


def _check_names(inputs: Iterable[str]) -> None:
    """`UnknownName` for an input that no plot asks for: a slip of the pen, which would go unnoticed."""
    known = set(INPUTS)
    for name in plot_names():
        with contextlib.suppress(InputError):
            spec = get_plot(name)
            known |= {*spec.required, *spec.optional}
    for name in inputs:
        if name not in known:
            raise UnknownName("input", name, known)


def _fit_height(figure: Figure) -> None:
    """Make a page as high as what is on it; the width stays, so that it still fills its column."""
    for _ in range(3):  # the layout takes a few passes to learn what titles and labels need beside images
        figure.draw_without_rendering()
        width, height = figure.get_size_inches()
        fitting = figure.get_tightbbox().height + 0.08
        figure.set_size_inches(width, fitting)
        if abs(fitting - height) < SAME_HEIGHT:
            return
    figure.draw_without_rendering()
