"""Figure sets: encode once, draw many, let no failure spoil the rest, and leave a record of it all."""

from __future__ import annotations

import contextlib
import json
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from vaeviz.data import Dataset
from vaeviz.drawing.styles import get_style
from vaeviz.drawing.styles import style as in_style
from vaeviz.encoding import remember
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.figures import FORMATS, drawn, gather, lacking, write_figure
from vaeviz.files import replacing
from vaeviz.model import as_decoder
from vaeviz.options import check_settings
from vaeviz.plot import get_plot, plot_names
from vaeviz.posterior import GuessWarning
from vaeviz.provenance import provenance, sha256, versions


@dataclass
class Record:
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
class Pages:
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
    title: str = "",
    on_record: Callable[[Record], None] = lambda record: None,
    **inputs: Any,
) -> list[Record]:
    """Draw a set of figures into the folder `out`: figures, ``manifest.json``, ``timings.json``, ``index.html``.

    model: anything that `vaeviz.open` opens; supplies encoder, decoder and what else it knows. data: supplies x,
    labels and factors. inputs: the same by name (``encoder=``, ``x=``, ``labels=``, ...), and win over both.
    plots: names, or None for all. settings: options by plot. formats: of png, pdf, svg. dpi: the style's unless given.
    seed: for each plot that has a seed and no setting of its own. on_record: called as each plot is done.

    A plot whose inputs are missing, or which does not apply, is skipped with the reason; one that fails is recorded
    with its traceback, and the rest are drawn. Nothing is removed: a figure of an earlier export that this one does
    not draw stays, and the manifest is of this one alone. Raises `InputError`, before anything is written, for an
    unknown plot, option, style or format, for bad inputs, and for a folder that cannot be written.
    """
    dpi = get_style(style).dpi if dpi is None else dpi
    for name, value, least in (("dpi", dpi, 1), ("seed", seed, 0)):
        if value < least:
            raise InputError(f"{name} = {value}: expected {least} or more")
    pages = Pages(Path(out), _checked_formats(formats), style, dpi)
    names = _checked_names(plots)
    settings = _checked_settings(settings or {}, names)
    with _noted() as at_the_door:
        inputs = _encoded_once(gather(model, data, inputs))
    for text in at_the_door:
        warnings.warn(text, GuessWarning, stacklevel=2)
    _check_writable(pages.folder)
    records, timings = [], {}
    for name in names:
        began = time.perf_counter()
        records.append(_record(name, inputs, {"seed": seed} | settings.get(name, {}), pages))
        timings[name] = round(time.perf_counter() - began, 3)
        on_record(records[-1])
    manifest = {
        "title": title or pages.folder.name,
        "style": style,
        "dpi": dpi,
        "formats": list(pages.formats),
        "seed": seed,
        "versions": versions(),
        "inputs": provenance(inputs),
        "warnings": at_the_door,
        "figures": [asdict(record) for record in records],
    }
    _write_manifest(pages.folder, manifest, timings)
    return records


def _encoded_once(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs, checked, with x encoded once for the whole set."""
    inputs = dict(inputs)
    if "decoder" in inputs:
        inputs["decoder"] = as_decoder(inputs["decoder"])
    if "encoder" in inputs and "x" in inputs:
        with contextlib.suppress(NotApplicable):  # without its condition; each plot then says what it lacks
            inputs["encoder"] = remember(inputs["encoder"], inputs["x"], inputs.get("condition"))
            inputs["x"], posterior = inputs["encoder"].remembered
            if "condition" in inputs:
                inputs["condition"] = posterior.condition
    for name in ("labels", "condition", "factors"):
        if name in inputs and "x" in inputs:
            rows = len(inputs[name]) if hasattr(inputs[name], "__len__") else "no list of"
            if rows != len(inputs["x"]):
                raise InputError(f"{name}: got {rows} {name} for {len(inputs['x'])} samples of x")
    return inputs


def _checked_names(plots: Iterable[str] | None) -> list[str]:
    known = plot_names()
    names = known if plots is None else list(dict.fromkeys(name.replace("-", "_") for name in plots))
    for name in names:
        if name not in known:
            raise UnknownName("plot", name, known)
    if not names:
        raise InputError("no plot was asked for")
    return names


def _checked_formats(formats: str | Iterable[str]) -> tuple[str, ...]:
    formats = (formats,) if isinstance(formats, str) else tuple(dict.fromkeys(formats))
    for name in formats:
        if name not in FORMATS:
            raise UnknownName("format", name, FORMATS)
    if not formats:
        raise InputError(f"no format was asked for; expected some of {', '.join(FORMATS)}")
    return formats


def _checked_settings(settings: Mapping[str, Mapping[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    checked = {}
    for plot, options in settings.items():
        plot = plot.replace("-", "_")
        if plot not in plot_names():
            raise UnknownName("plot", plot, plot_names())
        checked[plot] = check_settings(get_plot(plot).function, options, of=plot)
        if plot not in names:
            raise InputError(f"{plot} has settings, but is not among the plots to draw: {', '.join(names)}")
    return checked


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written, {error.strerror}") from None


def _record(name: str, inputs: Mapping[str, Any], options: dict[str, Any], pages: Pages) -> Record:
    """Draw one plot and write its files, whatever comes of it."""
    record = Record(name)
    try:
        spec = get_plot(name)
    except InputError as error:
        record.status, record.reason = "skipped", str(error)
        return record
    options = {key: value for key, value in options.items() if key in spec.options}
    record.options = {key: option.default for key, option in spec.options.items()} | options
    record.summary, record.distribution, record.width = spec.summary, spec.distribution, spec.page.width
    record.reason = lacking(spec, inputs)
    if record.reason:
        record.status = "skipped"
        return record
    with _noted() as record.warnings:
        try:
            with in_style(pages.style) as look:
                figure = drawn(spec, inputs, options, look)
                for ending in pages.formats:
                    path = pages.folder / f"{name}.{ending}"
                    write_figure(figure, path, pages.dpi)
                    record.files[path.name] = sha256(path.read_bytes())
        except NotApplicable as error:
            record.status, record.reason = "skipped", str(error)
        except Exception as error:
            record.status, record.traceback, record.files = "failed", _portable(traceback.format_exc()), {}
            record.reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return record


@contextmanager
def _noted() -> Iterator[list[str]]:
    """The texts of warnings that are meant for the user of a plot, each once; filled as the block ends."""
    noted: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        try:
            yield noted
        finally:
            noted += dict.fromkeys(str(warning.message) for warning in caught)


def _portable(text: str) -> str:
    """A traceback without this machine's folders, so that the manifest is the same everywhere."""
    import vaeviz

    root = str(Path(vaeviz.__file__).parent.parent)
    return text.replace(root + "/", "").replace(str(Path.cwd()) + "/", "")


def _write_manifest(folder: Path, manifest: dict, timings: dict) -> None:
    from vaeviz.page import page

    texts = {
        "manifest.json": json.dumps(manifest, indent=2, default=str, ensure_ascii=False) + "\n",
        "timings.json": json.dumps(timings, indent=2) + "\n",
        "index.html": page(manifest),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
