"""Objects that a command line names: ``package.module:attribute``, and registered models."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.plugins import registry

EXPECTED = "package.module:attribute"


def is_object_ref(text: str) -> bool:
    """Return True if a text has the form ``package.module:attribute`` and is not an existing path.

    Parameters
    ----------
    text : str
        What a person wrote.

    Returns
    -------
    bool
        True if `import_object` may find an object of this name.

    Examples
    --------
    >>> is_object_ref("package.models:encode"), is_object_ref("npz:data/file.npz")
    (True, False)
    """
    module, colon, attribute = text.partition(":")
    return bool(colon) and not os.path.exists(text) and all(map(str.isidentifier, f"{module}.{attribute}".split(".")))


def is_number(text: str) -> bool:
    """Return True if a text is a number.

    Parameters
    ----------
    text : str
        What a person wrote, or a cell of a table.

    Returns
    -------
    bool
        True if Python's float reads it, "nan" and "inf" included.

    Examples
    --------
    >>> is_number("1e-3"), is_number("one")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def import_object(text: str) -> Any:
    """Import the object of a name.

    The module may also be in the current folder, which is on ``sys.path`` for this import only: what the module
    imports later, inside a function, has to be found without it.

    Parameters
    ----------
    text : str
        ``package.module:attribute``; the attribute may have dots.

    Returns
    -------
    object
        The object.

    Raises
    ------
    InputError
        If the text has another form, or the module or the attribute does not exist.
    """
    module, _, attribute = text.partition(":")
    if not is_object_ref(text):
        raise InputError(f"{text!r} is not of the form {EXPECTED}.", got=text, expected=EXPECTED)
    try:
        with folder_on_path(Path.cwd()):
            found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        fix = f"Write {EXPECTED}, with a module in the current folder or an installed one."
        raise InputError(f"{text!r} cannot be imported: {error}.", got=text, expected=EXPECTED, fix=fix) from error
    return found


@contextmanager
def folder_on_path(folder: Path) -> Iterator[None]:
    """Find modules of a folder first, while the block runs.

    Parameters
    ----------
    folder : Path
        The folder. If it is on ``sys.path`` already, nothing changes.
    """
    entry = str(folder)
    if entry in sys.path:
        yield
        return
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def resolve_model(text: str) -> Any:
    """Return the model that a command line names.

    Parameters
    ----------
    text : str
        A path, ``package.module:attribute``, or the name of a registered model.

    Returns
    -------
    object
        The path as it was written, or the object. The result can be passed to `vaeviz.open`.

    Raises
    ------
    InputError
        If the object cannot be imported, or the registered model is not trained.
    """
    if os.path.exists(text):
        return text
    if is_object_ref(text):
        return import_object(text)
    known = {name.replace("-", "_") for name in registry.entries("vaeviz.models")}
    return _registered_model(text) if text.replace("-", "_") in known else text


def needs_training(found: Any) -> bool:
    """Return True if a registered model is a builder of untrained networks.

    Parameters
    ----------
    found : object
        A registered model, or a function or class that makes one.

    Returns
    -------
    bool
        True for a function or class with arguments that have no default.
    """
    if not inspect.isroutine(found) and not inspect.isclass(found):
        return False
    parameters = inspect.signature(found).parameters.values()
    return any(parameter.default is parameter.empty for parameter in parameters)


def _registered_model(name: str) -> Any:
    """Return a registered model, or call the function without arguments that makes it."""
    found: Any = registry.load("vaeviz.models", name)
    if needs_training(found):
        raise InputError(
            f"{name} is a network that is not trained.",
            got=name,
            expected="a trained model",
            fix=f"Train it with: vaeviz train {name} --data NAME --out RUN",
        )
    return found() if inspect.isroutine(found) or inspect.isclass(found) else found
