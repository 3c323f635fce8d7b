"""One figure of one plot: its inputs, its page, its files and its record."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vaeviz.data.atomic_files import atomic_path, partial_files, report_write_errors
from vaeviz.data.dataset import Dataset
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.figure_factory import allow_growth
from vaeviz.drawing.styles import Style
from vaeviz.drawing.styles import style as style_context
from vaeviz.errors import InputError, NotApplicable, OutputError, UnknownName, for_command_line, warn_user
from vaeviz.export.manifest import FigureRecord
from vaeviz.model.collect_inputs import collect_inputs
from vaeviz.model.provenance import portable_traceback, sha256_hex
from vaeviz.plugins.axes_layout import lay_out
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.plot_spec import PlotSpec, get_plot, plot_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
UNDATED_METADATA: dict[str, dict[str, None]] = {  # the same picture has the same bytes
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
PNG_OPTIONS = {"compress_level": 3}  # a third less time than 6, the default of Pillow, for 13 % more bytes
PROVISIONAL_ASPECT = 2.0  # of a page as high as its content: so high that the width limits the content
MAX_HEIGHT_CHANGE = 0.002  # inches; half a pixel in print
BOTTOM_MARGIN = 0.08  # inches


@dataclass(frozen=True)
class RenderOptions:
    """Where and how the figures of a set are written.

    Attributes
    ----------
    folder : Path
        Output folder.
    formats : tuple of str
        File name endings, of "png", "pdf" and "svg".
    style : str
        Name of the style.
    dpi : int
        Resolution in dots per inch.
    """

    folder: Path
    formats: tuple[str, ...]
    style: str
    dpi: int


def collect_plot_inputs(model: Any, data: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the inputs of plots from a model, a data set and named inputs.

    Parameters
    ----------
    model : object, optional
        Anything that `vaeviz.open` opens, or "package.module:attribute" for such an object; None for no model.
    data : Dataset or array_like, optional
        A data set, which supplies the samples and what is known of them; or samples.
    inputs : mapping
        Inputs by name. They win over those of the model and the data set.

    Returns
    -------
    dict
        Inputs by name, without those that are None.

    Raises
    ------
    UnknownName
        If no plot has an input of that name.
    """
    _check_input_names(inputs)
    if data is not None and not isinstance(data, Dataset):
        inputs, data = {"x": data, **inputs}, None
    return collect_inputs(model, data, inputs)


def shared_options(spec: PlotSpec, seed: int | None, kind: SampleKind | None) -> dict[str, Any]:
    """Return the options of a whole set that one plot has.

    Parameters
    ----------
    spec : PlotSpec
        The plot.
    seed : int, optional
        Seed of every plot that has an option ``seed``.
    kind : SampleKind, optional
        How samples are drawn, for every plot that has an option ``kind``.

    Returns
    -------
    dict
        "seed" and "kind", each only if the plot has it and it is not None.
    """
    annotations = {name: option.annotation for name, option in spec.options.items()}
    shared: dict[str, Any] = {"seed": seed} if "seed" in annotations else {}
    if annotations.get("kind") == SampleKind | None:
        shared["kind"] = kind
    return {name: value for name, value in shared.items() if value is not None}


