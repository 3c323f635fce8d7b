"""Shared by the engines that use another library: its import, its threads, and a progress bar."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from vaeviz.errors import Fix, InputError

if TYPE_CHECKING:
    from tqdm import tqdm


def require_library(module: str, engine: str) -> ModuleType:
    """Import the library of an engine.

    Parameters
    ----------
    module : str
        Module to import.
    engine : str
        Name of the engine, which is also the name of the extra that installs the library.

    Returns
    -------
    module
        The library.

    Raises
    ------
    InputError
        If the library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        install = f'pip install "vaeviz[{engine}]"'
        raise InputError(
            f"Embedding engine {engine!r} needs {module}, which is not installed.",
            got=f"engine {engine!r}",
            expected=f"{module} to be installed",
            fix=Fix(f"Install it: {install}", f"Install it: {install}"),
        ) from None


def n_threads() -> int:
    """Return the number of threads to start.

    Returns
    -------
    int
        Number of CPUs that this process may use, or fewer if ``OMP_NUM_THREADS`` says so. It may be a list such as
        ``2,1``, one number for each level of nesting, of which the first is used.
    """
    from joblib import cpu_count

    available = int(cpu_count())
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(available, int(limit)) if limit.isdecimal() and int(limit) > 0 else available


def progress_bar(total: int, desc: str) -> tqdm[NoReturn]:
    """Return a progress bar over iterations.

    Parameters
    ----------
    total : int
        Number of iterations.
    desc : str
        Text before the bar.

    Returns
    -------
    tqdm.tqdm
        The bar. It appears after two seconds, and only on a terminal.
    """
    from tqdm import tqdm

    return tqdm(total=total, desc=desc, unit="iteration", delay=2, leave=False, disable=None)
