"""``export_figures``: encode once, draw many plots, and leave a record of it all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.analysis.shared_estimates import share_estimates
from vaeviz.data.atomic_files import report_write_errors
from vaeviz.data.sample_kind import SampleKind, sample_kind
from vaeviz.drawing.styles import get_style
from vaeviz.errors import Fix, InputError, NothingDrawnWarning, OutputError, UnknownName, list_words, warn_user
from vaeviz.export.gallery import gallery_page
from vaeviz.export.manifest import FigureRecord, FigureRecords, check_writable, earlier_figures, write_files
from vaeviz.export.parallel import Completed, Task, run_tasks
from vaeviz.export.render import (
    FORMATS,
    RenderOptions,
    collect_plot_inputs,
    remove_partial_figures,
    shared_options,
)
from vaeviz.export.tasks import CheckOutcome, CheckTask, FigureTask
from vaeviz.health.analyze import CHECKS
from vaeviz.health.report import Report
from vaeviz.model.collect_inputs import with_cached_codes
from vaeviz.model.provenance import describe_inputs, package_versions
from vaeviz.plugins.diagnostics import capture_warnings, merge_warnings
from vaeviz.plugins.inputs import describe_missing
from vaeviz.plugins.options import check_arguments, check_names, check_settings, validate_settings
from vaeviz.plugins.plot_spec import get_plot, plot_names

EXPLORER_PAGE = "explorer.html"  # a page of `vaeviz explore` in the same folder, which the page of figures links
ANIMATION = "epochs.gif"  # likewise, a file of `vaeviz animate`
DRAWING = threading.RLock()  # rcParams and the filters of warnings belong to all threads of a process


def export_figures(
    out: str | Path,
    *,
    model: Any = None,
    data: Any = None,
    plots: str | Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    formats: str | Iterable[str] = ("png",),
    style: str = "paper",
    dpi: int | None = None,
    seed: int = 0,
    kind: SampleKind | None = None,
    title: str = "",
    analysis: bool | None = None,
    jobs: int = 1,
    clean: bool = False,
    single_file: bool = False,
    source: Iterable[str] = (),
    on_record: Callable[[FigureRecord], None] | None = None,
    on_report: Callable[[Report], None] | None = None,
    **inputs: Any,
) -> FigureRecords:
    """Draw a set of figures into a folder, with a manifest and a page that shows them.

    A plot whose inputs are missing, or that does not apply, is skipped with the reason. A plot that fails is recorded
    with its traceback. Neither keeps the others from being drawn.

    Parameters
    ----------
    out : str or Path
        Output folder. It gets the figures, ``manifest.json``, ``timings.json`` and ``index.html``.
    model : object, optional
        Anything that `vaeviz.open` opens. It supplies the encoder, the decoder and what else it knows.
    data : Dataset or array_like, optional
        A data set, which supplies x, labels and factors; or samples x, shape (N, ...).
    plots : str or iterable of str, optional
        Names of the plots; None for all.
    settings : mapping, optional
        Options by plot, for example ``{"latent_scatter": {"dims": (0, 2)}}``.
    formats : str or iterable of str, default ("png",)
        Of "png", "pdf" and "svg".
    style : str, default "paper"
        Name of a style, see `vaeviz.style`.
    dpi : int, optional
        Resolution in dots per inch; that of the style by default.
    seed : int, default 0
        Seed of each plot that has one, unless `settings` sets it.
    kind : str, optional
        How samples are drawn, unless `settings` sets it; the kind of the data by default.
    title : str, default ""
        Title of the page; the name of the folder by default.
    analysis : bool, optional
        Whether the page begins with the report of `vaeviz.analyze`. By default it does if `plots` is None.
    jobs : int, default 1
        Number of processes that draw. The figures are the same with any number. Objects that cannot be pickled are
        drawn by one process, with a warning.
    clean : bool, default False
        Remove the figures of an earlier export that are not drawn again. By default they stay, and the manifest and
        the page list them. Other files are never removed.
    single_file : bool, default False
        Put the figures into ``index.html``, so that it can be sent alone.
    source : iterable of str, optional
        Arguments of ``vaeviz plot`` that name the model and the data, for example ``["runs/mnist"]``. The page then
        shows the command that draws each figure again, beside the call in Python.
    on_record : callable, optional
        Called with each `FigureRecord` as soon as its plot is done.
    on_report : callable, optional
        Called with the `Report`, if there is one.
    **inputs
        Inputs by name (``encoder=``, ``x=``, ``labels=``, …). They win over those of the model and the data.

    Returns
    -------
    FigureRecords
        A list with one `FigureRecord` per plot, in the order of `plots`. A notebook shows it as a table.

    Raises
    ------
    InputError
        Before anything is written: for unknown plots, options, styles or formats, for invalid inputs, and for a folder
        that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> folder = tempfile.mkdtemp()
    >>> x = np.random.default_rng(0).random((50, 4))
    >>> records = export_figures(folder, encoder=lambda x: x[:, :2], x=x, plots="latent_scatter")
    >>> records[0].status
    'drawn'
    """
    check_arguments(export_figures, locals())
    names = _plots_to_draw(plots)
    render = _render_options(out, formats, style, dpi)
    set_options = _validate_plot_settings(check_settings(settings), names)
    with DRAWING, capture_warnings() as input_warnings:
        found = with_cached_codes(collect_plot_inputs(model, data, inputs))
        kind = _check_kind(getattr(data, "kind", None) if kind is None else kind, found.get("x"))
    for warning in input_warnings:
        warn_user(warning)
    check_writable(render.folder)
    options = {name: _shared_options(name, seed, kind) | set_options.get(name, {}) for name in names}
    figures = [FigureTask(name, options[name], render) for name in names]
    checks = [CheckTask(name, seed) for name in CHECKS] if (plots is None if analysis is None else analysis) else []
    remove_partial_figures(render, names)
    try:
        with DRAWING:
            done = _draw_and_check(figures, checks, found, jobs, on_record)
    finally:
        remove_partial_figures(render, names)
    records = FigureRecords(done[task].result for task in figures)
    if all(record.status == "skipped" for record in records):
        warn_user(_nothing_drawn(records, found))
    report = Report((), seed, title, describe_inputs(found), package_versions())
    if checks:
        report = _with_outcomes(report, [done[task].result for task in checks])
        if on_report is not None:
            on_report(report)
    manifest = _manifest(render, report, records, input_warnings) | {"source": [str(argument) for argument in source]}
    for name, file in (("explorer", EXPLORER_PAGE), ("animation", ANIMATION)):
        if (render.folder / file).is_file():
            manifest[name] = file
    _settle_earlier_figures(render.folder, manifest, clean)
    write_files(
        render.folder,
        manifest,
        _timings(figures, checks, done),
        gallery_page(manifest, render.folder if single_file else None),
    )
    return records


def _settle_earlier_figures(folder: Path, manifest: dict[str, Any], clean: bool) -> None:
    """Remove the figures of an earlier export that were not drawn again, or list them in the manifest."""
    earlier = earlier_figures(folder, {file for figure in manifest["figures"] for file in figure["files"]})
    if clean:
        for name in earlier:
            with report_write_errors(folder / name):
                (folder / name).unlink(missing_ok=True)
    elif earlier:
        manifest["earlier_figures"] = earlier


def _manifest(
    render: RenderOptions, report: Report, records: list[FigureRecord], input_warnings: list[Warning]
) -> dict[str, Any]:
    """Return the content of ``manifest.json``."""
    return {
        "title": report.title or render.folder.name,
        "style": render.style,
        "dpi": render.dpi,
        "formats": list(render.formats),
        "seed": report.seed,
        "versions": report.versions,
        "inputs": report.inputs,
        "warnings": list(dict.fromkeys([*map(str, input_warnings), *report.warnings])),
        "report": report.as_dict()["checks"],
        "figures": [record.as_dict() for record in records],
    }


def _nothing_drawn(records: list[FigureRecord], inputs: Mapping[str, Any]) -> NothingDrawnWarning:
    """Return the warning that all plots were skipped, with what most of them need."""
    first = records[0]
    missing = Counter(filter(None, (_missing_inputs(record.plot, inputs) for record in records)))
    if len(records) == 1 or not missing:
        message = f"No figure was drawn. {first.plot} was skipped"
        return NothingDrawnWarning(message, fix=Fix(first.reason, first.command_line_reason))
    (names, n_plots), *_ = missing.most_common(1)
    message = f"No figure was drawn. {n_plots} of {len(records)} plots need {list_words(names)}."
    return NothingDrawnWarning(message, fix=describe_missing(names))


def _missing_inputs(plot: str, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the inputs that a plot lacks; none for a plot that cannot be imported."""
    try:
        return get_plot(plot).missing_inputs(inputs)
    except InputError:
        return ()


