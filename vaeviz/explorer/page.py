"""The page: one HTML file that holds the scene and the front end, and loads nothing."""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from vaeviz.explorer.scene import Scene
from vaeviz.plugins.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment


def explorer_page(scene: Scene) -> str:
    """Return the HTML page of a scene.

    Parameters
    ----------
    scene : Scene
        The scene.

    Returns
    -------
    str
        The page. Texts of the scene cannot end the element that holds them.
    """
    arrays = {name: base64.b64encode(scene.arrays[name]).decode() for name in sorted(scene.arrays)}
    return (
        _templates()
        .get_template("explorer.html.j2")
        .render(
            title=scene.document["title"],
            document=_inside_script(json.dumps(scene.document, ensure_ascii=False, allow_nan=False)),
            arrays=arrays,
            script=_inside_script_code(front_end("explorer.js")),
            style=front_end("explorer.css"),
        )
    )


@cache
def front_end(name: str) -> str:
    """Return a file of the front end.

    Parameters
    ----------
    name : str
        ``"explorer.js"`` or ``"explorer.css"``.

    Returns
    -------
    str
        Its text.
    """
    return (files("vaeviz.explorer") / "static" / name).read_text(encoding="utf-8")


def _inside_script(text: str) -> Any:
    """Return JSON that cannot end a script element, for which autoescape is off."""
    from markupsafe import Markup

    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _inside_script_code(code: str) -> Any:
    from markupsafe import Markup

    return Markup(code.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


@cache
def _templates() -> Environment:
    return template_environment("vaeviz.explorer")
