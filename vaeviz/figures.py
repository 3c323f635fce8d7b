"""One figure of one plot: its inputs, its page, its file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeviz.data import Dataset
from vaeviz.drawing.styles import Style
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.files import replacing
from vaeviz.model import as_decoder, as_encoder, open
from vaeviz.plot import INPUTS, PlotSpec, get_plot, plot_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
NO_DATES = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def gather(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name from an opened model, a data set, and what was given by name, which wins."""
    _check_names(inputs)
    gathered: dict[str, Any] = {}
    if model is not None:
        opened = open(model)
        gathered |= {"encoder": opened.encoder, "decoder": opened.decoder, **opened.inputs}
    if data is not None:
        gathered |= {"x": data.x, "labels": data.named_labels(), "factors": data.factors}
    gathered |= {name: value for name, value in inputs.items() if value is not None}
    if gathered.get("condition") is None and _is_conditional(gathered):
        gathered["condition"] = gathered.get("labels")
    return {name: value for name, value in gathered.items() if value is not None}


def _is_conditional(inputs: Mapping[str, Any]) -> bool:
    """Whether a part of the model wants a condition, which the labels are where no other is given."""
    for name, as_part in (("encoder", as_encoder), ("decoder", as_decoder)):
        with contextlib.suppress(InputError, NotApplicable):  # what is no encoder is told where it is used
            if as_part(inputs.get(name)).is_conditional:
                return True
    return False


def lacking(spec: PlotSpec, inputs: Mapping[str, Any]) -> str:
    """Why the plot cannot be drawn from these inputs; empty if it can."""
    missing = spec.missing(inputs)
    return f"needs {' and '.join(missing)}" if missing else ""


def drawn(spec: PlotSpec, inputs: Mapping[str, Any], options: Mapping[str, Any], look: Style) -> Figure:
    """The figure of one plot, on its own page; the style's rcParams are the caller's to set."""
    from matplotlib.figure import Figure

    width = look.column if spec.page.width == "column" else look.full
    figure = Figure(figsize=(width, width * (spec.page.aspect or 2.0)), layout="constrained")
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    given = {name: inputs[name] for name in spec.required + spec.optional if inputs.get(name) is not None}
    spec.function(**given, **options, **place)
    if spec.page.aspect is None:
        _fit_height(figure)
    return figure


def write_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Save a figure, whole or not at all, with the same bytes for the same picture."""
    ending = path.suffix.lstrip(".")
    with replacing(path) as temporary:
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
        box = figure.get_tightbbox()
        figure.set_size_inches(figure.get_size_inches()[0], box.height + 0.08)
    figure.draw_without_rendering()
