"""What a training leaves of its course: columns of numbers by name, one value an epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaeviz.errors import InputError


def read_history(table: str | Path) -> dict[str, list[float]]:
    """The columns of a ``.csv`` file by the names in its first line; `InputError` if it is missing or damaged."""
    path = Path(table)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read, {error.strerror}") from None
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: is damaged, or no table of numbers ({error})") from None


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
