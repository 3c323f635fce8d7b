"""Libraries that vaeviz uses only for some models, files and embeddings."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from vaeviz.errors import InputError


def import_library(module: str, *, extra: str, needed_by: str) -> ModuleType:
    """Import an optional library.

    Parameters
    ----------
    module : str
        Name of the module to import.
    extra : str
        The extra of vaeviz that installs it.
    needed_by : str
        What needs it: the subject of the error message.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    InputError
        If the library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise  # the library is installed, but a module that it imports is missing
        raise InputError(
            f"{needed_by} needs {module}, which is not installed.",
            expected=module,
            fix=f'Run pip install "vaeviz[{extra}]".',
        ) from None


@contextmanager
def quiet_logger(name: str) -> Iterator[None]:
    """Let a logger pass only errors while the block runs.

    Parameters
    ----------
    name : str
        Name of the logger, usually that of the library.
    """
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
