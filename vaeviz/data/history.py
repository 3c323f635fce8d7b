"""Read training histories: columns of numbers by name, one value per epoch."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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


def history_columns(history: Any) -> dict[str, np.ndarray]:
    """Return the columns of a training history of any form.

    Parameters
    ----------
    history : mapping, data frame, Keras History, sequence or path
        Columns by name; a sequence of losses, or of one mapping per epoch; or the path of a ``.csv`` file or of a run.

    Returns
    -------
    dict of str to ndarray of float, shape (E,)
        Columns by name, without those that hold no numbers. A sequence of losses is a column ``loss``, and a Keras
        History has a column ``epoch``.

    Raises
    ------
    InputError
        If `history` is none of these.

    Examples
    --------
    >>> history_columns([3.0, 2.0])
    {'loss': array([3., 2.])}
    """
    if isinstance(history, (str, Path)):
        path = Path(history)
        history = read_history(path / "history.csv" if path.is_dir() else path)
    if isinstance(getattr(history, "history", None), Mapping):  # a Keras History
        history = history.history | {"epoch": [epoch + 1 for epoch in history.epoch]}
    elif not isinstance(history, Mapping) and hasattr(history, "columns"):  # a data frame of any library
        history = {name: history[name] for name in history.columns}
    elif not isinstance(history, Mapping) and np.iterable(history):
        rows = list(history)
        if rows and all(isinstance(row, Mapping) for row in rows):
            names = dict.fromkeys(name for row in rows for name in row)
            history = {name: [row.get(name, np.nan) for row in rows] for name in names}
        else:
            history = {"loss": rows}
    if not isinstance(history, Mapping):
        raise _unreadable_history(history)
    columns = {str(name): _as_numbers(values) for name, values in history.items()}
    numbers = {name: values for name, values in columns.items() if values is not None}
    if columns and not numbers:
        raise _unreadable_history(history)
    return numbers


def _as_numbers(values: Any) -> np.ndarray | None:
    """Return values as float64, shape (E,); None if they are not numbers."""
    try:
        return np.array([float(value) for value in values], dtype=float)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a tensor of several elements
        return None


def _unreadable_history(history: Any) -> InputError:
    return InputError(
        f"history is of type {type(history).__name__} and holds no columns of numbers.",
        got=type(history).__name__,
        expected="columns of numbers by name, or a sequence of losses",
        fix='Pass history={"epoch": [1, 2], "train_loss": [120.0, 110.0]}.',
    )


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
