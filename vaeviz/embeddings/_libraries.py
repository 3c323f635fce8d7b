"""What engines that rest on another library share: the library itself, its threads, and a bar while it works."""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING

from vaeviz.errors import InputError

if TYPE_CHECKING:
    from tqdm import tqdm


def require_library(module: str, engine: str) -> ModuleType:
    """The library of an engine, imported; `InputError` with what to install where it is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise InputError(
            f'embedding {engine!r}: needs {module}, which is not installed; pip install "vaeviz[{engine}]"'
        ) from None


def n_threads() -> int:
    """How many threads to start: the cores that this process may use, or fewer if OMP_NUM_THREADS says so."""
    from joblib import cpu_count

    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpu_count(), int(limit)) if limit.isdigit() and int(limit) else cpu_count()


def progress_bar(total: int, doing: str) -> tqdm:
    """A progress bar over iterations, shown once they have taken more than two seconds."""
    from tqdm import tqdm

    return tqdm(total=total, desc=doing, unit="iteration", delay=2, leave=False, disable=None)
