"""The folder that keeps downloads, and images that are drawn once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from vaeviz.data.atomic_files import atomic_path, make_folder


def cache_dir() -> Path:
    """Return the folder of the cache.

    Returns
    -------
    Path
        ``$VAEVIZ_DATA`` if it is set, else the system's cache folder.
    """
    import platformdirs

    return Path(os.environ.get("VAEVIZ_DATA") or platformdirs.user_cache_dir("vaeviz"))


def cached_array(name: str, sources: tuple[bytes, ...], make_array: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array from the cache, or make it and keep it there.

    Parameters
    ----------
    name : str
        First part of the file's name.
    sources : tuple of bytes
        All that the array depends on, e.g. parameters, code and versions. Their checksum is part of the file's name,
        so an array that was made from other sources is never returned.
    make_array : callable
        Makes the array if it is not in the cache. If the cache cannot be written, it is called again next time.

    Returns
    -------
    np.ndarray
        The array.
    """
    checksum = hashlib.sha256(b"".join(hashlib.sha256(source).digest() for source in sources)).hexdigest()
    path = cache_dir() / f"{name}-{checksum[:16]}.npy"
    with suppress(OSError, EOFError, ValueError):  # missing or truncated
        array: np.ndarray = np.load(path, allow_pickle=False)
        return array
    array = make_array()
    with suppress(OSError):
        make_folder(path.parent)
        with atomic_path(path) as temporary:
            np.save(temporary, array)
    return array
