"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds.

    The temporary file has the same name, in a hidden folder beside `path`. Its content is on disk before it is moved,
    so that a crash leaves the old file or the new one. After an exception nothing is left.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "history.csv") as temporary:
    ...         _ = temporary.write_text("epoch,loss")
    ...     os.listdir(folder)
    ['history.csv']
    """
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        _flush_to_disk(temporary, os.O_RDWR)
        os.replace(temporary, path)
    if os.name != "nt":  # Windows cannot open folders
        _flush_to_disk(path.parent, os.O_RDONLY)


def _flush_to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
