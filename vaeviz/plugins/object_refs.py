"""What a command line names: objects of a user's own modules, models, and arrays."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.plugins import registry


def is_object_ref(text: str) -> bool:
    """Whether `text` spells ``package.module:attribute``, and no path that exists."""
    module, colon, attribute = text.partition(":")
    return bool(colon) and not Path(text).exists() and all(map(str.isidentifier, f"{module}.{attribute}".split(".")))


def is_number(text: str) -> bool:
    """Whether `text` spells a number, and so is no name."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def import_object(text: str) -> Any:
    """The object that ``package.module:attribute`` names. Imports the module, from the working folder too."""
    module, _, attribute = text.partition(":")
    if not is_object_ref(text):
        raise InputError(f"{text!r}: expected package.module:attribute")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{text!r}: {error}; expected package.module:attribute") from error
    return found


def resolve_model(text: str) -> Any:
    """What MODEL spells: a path, ``package.module:attribute``, or the name of a registered model."""
    if Path(text).exists():
        return text
    if is_object_ref(text):
        return import_object(text)
    known = {name.replace("-", "_") for name in registry.entries("vaeviz.models")}
    return _registered(text) if text.replace("-", "_") in known else text


def load_array(text: str, option: str) -> Any:
    """The array that ``FILE.npy`` holds or ``package.module:attribute`` is."""
    if is_object_ref(text):
        return import_object(text)
    if Path(text).suffix.lower() != ".npy":
        raise InputError(f"{option} {text}: expected FILE.npy or package.module:attribute")
    import numpy as np

    try:
        return np.load(text, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{option} {text}: does not exist") from None
    except (ValueError, EOFError, OSError):  # NumPy's own words advise to unpickle what is no array
        raise InputError(f"{option} {text}: cannot be read as a plain array of numbers") from None


def _registered(name: str) -> Any:
    """A registered model: an object, or what a function of no arguments makes. An untrained network is none."""
    found: Any = registry.load("vaeviz.models", name)
    if needs_training(found):
        raise InputError(f"{name} is the name of a network and has no weights yet: vaeviz train {name} --out RUN")
    return found() if inspect.isroutine(found) or inspect.isclass(found) else found


def needs_training(found: Any) -> bool:
    """Whether a registered model is a function that needs arguments to make it, and so is still to be trained."""
    if not inspect.isroutine(found) and not inspect.isclass(found):
        return False
    parameters = inspect.signature(found).parameters.values()
    return any(parameter.default is parameter.empty for parameter in parameters)
