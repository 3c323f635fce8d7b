"""Training histories of any form: columns of numbers by name, one value per epoch or step, for one run or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.history_files import TABLE_SUFFIXES, read_history_file
from vaeviz.data.out_of_core import shorten
from vaeviz.errors import InputError, UnknownName

TIMES = ("epoch", "step", "global_step", "iteration")  # columns that count, the first that repeats no value
TIME_NAMES = {
    "epochs": "epoch",
    "steps": "step",
    "_step": "step",  # of Weights & Biases
    "trainer/global_step": "global_step",  # of Lightning
    "iter": "iteration",
    "iterations": "iteration",
}
Columns = dict[str, np.ndarray]


def read_history(path: str | Path) -> dict[str, list[float]]:
    """Read the columns of the history of one run.

    Parameters
    ----------
    path : str or Path
        A file or folder, see `read_history_file`.

    Returns
    -------
    dict of str to list of float
        One column per name; no columns if the file has no rows. A missing value is NaN.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds anything but numbers, or several runs.
    """
    history: dict[str, list[float]] = read_history_file(Path(path))
    if _holds_runs(history):
        got = ", ".join(history)
        raise InputError(f"{path} holds the histories of several runs.", got=got, expected="the history of one run")
    return history


def history_runs(history: Any, columns: Mapping[str, str] | None = None) -> dict[str, Columns]:
    """Return the histories of one run or of several.

    Parameters
    ----------
    history : mapping, data frame, Keras History, sequence or path
        Columns by name; a sequence of losses, or of one mapping per epoch; or the path of a file or of a run, see
        `read_history_file`. Several of these, as a mapping by the names of the runs, or a sequence of paths.
    columns : mapping of str to str, optional
        New names of columns by their names in the history, as in ``pandas.DataFrame.rename``.

    Returns
    -------
    dict of str to dict of str to ndarray of float, shape (E,)
        Columns by the name of the run, which is empty if there is only one. Columns that hold no numbers are left out.
        A sequence of losses is a column ``loss``, and a Keras History has a column ``epoch``. Columns that count have
        the names of `TIMES`, and rows of the same step that complete each other are one row.

    Raises
    ------
    InputError
        If it is none of these, or `columns` is not a mapping of names or gives two columns one name.
    UnknownName
        If no history has a column that `columns` renames.

    Examples
    --------
    >>> history_runs({"small": {"L": [3.0]}, "large": {"L": [2.0]}}, {"L": "loss"})
    {'small': {'loss': array([3.])}, 'large': {'loss': array([2.])}}
    >>> history_runs([{"Step": 5, "loss": 3.0}, {"Step": 5, "val_loss": 4.0}])
    {'': {'step': array([5.]), 'loss': array([3.]), 'val_loss': array([4.])}}
    """
    if columns is not None and not _is_renaming(columns):
        raise InputError(
            f"columns is {type(columns).__name__}, but new names of columns are a dictionary.",
            got=type(columns).__name__,
            expected="a dictionary of names",
            fix='Pass e.g. columns={"L_val": "val_loss"}.',
        )
    if isinstance(history, (str, Path)):
        history = read_history_file(Path(history))
    elif isinstance(history, Sequence) and history and all(isinstance(one, (str, Path)) for one in history):
        history = dict(zip(name_runs(history), history))
    runs = dict(history) if _holds_runs(history) else {"": history}
    given = {str(name): _read_columns(run) for name, run in runs.items()}
    known = dict.fromkeys(name for run in given.values() for name in run)
    for name in columns or {}:
        if name not in known:
            raise UnknownName("column of history", name, known)
    return {name: _tidy(run, columns or {}) for name, run in given.items()}


def _is_renaming(columns: Any) -> bool:
    return isinstance(columns, Mapping) and all(isinstance(name, str) for name in columns.values())


def name_runs(paths: Sequence[str | Path]) -> list[str]:
    """Return short names for runs: those of their files or folders, or the whole paths if some are the same.

    Parameters
    ----------
    paths : sequence of str or Path
        Paths of histories.

    Returns
    -------
    list of str
        One name per path.

    Examples
    --------
    >>> name_runs(["runs/beta0.5", "logs/b.csv"]), name_runs(["a/history.csv", "b/history.csv"])
    (['beta0.5', 'b'], ['a/history.csv', 'b/history.csv'])
    """
    names = [path.stem if path.suffix.lower() in TABLE_SUFFIXES else path.name for path in map(Path, paths)]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


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


def _holds_runs(history: Any) -> bool:
    """Return True for a mapping whose values are histories themselves, and not columns."""
    return isinstance(history, Mapping) and bool(history) and all(map(_is_run, history.values()))


def _is_run(value: Any) -> bool:
    return isinstance(value, (str, Path, Mapping)) or hasattr(value, "columns") or _is_keras_history(value)


def _is_keras_history(history: Any) -> bool:
    return isinstance(getattr(history, "history", None), Mapping)


def _read_columns(history: Any) -> Columns:
    """Return the columns of one run, named as they are."""
    if isinstance(history, (str, Path)):
        history = read_history(history)
    if _is_keras_history(history):
        history = history.history | {"epoch": [epoch + 1 for epoch in history.epoch]}
    elif not isinstance(history, Mapping) and hasattr(history, "columns"):  # a data frame of any library
        index: Any = getattr(history, "index", None)
        counts = str(getattr(index, "name", None)).lower() in {
            *TIMES,
            *TIME_NAMES,
        }  # of pandas
        history = ({index.name: index} if counts else {}) | {name: history[name] for name in history.columns}
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
        return np.array([np.nan if _is_missing(value) else float(value) for value in values], dtype=float)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a tensor of several elements
        return None


def _is_missing(value: Any) -> bool:
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"  # of pandas


def _tidy(columns: Columns, names: Mapping[str, str]) -> Columns:
    """Rename columns, give those that count their usual names, and merge rows that complete each other."""
    chosen = {name: names.get(name, name) for name in columns}
    for name, new in chosen.items():
        if (other := next(other for other in chosen if chosen[other] == new)) != name:
            message = f'columns names both "{shorten(other)}" and "{shorten(name)}" "{shorten(new)}".'
            raise InputError(message, got=new, expected="a name for each column", fix="Choose another name.")
    renamed: Columns = {}
    for name, new in chosen.items():
        usual = TIME_NAMES.get(new.lower(), new.lower())
        is_free = usual not in renamed and usual not in chosen.values()
        renamed[usual if usual in TIMES and is_free else new] = columns[name]
    return _merge_rows(renamed)


def _merge_rows(columns: Columns) -> Columns:
    """Merge the rows of one step, as of Lightning, whose training and validation values are in rows of their own."""
    if len({len(values) for values in columns.values()}) > 1:
        return columns
    for name in ("global_step", "step", "iteration", "epoch"):
        if name in columns and not np.isnan(columns[name]).any():
            first, groups = np.unique(columns[name], return_inverse=True)
            merged = {other: _merge_column(values, groups, len(first)) for other, values in columns.items()}
            complete = {other: values for other, values in merged.items() if values is not None}
            return complete if len(complete) == len(columns) else columns
    return columns


def _merge_column(values: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray | None:
    """Return the value of each group; NaN where it has none, and None if a group has several."""
    merged = np.full(n_groups, np.nan)
    has_value = ~np.isnan(values)
    merged[groups[has_value]] = values[has_value]
    return merged if (merged[groups] == values)[has_value].all() else None


def _unreadable_history(history: Any) -> InputError:
    return InputError(
        f"history is of type {type(history).__name__} and holds no columns of numbers.",
        got=type(history).__name__,
        expected="columns of numbers by name, or a sequence of losses",
        fix='Pass history={"epoch": [1, 2], "train_loss": [120.0, 110.0]}.',
    )
