"""Figure sets: encode once, draw many, let no failure spoil the rest, and leave a record of it all."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vaeviz.data.atomic_files import atomic_path
from vaeviz.data.dataset import Dataset
from vaeviz.data.sample_kind import SampleKind, sample_kind
from vaeviz.drawing.styles import get_style
from vaeviz.drawing.styles import style as in_style
from vaeviz.errors import GuessWarning, InputError, NotApplicable, UnknownName
from vaeviz.export.crew import Alone, Names, drawn_by_others
from vaeviz.export.render import FORMATS, collect_plot_inputs, draw_figure, save_figure, shared_options
from vaeviz.health.check import CheckResult
from vaeviz.health.report import to_json_value
from vaeviz.model.collect_inputs import with_cached_codes
from vaeviz.model.provenance import describe_inputs, package_versions, portable_traceback, sha256_hex
from vaeviz.plugins import registry
from vaeviz.plugins.diagnostics import capture_warnings
from vaeviz.plugins.options import validate_settings
from vaeviz.plugins.plot_spec import PlotSpec, get_plot, plot_names


@dataclass
class FigureRecord:
    """What became of one plot: a figure, or the reason why there is none."""

    plot: str
    status: Literal["drawn", "skipped", "failed"] = "drawn"
    reason: str = ""
    summary: str = ""
    distribution: str = ""
    width: str = "column"
    options: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    traceback: str = ""


@dataclass(frozen=True)
class RenderOptions:
    """How and where the figures of a set are written."""

    folder: Path
    formats: tuple[str, ...]
    style: str
    dpi: int


def export_figures(
    out: str | Path,
    *,
    model: Any = None,
    data: Dataset | None = None,
    plots: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    formats: str | Iterable[str] = ("png",),
    style: str = "paper",
    dpi: int | None = None,
    seed: int = 0,
    kind: SampleKind | None = None,
    title: str = "",
    analysis: bool | None = None,
    jobs: int = 1,
    command: Sequence[str] = (),
    on_record: Callable[[FigureRecord], None] = lambda record: None,
    on_findings: Callable[[tuple[CheckResult, ...]], None] = lambda findings: None,
    **inputs: Any,
) -> list[FigureRecord]:
    """Draw a set of figures into the folder `out`: figures, ``manifest.json``, ``timings.json``, ``index.html``.

    model: anything that `vaeviz.open` opens; supplies encoder, decoder and what else it knows. data: supplies x,
    labels and factors. inputs: the same by name (``encoder=``, ``x=``, ``labels=``, ...), and win over both.
    plots: names, or None for all. settings: options by plot. formats: of png, pdf, svg. dpi: the style's unless given.
    seed, kind: for each plot that has a seed, or draws samples, and no setting of its own; the kind is that of the data
    unless given. on_record: called as each plot is done.
    jobs: so many processes draw at once, the same figures as one would. They open models and callables by name: give a
    path, or ``"package.module:attribute"``; where they are objects one job draws, and a warning says so.
    command: the arguments of ``vaeviz export`` by which a model and inputs that are objects can be opened again.
    analysis: whether page and manifest hold the findings of `vaeviz.analyze`, at their default thresholds; by default
    where no plots are named, and the set is whole. on_findings: called with them.

    A plot whose inputs are missing, or which does not apply, is skipped with the reason; one that fails is recorded
    with its traceback, and the rest are drawn. Nothing is removed: a figure of an earlier export that this one does
    not draw stays, and the manifest is of this one alone. Raises `InputError`, before anything is written, for an
    unknown plot, option, style or format, for bad inputs, and for a folder that cannot be written.
    """
    dpi = get_style(style).dpi if dpi is None else dpi
    for name, value, least in (("dpi", dpi, 1), ("seed", seed, 0), ("jobs", jobs, 1)):
        if value < least:
            raise InputError(f"{name} = {value}: expected {least} or more")
    pages = RenderOptions(Path(out), _checked_formats(formats), style, dpi)
    names = _checked_names(plots)
    settings = _checked_settings(settings or {}, names)
    spelled = _names(model, inputs, command)
    with capture_warnings() as at_the_door:
        inputs = with_cached_codes(collect_plot_inputs(model, data, inputs))
        kind = _checked_kind(data.kind if data is not None and kind is None else kind, inputs.get("x"))
    for text in at_the_door:
        warnings.warn(text, GuessWarning, stacklevel=2)
    _check_writable(pages.folder)
    options = {name: _options(name, settings.get(name, {}), seed, kind) for name in names}
    found = {}
    with closing(_drawn(options, inputs, pages, jobs, spelled)) as drawing:
        for record, seconds in drawing:
            found[record.plot] = record, round(seconds, 3)
            on_record(record)
    records = [found[name][0] for name in names]
    timings = {name: found[name][1] for name in names}
    findings, told = (), []
    if plots is None if analysis is None else analysis:
        began = time.perf_counter()
        findings, told = _findings(inputs, seed)
        timings["report"] = round(time.perf_counter() - began, 3)
        on_findings(findings)
    manifest = {
        "title": title or pages.folder.name,
        "style": style,
        "dpi": dpi,
        "formats": list(pages.formats),
        "seed": seed,
        "versions": package_versions(),
        "inputs": describe_inputs(inputs),
        "warnings": list(dict.fromkeys([*at_the_door, *told])),
        "report": to_json_value([asdict(finding) for finding in findings]),
        "figures": [asdict(record) for record in records],
    }
    _write_manifest(pages.folder, manifest, timings)
    return records


def _findings(inputs: Mapping[str, Any], seed: int) -> tuple[tuple[CheckResult, ...], list[str]]:
    """What `vaeviz.analyze` finds, and the warnings on the way."""
    from vaeviz.health.analyze import run_checks

    with capture_warnings() as texts:
        findings = run_checks(inputs, seed=seed)
    return findings, texts


def _checked_names(plots: Iterable[str] | None) -> list[str]:
    plots = [plots] if isinstance(plots, str) else plots
    names = plot_names() if plots is None else list(dict.fromkeys(map(_registered, plots)))
    if not names:
        raise InputError("no plot was asked for")
    return names


def _registered(plot: str) -> str:
    """The name under which a plot is registered, with dashes or underscores."""
    known = {name.replace("-", "_"): name for name in plot_names()}
    if plot.replace("-", "_") not in known:
        raise UnknownName("plot", plot, known.values())
    return known[plot.replace("-", "_")]


def _checked_formats(formats: str | Iterable[str]) -> tuple[str, ...]:
    formats = (formats,) if isinstance(formats, str) else tuple(dict.fromkeys(formats))
    for name in formats:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if not formats:
        raise InputError(f"no format was asked for; expected some of {', '.join(FORMATS)}")
    return formats


def _checked_settings(settings: Mapping[str, Mapping[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    checked: dict[str, dict[str, Any]] = {}
    for spelled, options in settings.items():
        plot = _registered(spelled)
        checked.setdefault(plot, {}).update(validate_settings(get_plot(plot).function, options, owner=plot))
        if plot not in names:
            raise InputError(f"{plot} has settings, but is not among the plots to draw: {', '.join(names)}")
    return checked


def _checked_kind(kind: SampleKind | None, x: Any) -> SampleKind | None:
    """`kind`; `InputError` if there is no such kind, or x cannot be drawn as it."""
    if kind is not None and x is not None:
        sample_kind(np.shape(x)[1:], kind)
    return kind


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written, {error.strerror}") from None


def _options(name: str, settings: Mapping[str, Any], seed: int, kind: SampleKind | None) -> dict[str, Any]:
    """What is said of the options of a plot; its defaults stand for the rest."""
    try:
        return shared_options(get_plot(name), seed, kind) | settings
    except InputError:  # which its record tells
        return dict(settings)


def _names(model: Any, inputs: Mapping[str, Any], command: Sequence[str]) -> Names:
    """What of model and inputs another process can open by a name."""
    if command:
        return Names(command=tuple(command))
    named = {name: value for name, value in inputs.items() if isinstance(value, str)}
    objects = frozenset(inputs) - frozenset(named)
    if model is None or isinstance(model, (str, Path)):
        return Names(model and str(model), named, objects=objects)
    return Names(None, named, objects=objects | {"model"})


def _drawn(
    options: Mapping[str, dict[str, Any]], inputs: Mapping[str, Any], pages: RenderOptions, jobs: int, names: Names
) -> Iterator[tuple[FigureRecord, float]]:
    """(record, seconds) of each plot as it is done; what was registered at run time no other process knows."""
    own = registry.runtime_only("vaeviz.plots")
    others = [name for name in options if name not in own] if jobs > 1 else []
    if others:
        job = {**asdict(pages), "folder": pages.folder.resolve(), "options": options}
        try:
            with closing(drawn_by_others(others, min(jobs, len(others)), names, job, inputs)) as answers:
                for name, answer in answers:
                    yield _answered(name, answer, options[name])
        except Alone as reason:
            others = []
            warnings.warn(f"jobs = {jobs}: one draws, since {reason}", stacklevel=3)
    for name in options:
        if name not in others:
            began = time.perf_counter()
            yield draw_plot(name, inputs, options[name], pages), time.perf_counter() - began


def _answered(name: str, answer: dict[str, Any] | str, options: dict[str, Any]) -> tuple[FigureRecord, float]:
    record, _ = _begun(name, options)
    if isinstance(answer, str):
        record.status, record.reason = "failed", answer
        return record, 0.0
    seconds = answer.pop("seconds")
    return replace(FigureRecord(**answer), options=record.options), seconds


def _begun(name: str, options: dict[str, Any]) -> tuple[FigureRecord, PlotSpec | None]:
    """The record of a plot that is still to be drawn, and what is known of it; None if it cannot be imported."""
    try:
        spec = get_plot(name)
    except InputError as error:
        return FigureRecord(name, "skipped", str(error)), None
    options = {key: option.default for key, option in spec.options.items()} | {
        key: value for key, value in options.items() if key in spec.options
    }
    about = {"summary": spec.summary, "distribution": spec.distribution, "width": spec.page.width}
    return FigureRecord(name, options=options, **about), spec


def draw_plot(name: str, inputs: Mapping[str, Any], options: dict[str, Any], pages: RenderOptions) -> FigureRecord:
    """Draw one plot and write its files, whatever comes of it."""
    record, spec = _begun(name, options)
    if spec is None:
        return record
    record.reason = spec.lacking(inputs)
    if record.reason:
        record.status = "skipped"
        return record
    with capture_warnings() as record.warnings:
        try:
            with in_style(pages.style) as look:
                figure = draw_figure(spec, inputs, record.options, look)
                for ending in pages.formats:
                    path = pages.folder / f"{name}.{ending}"
                    save_figure(figure, path, pages.dpi)
                    record.files[path.name] = sha256_hex(path.read_bytes())
        except NotApplicable as error:
            record.status, record.reason = "skipped", str(error)
        except Exception as error:
            record.status, record.traceback, record.files = "failed", portable_traceback(), {}
            record.reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return record


def _write_manifest(folder: Path, manifest: dict, timings: dict) -> None:
    from vaeviz.export.gallery import page

    texts = {
        "manifest.json": json.dumps(manifest, indent=2, default=str, ensure_ascii=False) + "\n",
        "timings.json": json.dumps(timings, indent=2) + "\n",
        "index.html": page(manifest),
    }
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