def _draw_and_check(
    figures: Sequence[FigureTask],
    checks: Sequence[CheckTask],
    inputs: Mapping[str, Any],
    jobs: int,
    on_record: Callable[[FigureRecord], None] | None,
) -> dict[Task, Completed]:
    """Run all tasks of a set, and pass on each record as soon as its figure is done."""
    done: dict[Task, Completed] = {}
    with share_estimates(), closing(run_tasks([*figures, *checks], inputs, jobs)) as running:
        for completed in running:
            done[completed.task] = completed
            if on_record is not None and isinstance(completed.result, FigureRecord):
                on_record(completed.result)
    return done


def _with_outcomes(report: Report, outcomes: Sequence[CheckOutcome]) -> Report:
    """Return a report with the results of checks, and each of their warnings once."""
    warnings = merge_warnings(warning for outcome in outcomes for warning in outcome.warnings)
    return replace(report, checks=tuple(outcome.result for outcome in outcomes), warnings=tuple(map(str, warnings)))


def _timings(
    figures: Sequence[FigureTask], checks: Sequence[CheckTask], done: Mapping[Task, Completed]
) -> dict[str, float]:
    """Return the seconds that each plot took, and those of all checks."""
    seconds = {task.plot: done[task].seconds for task in figures}
    if checks:
        seconds["report"] = sum(done[task].seconds for task in checks)
    return {name: round(value, 3) for name, value in seconds.items()}


