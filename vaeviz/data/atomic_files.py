"""Write files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shlex
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vaeviz.errors import Fix, OutputError

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, a quota, a limit on file sizes


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds.

    The temporary file ``.STEM.RANDOM.SUFFIX`` is in the same folder, and gets the permissions of any new file. Its
    content is on disk before it gets its name, so that a crash leaves the old file or the new one. After an exception
    it is deleted.

    Parameters
    ----------
    path : Path
        The file to write. Its folder must exist.

    Yields
    ------
    Path
        The path to write to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "history.csv") as temporary:
    ...         _ = temporary.write_text("epoch,loss")
    ...     os.listdir(folder)
    ['history.csv']
    """
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        _flush_to_disk(temporary, os.O_RDWR)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


@contextmanager
def report_write_errors(path: Path) -> Iterator[None]:
    """Raise OutputError for what the file system does not allow while the block runs.

    Parameters
    ----------
    path : Path
        What is written, for the message.

    Raises
    ------
    OutputError
        If the block raises OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path} cannot be written: {reason}.", got=str(path), fix=_write_fix(path, error.errno)
        ) from error


def _write_fix(path: Path, number: int | None) -> str | Fix:
    """Return what to do about an error number of the file system."""
    if number == errno.ENOENT and not path.parent.exists():
        return Fix(
            python=f"Create the folder: os.makedirs({str(path.parent)!r}).",
            command_line=f"Create it: mkdir -p {shlex.quote(str(path.parent))}",
        )
    if number in FULL_DISK:
        return "Free some space, or choose another output folder."
    return "Choose another output folder."


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, so that a crash does not lose them.

    Parameters
    ----------
    folder : Path
        The folder. It may exist.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     make_folder(Path(root) / "runs" / "mnist")
    ...     (Path(root) / "runs" / "mnist").is_dir()
    True
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _flush_folder(path.parent)


def partial_files(paths: Iterable[Path]) -> list[Path]:
    """Return the temporary files that killed processes left beside files.

    Parameters
    ----------
    paths : iterable of Path
        The files that `atomic_path` was to write.

    Returns
    -------
    list of Path
        The temporary files, to be removed when no other process writes these files.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     left = Path(folder) / f".history.{uuid.uuid4().hex}.csv"
    ...     left.touch()
    ...     partial_files([Path(folder) / "history.csv"]) == [left]
    True
    """
    found = []
    for path in paths:
        name = re.compile(rf"\.{re.escape(path.stem)}\.[0-9a-f]{{32}}{re.escape(path.suffix)}")
        found += [other for other in path.parent.glob(".*") if name.fullmatch(other.name)]
    return found


def _flush_folder(folder: Path) -> None:
    """Write the names of the files in a folder to disk. Windows cannot open folders."""
    if os.name != "nt":
        _flush_to_disk(folder, os.O_RDONLY)


def _flush_to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
