"""Write files whole or not at all."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
    if os.name != "nt":  # Windows cannot open folders
        _flush_to_disk(path.parent, os.O_RDONLY)


def partial_files(paths: Iterable[Path]) -> list[Path]:
    """Return the temporary files that killed processes left beside files.

    Parameters
    ----------
    paths : iterable of Path
        The files that `atomic_path` was to write. Their folders must exist.

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
        found += [other for other in path.parent.iterdir() if name.fullmatch(other.name)]
    return found


def _flush_to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
