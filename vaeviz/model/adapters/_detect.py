"""How adapters tell what they are given, by names alone: nothing is imported that is not there."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from vaeviz.errors import InputError


def defined_in(model: Any, module: str) -> bool:
    """Whether a class in the object's ancestry was defined in `module` or below it."""
    return any(f"{kind.__module__}.".startswith(f"{module}.") for kind in type(model).__mro__)


def existing_file(model: Any, *endings: str) -> Path | None:
    """The path of a file that ends so, None if it is another thing; `InputError` if there is no such file."""
    if not isinstance(model, (str, Path)) or Path(model).suffix.lower() not in endings:
        return None
    if not Path(model).is_file():
        raise InputError(f"{model}: does not exist, or is no file")
    return Path(model)


def existing_folder(model: Any, *names: str) -> Path | None:
    """The path of a folder that holds files of these names, else None."""
    if not isinstance(model, (str, Path)):
        return None
    folder = Path(model)
    return folder if all((folder / name).is_file() for name in names) else None


def require_library(module: str, extra: str, path: Path) -> ModuleType:
    """The library that reads `path`, imported; `InputError` with what to install where it is missing."""
    if importlib.util.find_spec(module) is None:
        raise InputError(f'{path}: needs {module}, which is not installed; pip install "vaeviz[{extra}]"')
    return importlib.import_module(module)
