"""Figure sets: encode once, draw many, let no failure spoil the rest, and leave a record of it all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vaeviz.data import Dataset
from vaeviz.drawing.styles import Style, get_style, style
from vaeviz.encoding import remember
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.files import replacing
from vaeviz.model import as_decoder, open
from vaeviz.options import check_settings
from vaeviz.plot import INPUTS, PlotSpec, get_plot, plot_names
from vaeviz.posterior import Posterior

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")
NO_DATES = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
NAMES_OF_RECORD = ("manifest.json", "timings.json", "index.html")


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


def export_figures(
    out: str | Path,
    *,
    model: Any = None,
    data: Dataset | None = None,
    plots: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    formats: Iterable[str] = ("png",),
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
    with its traceback, and the rest are drawn. Raises `InputError`, before anything is written, for an unknown plot,
    option, style or format, for bad inputs, and for a folder that cannot be written.
    """
    look, formats = get_style(style), _checked_formats(formats)
    dpi = look.dpi if dpi is None else dpi
    for name, value, least in (("dpi", dpi, 1), ("seed", seed, 0)):
        if value < least:
            raise InputError(f"{name} = {value}: expected {least} or more")
    names = _checked_names(plots)
    settings = _checked_settings(settings or {}, names)
    inputs = _gathered(model, data, inputs)
    out = _writable(Path(out))
    records, timings = [], {}
    for name in names:
        began = time.perf_counter()
        record = _record(name, inputs, {"seed": seed} | settings.get(name, {}), out, look, style, formats, dpi)
        timings[name] = round(time.perf_counter() - began, 3)
        records.append(record)
        on_record(record)
    manifest = {
        "title": title or out.name,
        "style": style,
        "dpi": dpi,
        "formats": list(formats),
        "seed": seed,
        "versions": _versions(),
        "inputs": _provenance(inputs),
        "figures": [asdict(record) for record in records],
    }
    _remove_stale(out, records)
    _write_records(out, manifest, timings)
    return records


def write_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Save a figure, whole or not at all, with the same bytes for the same picture."""
    ending = path.suffix.lstrip(".")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=ending, metadata=NO_DATES.get(ending))


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


def lacking(spec: PlotSpec, inputs: Mapping[str, Any]) -> str:
    """Why the plot cannot be drawn from these inputs; empty if it can."""
    missing = spec.missing(inputs)
    return f"needs {' and '.join(missing)}" if missing else ""


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
    return {name: value for name, value in gathered.items() if value is not None}


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


def _gathered(model: Any, data: Dataset | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, checked, with x encoded once for the whole set."""
    gathered = gather(model, data, inputs)
    if "decoder" in gathered:
        gathered["decoder"] = as_decoder(gathered["decoder"])
    if "encoder" in gathered and "x" in gathered:
        gathered["encoder"] = remember(gathered["encoder"], gathered["x"])
        gathered["x"] = gathered["encoder"].remembered[0]
    for name in ("labels", "condition", "factors"):
        if name in gathered and "x" in gathered:
            rows = len(gathered[name]) if hasattr(gathered[name], "__len__") else "no list of"
            if rows != len(gathered["x"]):
                raise InputError(f"{name}: got {rows} {name} for {len(gathered['x'])} samples of x")
    return gathered


def _checked_names(plots: Iterable[str] | None) -> list[str]:
    known = plot_names()
    names = known if plots is None else list(dict.fromkeys(name.replace("-", "_") for name in plots))
    for name in names:
        if name not in known:
            raise UnknownName("plot", name, known)
    if not names:
        raise InputError("no plot was asked for")
    return names


def _checked_formats(formats: Iterable[str]) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys(formats))
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


