"""Read training histories: columns of numbers by name, one value per epoch."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaeviz.errors import InputError

MAX_BYTES = 1 << 26  # a line per epoch takes about 200 bytes


def read_history(table: str | Path) -> dict[str, list[float]]:
    """Read the columns of a ``.csv`` file by the names in its first line.

    Parameters
    ----------
    table : str or Path
        The file, with commas between its values.

    Returns
    -------
    dict of str to list of float
        One column per name; no columns if the file has no rows.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds anything but numbers.
    """
    path = Path(table)
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is not a file.", got=str(path), expected="a .csv file")
    try:
        if path.stat().st_size > MAX_BYTES:
            limit = f"{MAX_BYTES:,} bytes at most"
            raise InputError(f"{path} is too large to be a history.", got=str(path), expected=limit)
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", got=str(path), expected="a .csv file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", got=str(path), expected="a .csv file") from None
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} is damaged, or not a table of numbers ({error}).", got=str(path), expected="a table of numbers"
        ) from None


def row_of_weights(history: Mapping[str, Sequence[float]]) -> int:
    """Return the row of the epoch whose weights the model has.

    Parameters
    ----------
    history : mapping of str to sequence of float
        Columns by name, one value per epoch. A column ``best``, which `vaeviz_models.fit` adds under early stopping,
        is 1 in the epoch whose weights were kept.

    Returns
    -------
    int
        Index of the row; −1, the last row, without such a column.

    Examples
    --------
    >>> row_of_weights({"epoch": [1, 2, 3], "best": [0.0, 1.0, 0.0]})
    1
    """
    kept = [row for row, is_best in enumerate(history.get("best", ())) if is_best]
    return kept[-1] if kept else -1
