"""HTML templates of vaeviz, filled in by Jinja."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeviz.errors import printable_text

if TYPE_CHECKING:
    from jinja2 import Environment


def template_environment(package: str) -> Environment:
    """Return the templates of a package: every value is escaped, and a missing one is an error.

    Parameters
    ----------
    package : str
        Import name of a package that has a folder ``templates``.

    Returns
    -------
    Environment
        The templates, by file name.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable_text(value) if type(value) is str else value,
    )
