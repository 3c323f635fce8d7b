"""``index.html``: one page that shows a figure set. It has no script and loads nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from vaeviz.analysis.estimates import Estimate
from vaeviz.errors import printable_text

if TYPE_CHECKING:
    from jinja2 import Environment

IMAGE_ENDINGS = (".png", ".svg")  # which a browser shows, the preferred one first


def gallery_page(manifest: Mapping[str, Any]) -> str:
    """Return the HTML page of a figure set.

    Parameters
    ----------
    manifest : mapping
        The content of ``manifest.json``.

    Returns
    -------
    str
        The page. Every text of the manifest is escaped.
    """
    by_status = {
        status: [figure for figure in manifest["figures"] if figure["status"] == status]
        for status in ("drawn", "failed", "skipped")
    }
    return _templates().get_template("gallery.html.j2").render(manifest=manifest, figures=by_status)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("vaeviz.export"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable_text(value) if type(value) is str else value,
    )
    templates.filters |= {
        "estimate": _format_estimate,
        "image_of": _image_of,
        "option_list": _format_options,
    }
    return templates


def _image_of(files: Iterable[str]) -> str | None:
    """Return the file of a figure that the page shows."""
    return next((file for ending in IMAGE_ENDINGS for file in files if file.endswith(ending)), None)


def _format_options(options: Mapping[str, Any]) -> str:
    """Return options as ``name = value, …``, without those that are None."""
    return ", ".join(f"{name} = {_format_value(value)}" for name, value in options.items() if value is not None)


def _format_value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _format_estimate(value: float, standard_error: float | None) -> str:
    return str(Estimate(value, math.nan if standard_error is None else standard_error))