def draw_plot(name: str, inputs: Mapping[str, Any], options: Mapping[str, Any], render: RenderOptions) -> FigureRecord:
    """Draw one plot and write its files, or record why that was not possible.

    Parameters
    ----------
    name : str
        Name of the plot.
    inputs : mapping
        Inputs of all plots by name.
    options : mapping
        Options of the plot; its defaults are used for the rest.
    render : RenderOptions
        Where and how the figure is written.

    Returns
    -------
    FigureRecord
        The record of the plot. Errors of the plot are recorded and not raised.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    record = new_record(name, options)
    if record.status == "skipped":
        return record
    spec = get_plot(name)
    missing = spec.why_not_applicable(inputs)
    if missing:
        return _without_figure(record, "skipped", NotApplicable(missing))
    with capture_warnings() as raised:
        try:
            with style_context(render.style) as style:
                figure = draw_figure(spec, inputs, record.options, style)
                for ending in render.formats:
                    path = render.folder / f"{name}.{ending}"
                    save_figure(figure, path, render.dpi)
                    record.files[path.name] = sha256_hex(path.read_bytes())
        except OutputError:
            raise
        except NotApplicable as error:
            _without_figure(record, "skipped", error)
        except Exception as error:
            _without_figure(record, "failed", error)
            record.traceback = portable_traceback()
    record.warnings = [str(warning) for warning in raised]
    record.command_line_warnings = [for_command_line(warning) for warning in raised]
    return record


def new_record(name: str, options: Mapping[str, Any]) -> FigureRecord:
    """Return the record of a plot that is still to be drawn.

    Parameters
    ----------
    name : str
        Name of the plot.
    options : mapping
        Options that were set; the defaults are added.

    Returns
    -------
    FigureRecord
        The record. It is "skipped" with the reason if the plot cannot be imported.
    """
    try:
        spec = get_plot(name)
        every_option = {option.name: option.default for option in spec.options.values()}
    except InputError as error:
        return _without_figure(FigureRecord(name), "skipped", error)
    every_option |= {key: value for key, value in options.items() if key in every_option}
    return FigureRecord(
        name,
        summary=spec.summary,
        distribution=spec.distribution,
        width=spec.page.width,
        options=every_option,
    )


def draw_figure(spec: PlotSpec, inputs: Mapping[str, Any], options: Mapping[str, Any], style: Style) -> Figure:
    """Draw one plot on a page of its own.

    Parameters
    ----------
    spec : PlotSpec
        The plot.
    inputs : mapping
        Inputs by name.
    options : mapping
        Options of the plot.
    style : Style
        Supplies the width of the page. The caller sets the rcParams of the style.

    Returns
    -------
    Figure
        A figure that pyplot does not know.
    """
    from matplotlib.figure import Figure

    width = style.column if spec.page.width == "column" else style.full
    height = width * (spec.page.aspect or PROVISIONAL_ASPECT)
    figure = allow_growth(Figure(figsize=(width, height), layout="constrained"))
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    returned = spec.function(**spec.select_inputs(inputs), **options, **place)
    if returned is None:
        warn_user(UserWarning(f"{spec.name} returns nothing, expected the Axes that it drew into."))
    if spec.page.aspect is None:
        _fit_height(figure)
    else:
        lay_out(figure)  # ticks may change with a first layout, and need other margins in the next
    return figure


def save_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Save a figure completely or not at all, with the same bytes for the same picture.

    Parameters
    ----------
    figure : Figure
        The figure.
    path : Path
        File name; its ending chooses the format.
    dpi : int
        Resolution in dots per inch.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = figure_content(figure, path.suffix.lstrip("."), dpi)  # matplotlib hides why a file cannot be written
    with report_write_errors(path), atomic_path(path) as temporary:
        temporary.write_bytes(content)


def figure_content(figure: Figure, ending: str, dpi: int) -> bytes:
    """Return the content of a file with a figure, the same bytes for the same picture.

    Parameters
    ----------
    figure : Figure
        The figure.
    ending : {"png", "pdf", "svg"}
        The format.
    dpi : int
        Resolution in dots per inch.

    Returns
    -------
    bytes
        The content.
    """
    content = io.BytesIO()
    options: dict[str, Any] = {"pil_kwargs": PNG_OPTIONS} if ending == "png" else {}
    figure.savefig(content, dpi=dpi, format=ending, metadata=UNDATED_METADATA.get(ending), **options)
    return content.getvalue()


def remove_partial_figures(render: RenderOptions, plots: Iterable[str]) -> None:
    """Remove the temporary files of processes that were ended while they wrote.

    Parameters
    ----------
    render : RenderOptions
        Where and how the figures are written.
    plots : iterable of str
        Names of the plots.
    """
    figures = (render.folder / f"{plot}.{ending}" for plot in plots for ending in render.formats)
    for path in partial_files(figures):
        path.unlink(missing_ok=True)


def _without_figure(record: FigureRecord, status: Literal["skipped", "failed"], error: Exception) -> FigureRecord:
    """Put the reason why there is no figure into a record."""
    record.status, record.files = status, {}
    prefix = "" if isinstance(error, (InputError, NotApplicable)) else f"{type(error).__name__}: "
    record.reason, record.command_line_reason = f"{prefix}{error}", prefix + for_command_line(error)
    return record


def _check_input_names(names: Iterable[str]) -> None:
    """Raise `UnknownName` for an input that no plot has, such as a misspelled one."""
    known = set(INPUTS)
    if known.issuperset(names):
        return
    for name in plot_names():
        with contextlib.suppress(InputError):
            spec = get_plot(name)
            known |= {*spec.required, *spec.optional}
    for name in names:
        if name not in known:
            raise UnknownName("input", name, known)


def _fit_height(figure: Figure) -> None:
    """Make a page as high as its content; the width stays, so that it still fills its column."""
    for _ in range(3):  # titles and labels beside images need a few layouts to settle
        lay_out(figure)
        width, height = figure.get_size_inches()
        content_height = figure.get_tightbbox().height + BOTTOM_MARGIN
        figure.set_size_inches(width, content_height)
        if abs(content_height - height) < MAX_HEIGHT_CHANGE:
            return
    lay_out(figure)
