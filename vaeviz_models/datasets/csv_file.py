"""Tables of one's own: ``csv:FILE``."""

from __future__ import annotations

import csv as reading
import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import GuessWarning, InputError, NoSuchSplit
from vaeviz.plugins.object_refs import is_number

DELIMITERS = ",;\t|"
BLOCK = 4096  # rows that are held as texts
NUMBERED_FROM = 10  # rows; in fewer, numbers may rise by one each by chance
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
"""Numbers as a program writes them. 007 is a name."""
LARGEST = float(np.finfo(np.float32).max)
MISSING = ("", "na", "n/a", "nan", "null", "none", "?")

Row = tuple[int, list[str]]
"""The number of its line, and its values."""


def csv(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """The columns of a table in FILE, all of them numbers with a name in the first line, as samples x (N, columns).

    Between the values stand commas, semicolons, tabs or bars; the text is UTF-8. labels: the column that holds them,
    of whatever kind, which is then none of x. A column without a name, as pandas writes its index, is left out. The
    table is held in memory.
    """
    if split != "all":
        raise NoSuchSplit(f"csv: {path} has no splits; use --split all")
    if not Path(path).is_file():
        raise InputError(f"csv: {path} does not exist")
    try:
        with open(path, newline="", encoding="utf-8-sig") as lines:
            return _read(lines, path, labels)
    except (UnicodeDecodeError, reading.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from None


def _read(lines: TextIO, path: str, labels: str | None) -> Dataset:
    rows = _rows(lines)
    names = _checked_names([name.strip() for name in next(rows, (0, []))[1]], path)
    if labels is not None and labels not in names:
        raise InputError(f"{path}: has no column {labels!r} for the labels; it has {', '.join(filter(None, names))}")
    shown = [place for place, name in enumerate(names) if name and name != labels]
    if not shown:
        raise InputError(f"{path}: has no column of numbers")
    features, blocks, found = tuple(names[place] for place in shown), [], []
    while block := list(islice(rows, BLOCK)):
        for line, row in block:
            if len(row) != len(names):
                raise InputError(f"{path}: line {line} has {len(row)} values, the first line has {len(names)} names")
        values = _numbers([(line, [row[place] for place in shown]) for line, row in block], features, path)
        if not blocks:
            _warn_of_row_numbers(values, features, path)
        blocks.append(values.astype(np.float32))
        if labels is not None:
            found += [row[names.index(labels)].strip() for _, row in block]
    if not blocks:
        raise InputError(f"{path}: has no line but the first, which is for the names of the columns")
    y = None if labels is None else _labels(found)
    return Dataset(np.concatenate(blocks), y, name=Path(path).stem, feature_names=features)


def _warn_of_row_numbers(x: np.ndarray, names: Sequence[str], path: str) -> None:
    """The first rows x (n, columns) tell: numbers of rows mean nothing, and beside them other columns look constant."""
    for name, column in zip(names, x.T):
        steps = np.diff(column)
        if len(x) >= NUMBERED_FROM and abs(steps[0]) == 1 and (steps == steps[0]).all():
            warnings.warn(
                f"{path}: column {name!r} numbers the rows, and is taken for a feature; if it is none, leave it out of "
                "the file, or leave its name empty",
                GuessWarning,
                stacklevel=2,
            )


def _rows(lines: TextIO) -> Iterator[Row]:
    """The rows that are not blank; the first of them tells by what the values are parted."""
    head = next((line for line in lines if line.strip()), "")
    lines.seek(0)
    outside_quotes = re.sub(r'"[^"]*"', "", head)
    reader = reading.reader(lines, delimiter=max(DELIMITERS, key=outside_quotes.count), skipinitialspace=True)
    return ((reader.line_num, row) for row in reader if any(row))


def _checked_names(names: list[str], path: str) -> list[str]:
    named = [name for name in names if name]
    if not named:
        raise InputError(f"{path}: is empty")
    if 2 * sum(map(is_number, named)) >= len(named):
        raise InputError(f"{path}: the first line holds numbers, expected the names of the columns, e.g. x1, x2")
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are named {twice!r}")
    return names


def _numbers(rows: Sequence[Row], names: Sequence[str], path: str) -> np.ndarray:
    """(rows, columns), all finite in float32."""
    try:
        values = np.array([row for _, row in rows], dtype=np.float64)
        if (abs(values) <= LARGEST).all():
            return values
    except ValueError:
        pass
    line, name, value = next(
        (line, name, value)
        for line, row in rows
        for name, value in zip(names, row)
        if not (is_number(value) and abs(float(value)) <= LARGEST)
    )
    what = f"{value!r}, which is no finite number" if value else "no value"
    if re.fullmatch(r"-?\d+,\d+", value):
        mend = "write decimals with a point"
    elif value.lower() in MISSING:
        mend = "fill it, or leave that line out"
    else:
        mend = "name the column as the labels, or leave it out"
    raise InputError(f"{path}: column {name!r} has {what}, in line {line}; {mend}")


def _labels(values: Sequence[str]) -> np.ndarray:
    """Integers or other numbers where all are written as such, else texts; an empty one is missing."""
    given = [value for value in values if value]
    if given and all(map(INTEGER.fullmatch, given)):
        numbers = [int(value) if value else None for value in values]
        return np.array(numbers, dtype=np.int64 if len(given) == len(values) else object)
    if given and all(map(NUMBER.fullmatch, given)):
        return np.array([float(value) if value else np.nan for value in values])
    return np.array(values)
