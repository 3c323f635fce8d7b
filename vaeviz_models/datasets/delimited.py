"""Tables of one's own: ``csv:FILE``."""

from __future__ import annotations

import csv as reading
from pathlib import Path

import numpy as np

from vaeviz.data import Dataset, Split
from vaeviz.errors import InputError, NoSuchSplit
from vaeviz.naming import is_number

DELIMITERS = ",;\t|"


def csv(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """The columns of FILE, a table of numbers with names in its first line, as samples x (N, columns).

    Between the values stand commas, semicolons, tabs or bars. labels: the column that holds them, which is then none
    of x. A column without a name, as pandas writes its index, is left out.
    """
    if split != "all":
        raise NoSuchSplit(f"csv: {path} has no splits; use --split all")
    columns = _columns(Path(path))
    if labels is not None and labels not in columns:
        raise InputError(f"{path}: has no column {labels!r} for the labels; it has {', '.join(columns)}")
    found = None if labels is None else _labels(columns.pop(labels))
    if not columns:
        raise InputError(f"{path}: has no column of numbers")
    x = np.column_stack([_numbers(values, name, path) for name, values in columns.items()])
    return Dataset(x, found, name=Path(path).stem, feature_names=tuple(columns))


def _columns(file: Path) -> dict[str, list[str]]:
    """The columns that have a name, as they are written."""
    if not file.is_file():
        raise InputError(f"csv: {file} does not exist")
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            head = lines.readline()
            lines.seek(0)
            names, *rows = [row for row in reading.reader(lines, delimiter=max(DELIMITERS, key=head.count)) if row]
    except (UnicodeDecodeError, reading.Error) as error:
        raise InputError(f"{file}: cannot be read as a table ({error})") from None
    except ValueError:
        raise InputError(f"{file}: is empty") from None
    if not rows:
        raise InputError(f"{file}: has no line but the first, which is for the names of the columns")
    if all(is_number(name) for name in names):
        raise InputError(f"{file}: the first line holds numbers, expected the names of the columns")
    if len({*names}) < len(names):
        raise InputError(f"{file}: two columns have the same name; it has {', '.join(names)}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise InputError(f"{file}: row {number} has {len(row)} values, the first has {len(names)} names")
    return {name: list(values) for name, values in zip(names, zip(*rows)) if name}


def _numbers(values: list[str], name: str, path: str) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float64).astype(np.float32)
    except ValueError:
        wrong = next(number for number, value in enumerate(values) if not is_number(value))
        what = f"{values[wrong]!r}, which is no number" if values[wrong] else "no value"
        raise InputError(
            f"{path}: column {name!r} has {what}, in row {wrong + 2}: name it as the labels, or leave it out"
        ) from None


def _labels(values: list[str]) -> np.ndarray:
    """Integers or other numbers where all are, else texts; an empty one is missing."""
    for kind in (np.int64, np.float64):
        try:
            return np.array(values).astype(kind)
        except ValueError:
            continue
    return np.array(values)
