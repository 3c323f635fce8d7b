"""Recognize models and files of other libraries without importing these libraries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.errors import Fix, InputError

TRUST = Fix("If you trust its author, write vaeviz.open(path, trust=True).", "If you trust its author, add --trust.")


def defined_in(model: Any, module: str) -> bool:
    """Return True if the class of an object, or one of its bases, is defined in a module or below it."""
    return any(f"{kind.__module__}.".startswith(f"{module}.") for kind in type(model).__mro__)


def existing_file(model: Any, *suffixes: str) -> Path | None:
    """Return the path of a file with one of the suffixes, or None for anything else.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not isinstance(model, (str, Path)) or Path(model).suffix.lower() not in suffixes:
        return None
    if not os.path.isfile(model):
        raise InputError(f"{model} is not an existing file.", got=str(model))
    return Path(model)


def existing_folder(model: Any, *names: str) -> Path | None:
    """Return the path of a folder that contains files of these names, or None."""
    if not isinstance(model, (str, Path)):
        return None
    folder = Path(model)
    return folder if all(os.path.isfile(folder / name) for name in names) else None


def require_trust(path: Path, danger: str, *, trust: bool, fix: Fix = TRUST) -> None:
    """Raise InputError unless the user trusts a file that can run code.

    Parameters
    ----------
    path : Path
        The file or folder.
    danger : str
        What opening it can do, as a sentence without its subject: ``"can run any code when it is opened"``.
    trust : bool
        Whether the user trusts it.
    fix : Fix, optional
        What to write instead.
    """
    if not trust:
        raise InputError(f"{path} {danger}.", got=str(path), expected="trust=True", fix=fix)


def unreadable(path: Path, library: str, error: Exception) -> InputError:
    """Return the error for a file that a library cannot load, with the library's reason on one line."""
    return InputError(f"{library} cannot load {path}: {shorten(str(error))}", got=type(error).__name__)
