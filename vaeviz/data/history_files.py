"""Read the files in which programs keep training histories: tables, JSON, and the folders of trackers."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaeviz.data.out_of_core import shorten
from vaeviz.data.tracker_logs import is_event_file, read_event_folder, read_mlflow_folder
from vaeviz.errors import InputError

MAX_BYTES = 1 << 26  # a line per epoch takes about 200 bytes
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
FOLDER_FILES = ("history.csv", "metrics.csv", "trainer_state.json", "history.json")  # the first that a folder has
EXPECTED = "a table of numbers, JSON, or the folder of a run"
CHART_COLUMN = re.compile("(?P<run>.+) - (?P<metric>.+)")  # in a chart that Weights & Biases exports
CHART_SPREAD = ("__MIN", "__MAX")  # columns of such a chart beside each curve
Table = dict[str, list[float]]


def read_history_file(path: Path) -> Any:
    """Read a training history from a file or folder.

    Parameters
    ----------
    path : Path
        A ``.csv`` or ``.tsv`` table, also one that a CSV logger of Keras or Lightning or an export of Weights & Biases
        wrote; JSON of columns, of one object per epoch, or a ``trainer_state.json`` of transformers; JSON lines; an
        event file of TensorBoard; or a folder that holds one of these, event files, or metrics of MLflow.

    Returns
    -------
    dict
        Columns by name, each a list of float, without columns of text. A missing value is NaN. Or, if there are
        several runs, the columns of each by its name.

    Raises
    ------
    InputError
        If it does not exist, is damaged, or holds no history.
    """
    if os.path.isdir(path):
        return _read_folder(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is not a file.", got=str(path), expected=EXPECTED)
    if is_event_file(path) and os.path.isfile(path):
        return read_event_folder(path)
    suffix = path.suffix.lower()
    try:
        if path.stat().st_size > MAX_BYTES:
            limit = f"{MAX_BYTES:,} bytes at most"
            raise InputError(f"{path} is too large to be a history.", got=str(path), expected=limit)
        return READERS.get(suffix, _read_csv)(path.read_text(encoding="utf-8-sig"))
    except InputError as error:
        if error.message.startswith(str(path)):
            raise
        message = f"{path} is damaged, or not a history: {error.message}"
        raise InputError(message, got=error.got or str(path), expected=error.expected or EXPECTED) from None
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", got=str(path), expected=EXPECTED) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", got=str(path), expected=EXPECTED) from None
    except (RecursionError, TypeError, ValueError, csv.Error) as error:
        reason = shorten(str(error))
        message = f"{path} is damaged, or not a history ({reason})."
        raise InputError(message, got=str(path), expected=EXPECTED) from None


def _read_folder(folder: Path) -> Any:
    """Read what a folder holds: a table of a usual name, event files, metrics of MLflow, or the only table."""
    usual = next((folder / name for name in FOLDER_FILES if (folder / name).is_file()), None)
    if usual is not None:
        return read_history_file(usual)
    history = read_mlflow_folder(folder) or read_event_folder(folder)
    if history:
        return history
    raise InputError(
        f"{folder} holds no history: no {', '.join(FOLDER_FILES)}, event files of TensorBoard, or metrics of MLflow.",
        got=str(folder),
        expected="history.csv",
        fix="Name a table, such as FOLDER/log.csv.",
    )


def _read_csv(text: str) -> Any:
    """Read a table whose first line names the columns."""
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = [(reader.line_num, row) for row in reader if row]
    if len(lines) < 2:
        return {}
    (_, names), *lines = lines
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two columns are called {shorten(name)}.", got=shorten(name), expected="different names")
    for number, row in lines:
        if len(row) != len(names):
            got = f"{len(row)} values in line {number}"
            raise InputError(f"it has {got}, expected {len(names)}.", got=got, expected=f"{len(names)} values")
    rows = [row for _, row in lines]
    columns = {name: column for name, *values in zip(names, *rows) if (column := _as_column(name, values)) is not None}
    if not columns:
        raise InputError("it holds no column of numbers.", got=shorten(", ".join(names)), expected="columns by name")
    return _split_chart(columns)


def _split_chart(columns: Table) -> Any:
    """Return the runs of a chart that Weights & Biases exports, or the columns of any other table."""
    matches = {name: match for name in columns if (match := CHART_COLUMN.fullmatch(name))}
    times = {name: values for name, values in columns.items() if name not in matches}
    if not matches or len(times) != 1:
        return columns
    runs: dict[str, Table] = {}
    for name, match in matches.items():
        if not name.endswith(CHART_SPREAD):
            runs.setdefault(match["run"], dict(times))[match["metric"]] = columns[name]
    return runs if len(runs) > 1 else next(iter(runs.values()), columns)


def _read_json(text: str) -> Any:
    """Read columns, runs, or one object per epoch."""
    content = json.loads(text)
    if isinstance(content, dict) and isinstance(content.get("log_history"), list):  # trainer_state.json
        content = content["log_history"]
    if isinstance(content, list):
        return _join_rows(content)
    if not isinstance(content, dict) or not content:
        raise InputError("it holds no columns.", got=type(content).__name__, expected="columns by name")
    if all(isinstance(value, dict) and _holds_lists(value) for value in content.values()):
        return {name: _join_columns(run) for name, run in content.items()}
    return _join_columns(content)


def _read_json_lines(text: str) -> Any:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            raise InputError(f"line {number} is not JSON ({error}).", got=shorten(line), expected="an object") from None
    return _join_rows(rows)


READERS: Mapping[str, Callable[[str], Any]] = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}
"""Function that reads the text of a file, by suffix; all others are tables."""


def _holds_lists(columns: Mapping[str, Any]) -> bool:
    return bool(columns) and all(isinstance(values, list) for values in columns.values())


def _join_rows(rows: Sequence[Any]) -> Table:
    """Return the columns of one object per row, or of one number per row."""
    if rows and all(isinstance(row, (int, float)) for row in rows):
        return _join_columns({"loss": list(rows)})
    if not all(isinstance(row, dict) for row in rows):
        raise InputError("a row is not an object.", got="other values", expected="one object per epoch")
    names = dict.fromkeys(name for row in rows for name in row)
    return _join_columns({name: [row.get(name) for row in rows] for name in names})


def _join_columns(content: Mapping[str, Any]) -> Table:
    """Return the columns that hold numbers; a mapping by row, as pandas writes it, is a column."""
    columns = {}
    for name, values in content.items():
        listed = list(values.values()) if isinstance(values, dict) else values
        if isinstance(listed, list):
            column = _as_column(name, listed)
            if column is not None:
                columns[name] = column
    if not columns:
        raise InputError("it holds no column of numbers.", got=shorten(", ".join(content)), expected="columns by name")
    return columns


def _as_column(name: str, values: Sequence[Any]) -> list[float] | None:
    """Return values as numbers, NaN for empty ones; None for a column of texts."""
    numbers = [_as_number(value) for value in values]
    wrong = [value for value, number in zip(values, numbers) if number is None]
    if not wrong:
        return [number for number in numbers if number is not None]
    if len(wrong) == sum(value not in (None, "") for value in values):
        return None
    got = shorten(str(wrong[0]))[:60]
    raise InputError(f"the column {shorten(name)} has numbers and {got!r}.", got=got, expected="numbers")


def _as_number(value: Any) -> float | None:
    """Return a value as a number, NaN if it is empty, and None for anything else."""
    if value is None or value == "":
        return float("nan")
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except (OverflowError, ValueError):
        return None
