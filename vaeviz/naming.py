"""Objects of a user's own modules, by name: ``package.module:attribute``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError


def is_object_name(text: str) -> bool:
    """Whether `text` spells ``package.module:attribute``, and no path that exists."""
    module, colon, attribute = text.partition(":")
    return bool(colon) and not Path(text).exists() and all(map(str.isidentifier, f"{module}.{attribute}".split(".")))


def named_object(text: str) -> Any:
    """The object that ``package.module:attribute`` names. Imports the module, from the working folder too."""
    module, _, attribute = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{text!r}: {error}; expected package.module:attribute") from error
    return found
