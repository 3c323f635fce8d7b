"""``index.html``: one page that shows a figure set. It loads nothing from elsewhere, and works without its script."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeviz.analysis.estimates import Estimate
from vaeviz.drawing.styles import get_style
from vaeviz.errors import InputError
from vaeviz.export.redraw import redraw_call, redraw_command
from vaeviz.plugins.plot_spec import QUESTIONS, PlotSpec, get_plot
from vaeviz.plugins.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment

IMAGE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}  # which a browser shows, the preferred one first
OTHER_PLOTS = "Further figures"  # heading of plots that name no question
SEVERITIES = ("failed", "flagged", "uncertain", "healthy")  # of the checks of a report, the worst first


def gallery_page(manifest: Mapping[str, Any], embed_from: Path | None = None) -> str:
    """Return the HTML page of a figure set.

    Parameters
    ----------
    manifest : mapping
        The content of ``manifest.json``.
    embed_from : Path, optional
        Folder of the figures, which are then put into the page. By default the page refers to their files.

    Returns
    -------
    str
        The page. Every text of the manifest is escaped.
    """
    by_status = {
        status: [figure for figure in manifest["figures"] if figure["status"] == status]
        for status in ("drawn", "failed", "skipped")
    }
    groups: dict[str, list[dict[str, Any]]] = {question: [] for question in QUESTIONS}
    for figure in by_status["drawn"]:
        question, caption = _caption(figure, manifest)
        image = _image_of(figure["files"])
        source = image if image is None or embed_from is None else _data_uri(embed_from / image)
        groups.setdefault(question, []).append({**figure, **caption, "image": image, "image_source": source})
    return (
        _templates()
        .get_template("gallery.html.j2")
        .render(
            manifest=manifest,
            figures=by_status,
            groups={question: figures for question, figures in groups.items() if figures},
            checks=sorted(manifest["report"], key=_severity),
            single_file=embed_from is not None,
        )
    )


@cache
def _templates() -> Environment:
    templates = template_environment("vaeviz.export")
    templates.filters |= {"estimate": _format_estimate, "option_list": _format_options}
    return templates


def _caption(figure: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the question that a figure answers, and what its caption explains."""
    try:
        spec = get_plot(figure["plot"])
    except InputError:  # the page of a manifest whose plot is no longer installed
        return OTHER_PLOTS, {"reading": [], "method": [], "commands": []}
    sections = spec.docstring_sections
    caption = {
        "reading": [_without_markup(text) for text in sections["Summary"][1:]],
        "method": [_without_markup(text) for text in sections.get("Notes", ())],
        "commands": _redraw_lines(spec, figure, manifest),
    }
    return spec.question or OTHER_PLOTS, caption


def _redraw_lines(spec: PlotSpec, figure: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    style, dpi = manifest["style"], manifest["dpi"]
    lines = [redraw_call(spec, manifest["inputs"], figure["options"], style=style)]
    if manifest["source"]:
        dpi = None if dpi == get_style(style).dpi else dpi
        lines.insert(0, redraw_command(spec, manifest["source"], figure["options"], style=style, dpi=dpi))
    return lines


def _without_markup(text: str) -> str:
    return text.replace("`", "")


def _severity(check: Mapping[str, Any]) -> int:
    return SEVERITIES.index(check["status"]) if check["status"] in SEVERITIES else len(SEVERITIES)


def _image_of(files: Iterable[str]) -> str | None:
    """Return the file of a figure that the page shows."""
    return next((file for ending in IMAGE_TYPES for file in files if file.endswith(ending)), None)


def _data_uri(path: Path) -> str:
    return f"data:{IMAGE_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _format_options(options: Mapping[str, Any]) -> str:
    """Return options as ``name = value, …``, without those that are None."""
    return ", ".join(f"{name} = {_format_value(value)}" for name, value in options.items() if value is not None)


def _format_value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _format_estimate(value: float, standard_error: float | None) -> str:
    return str(Estimate(value, math.nan if standard_error is None else standard_error))
