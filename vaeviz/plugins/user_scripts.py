"""Scripts of a user that register plots or other entries for one call: ``--with FILE.py``."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import folder_on_path


@contextmanager
def registered_script(script: Path) -> Iterator[None]:
    """Import a script, and keep what it registers while the block runs.

    The script is imported under the name of its file. Its folder is on ``sys.path`` while it is imported, so that it
    finds the modules next to it; what it imports later, inside a function, has to be found without it.

    Parameters
    ----------
    script : Path
        A Python file.

    Raises
    ------
    InputError
        If there is no such file, its import fails (the message has the line), or it registers nothing.
    """
    module = _new_module(script)
    before = registry.runtime_entries()
    replaced = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        with registry.temporary_entries():
            with folder_on_path(script.resolve().parent):
                _import_script(module, script)
            if all(any(entry is known for known in before) for entry in registry.runtime_entries()):
                fix = "Put @vaeviz.register_plot above a function in it."
                raise InputError(f"--with {script} registers nothing.", fix=fix)
            yield
    finally:
        del sys.modules[module.__name__]
        if replaced is not None:
            sys.modules[module.__name__] = replaced


def _new_module(script: Path) -> ModuleType:
    """Return the module of a script, before it is run."""
    if not script.is_file():
        reason = "is not a file" if script.exists() else "does not exist"
        raise InputError(f"--with {script} {reason}.", got=str(script), expected="a Python script, FILE.py")
    name = script.stem.replace(".", "_")
    spec = importlib.util.spec_from_file_location(name, script.resolve())
    if spec is None or spec.loader is None or script.suffix != ".py":
        expected = "a Python script, FILE.py"
        raise InputError(f"--with {script} is not {expected}.", got=script.suffix, expected=expected)
    hidden = _module_origin(name)
    if hidden is not None and Path(hidden) != Path(str(spec.origin)):
        raise InputError(f"--with {script} would hide the installed module {name!r}.", fix="Rename the file.")
    return importlib.util.module_from_spec(spec)


def _module_origin(name: str) -> str | None:
    """Return the file of an importable module, or None if there is no such module."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # __main__
        return name
    return None if spec is None else spec.origin


def _import_script(module: ModuleType, script: Path) -> None:
    spec = module.__spec__
    assert spec is not None and spec.loader is not None, "_new_module has checked both"
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        line = _line_of_error(error, str(module.__file__))
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(f"--with {script} failed{line}: {reason.splitlines()[0]}") from error


def _line_of_error(error: BaseException, file: str) -> str:
    """Return the line of the file that raised the error, as part of a sentence; empty if it is not known."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f" in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" in line {lines[-1]}" if lines else ""