def _plots_to_draw(plots: str | Iterable[str] | None) -> list[str]:
    """Return the registered names of plots, each once; all for None."""
    if plots is None:
        return plot_names()
    names = list(dict.fromkeys(map(_registered_name, check_names("plots", plots))))
    if not names:
        raise InputError(
            "plots is empty.",
            got="no plot",
            expected="names of plots",
            fix=Fix("Name a plot, or pass None for all.", "Name a plot, or leave out --plots for all."),
        )
    return names


def _registered_name(plot: str) -> str:
    """Return the name under which a plot is registered; dashes count as underscores."""
    known = {name.replace("-", "_"): name for name in plot_names()}
    if plot.replace("-", "_") not in known:
        raise UnknownName("plot", plot, known.values())
    return known[plot.replace("-", "_")]


def _render_options(out: str | Path, formats: str | Iterable[str], style: str, dpi: int | None) -> RenderOptions:
    dpi = get_style(style).dpi if dpi is None else dpi
    formats = tuple(check_names("formats", formats))
    for name in formats:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if not formats:
        fix = Fix('Write formats=("png",).', "Write --format png.")
        raise InputError("formats is empty.", got="no format", expected=" or ".join(FORMATS), fix=fix)
    if not str(out):
        raise OutputError("out is empty.", got="nothing", expected="a folder", fix="Name an output folder.")
    return RenderOptions(Path(out), formats, style, dpi)


def _validate_plot_settings(settings: Mapping[str, Mapping[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """Return validated options by registered name of a plot."""
    checked: dict[str, dict[str, Any]] = {}
    for given_name, options in settings.items():
        plot = _registered_name(given_name)
        checked.setdefault(plot, {}).update(validate_settings(get_plot(plot).function, options, owner=plot))
        if plot not in names:
            raise InputError(
                f"settings has options of {plot}, but the plots to draw are {', '.join(names)}.",
                got=plot,
                fix=Fix(
                    f"Add {plot} to plots, or remove its options from settings.",
                    f"Add {plot} to --plots, or remove its options from --set and --config.",
                ),
            )
    return checked


def _check_kind(kind: SampleKind | None, x: Any) -> SampleKind | None:
    """Return the kind; raise `InputError` if there is no such kind, or x cannot be drawn as it."""
    if kind is not None and x is not None:
        sample_kind(np.shape(x)[1:], kind)
    return kind


def _shared_options(name: str, seed: int, kind: SampleKind | None) -> dict[str, Any]:
    """Return seed and kind for a plot that has them; a plot that cannot be imported has neither."""
    try:
        return shared_options(get_plot(name), seed, kind)
    except InputError:
        return {}
