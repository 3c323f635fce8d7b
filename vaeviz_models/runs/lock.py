"""The lock of a run folder, so that no two processes write it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vaeviz.data.atomic_files import make_folder, report_write_errors
from vaeviz.errors import Fix, InputError

LOCK_NAME = ".lock"  # an empty file, which exists while a process writes a run


@contextmanager
def locked_run(run: Path) -> Iterator[None]:
    """Keep a run folder for this process. It is created if it does not exist.

    The operating system ends the lock with the process, however that ends.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Raises
    ------
    InputError
        If another process has the folder, or if it cannot be written.
    """
    path = run / LOCK_NAME
    lock = FileLock(path)
    with report_write_errors(run):
        make_folder(run)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            resume = f"vaeviz train --resume {shlex.quote(str(run))}"
            raise InputError(
                f"Another process is writing {run}, so nothing in it was changed.",
                got=str(run),
                expected="a folder that no other process writes",
                fix=Fix("Choose another folder.", f"Choose another folder, or continue later with: {resume}"),
            ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is locked: afterwards, another process may have locked it
        lock.release()
