"""The limit on how far a data file may expand, against files that are made to fill the memory."""

from __future__ import annotations

from pathlib import Path

from vaeviz.errors import InputError

MAX_EXPANSION = 200  # times; images, counts and masks shrink 3- to 100-fold, a file of zeros 1,000-fold or more
MIN_CHECKED_BYTES = 1 << 28  # smaller arrays fit into any memory


def check_expansion(path: Path, n_stored: int, n_bytes: int) -> None:
    """Raise InputError if an array is much larger in memory than in its file.

    Parameters
    ----------
    path : Path
        The file, for the message.
    n_stored : int
        Bytes that the array takes in the file.
    n_bytes : int
        Bytes that it takes in memory.

    Raises
    ------
    InputError
        If it is larger than 256 MiB, and more than 200 times as large as in the file.
    """
    if n_bytes > max(MIN_CHECKED_BYTES, MAX_EXPANSION * n_stored):
        raise InputError(
            f"{path} would expand from {n_stored:,} to {n_bytes:,} bytes, which data do not.",
            got=f"{n_bytes} bytes",
            expected=f"{MAX_EXPANSION} times its size at most",
            fix="If the file is yours, save the array as .npy, which stays on disk.",
        )