def _writable(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replacing(out / "timings.json") as probe:
            probe.write_text("{}\n")
    except OSError as error:
        raise InputError(f"{out}: cannot be written, {error.strerror}") from None
    return out


def _record(
    name: str,
    inputs: Mapping[str, Any],
    options: dict[str, Any],
    out: Path,
    look: Style,
    style_name: str,
    formats: tuple[str, ...],
    dpi: int,
) -> Record:
    """Draw one plot and write its files, whatever comes of it."""
    record = Record(name)
    try:
        spec = get_plot(name)
    except InputError as error:
        record.status, record.reason = "skipped", str(error)
        return record
    options = {key: value for key, value in options.items() if key in spec.options}
    defaults = {key: option.default for key, option in spec.options.items()}
    record.summary, record.distribution, record.width = spec.summary, spec.distribution, spec.page.width
    record.options = defaults | options
    reason = lacking(spec, inputs)
    if reason:
        record.status, record.reason = "skipped", reason
        return record
    try:
        with style(style_name), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            figure = drawn(spec, inputs, options, look)
            for ending in formats:
                write_figure(figure, out / f"{name}.{ending}", dpi)
    except NotApplicable as error:
        record.status, record.reason = "skipped", str(error)
        return record
    except Exception as error:
        record.status, record.traceback = "failed", _portable(traceback.format_exc())
        record.reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return record
    record.warnings = list(dict.fromkeys(str(warning.message) for warning in caught))
    record.files = {f"{name}.{ending}": _sha256((out / f"{name}.{ending}").read_bytes()) for ending in formats}
    return record


def _fit_height(figure: Figure) -> None:
    """Make a page as high as what is on it; the width stays, so that it still fills its column."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    figure.set_size_inches(figure.get_size_inches()[0], box.height + 0.08)


def _portable(text: str) -> str:
    """A traceback without this machine's folders, so that the manifest is the same everywhere."""
    import vaeviz

    root = str(Path(vaeviz.__file__).parent.parent)
    return text.replace(root + "/", "").replace(str(Path.cwd()) + "/", "")


def _remove_stale(out: Path, records: list[Record]) -> None:
    """Remove figures that an earlier export left and that this one did not draw, unless somebody changed them."""
    try:
        former = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["figures"]
        left = {name: digest for record in former for name, digest in record["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    current = {name for record in records for name in record.files}
    for name, digest in left.items():
        path = out / Path(name).name
        if name not in current and path.is_file() and _sha256(path.read_bytes()) == digest:
            path.unlink()


def _write_records(out: Path, manifest: dict, timings: dict) -> None:
    from vaeviz.page import page

    written = json.dumps(manifest, indent=2, default=str, ensure_ascii=False) + "\n"
    for name, text in zip(NAMES_OF_RECORD, (written, json.dumps(timings, indent=2) + "\n", page(manifest))):
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("vaeviz", "matplotlib", "numpy", "torch"):
        with contextlib.suppress(Exception):
            found[name] = version(name)
    return found


def _provenance(inputs: Mapping[str, Any]) -> dict[str, dict]:
    """What each input was, and the hash of its numbers."""
    return {name: _described(name, value) for name, value in sorted(inputs.items())}


def _described(name: str, value: Any) -> dict:
    remembered = getattr(value, "remembered", None)
    if remembered is not None:
        return {"name": value.name, "posterior": _posterior_hash(remembered[1])}
    if hasattr(value, "fn"):
        return {"name": value.name}
    if isinstance(value, Mapping):
        return {"keys": list(value), "sha256": _sha256(json.dumps(value, default=str).encode())}
    try:
        array = np.asarray(value)
        content = json.dumps(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array)
        return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": _sha256(content)}
    except (TypeError, ValueError):  # ragged, or of things that are no plain values
        return {"type": type(value).__name__}


def _posterior_hash(posterior: Posterior) -> dict:
    parts = {"mean": posterior.mean, "std": posterior.std}
    hashes = {f"{key}_sha256": _sha256(np.ascontiguousarray(part)) for key, part in parts.items() if part is not None}
    return {"shape": list(posterior.mean.shape), **hashes}


def _sha256(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()
