"""Scripts of a user's own that register plots, or whatever else, for one call: ``--with FILE.py``."""

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


@contextmanager
def registered_script(script: Path) -> Iterator[None]:
    """What the script registers, for as long as the block runs.

    The script is imported under its own name, from its own folder, where it finds its neighbors. Raises `InputError`
    if there is no such file, if it fails (with the line), or if it registers nothing.
    """
    module, folder = _module(script), str(script.resolve().parent)
    before = registry.runtime_entries()
    known = sys.modules.get(module.__name__)
    sys.path.insert(0, folder)
    sys.modules[module.__name__] = module
    try:
        with registry.temporary_entries():
            _run(module, script)
            if all(any(entry is old for old in before) for entry in registry.runtime_entries()):
                raise InputError(f"--with {script}: registers nothing; decorate a function with @vaeviz.register_plot")
            yield
    finally:
        del sys.modules[module.__name__]
        if known is not None:
            sys.modules[module.__name__] = known
        if folder in sys.path:
            sys.path.remove(folder)


def _module(script: Path) -> ModuleType:
    """The module that the script is, not yet run."""
    if not script.is_file():
        raise InputError(f"--with {script}: {'is no file' if script.exists() else 'does not exist'}")
    name = script.stem.replace(".", "_")
    spec = importlib.util.spec_from_file_location(name, script.resolve())
    if spec is None or script.suffix != ".py":
        raise InputError(f"--with {script}: expected a Python script, FILE.py")
    hidden = _origin(name)
    if hidden is not None and Path(hidden) != Path(str(spec.origin)):
        raise InputError(f"--with {script}: would hide the module {name!r} that is installed here; rename the file")
    return importlib.util.module_from_spec(spec)


def _origin(name: str) -> str | None:
    """Where the module of that name comes from, None if there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # __main__
        return name
    return spec and spec.origin


def _run(module: ModuleType, script: Path) -> None:
    try:
        module.__spec__.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(f"--with {script}{_line(error, module.__file__)}: {reason.splitlines()[0]}") from error


def _line(error: BaseException, file: str | None) -> str:
    """The line of the file where the error came up."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {lines[-1]}" if lines else ""
