"""Load tables: ``csv:FILE``."""

from __future__ import annotations

import csv as csv_module
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import Fix, GuessWarning, InputError, NoSuchSplit, warn_user
from vaeviz.plugins.object_refs import is_number

DELIMITERS = ",;\t|"
ROWS_PER_BLOCK = 4096  # rows that are in memory as strings
MAX_COLUMNS = 100_000  # pandas takes about 7 seconds for as many, even for two rows
MIN_COUNTED_ROWS = 10  # fewer numbers may rise by one each by chance
MAX_LISTED_LINES = 5  # more line numbers would fill the screen
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?")  # as programs write them; 007 is a name
MAX_FLOAT32 = float(np.finfo(np.float32).max)
MISSING_LABELS = (
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
)  # as pandas and R write them
MISSING_VALUES = ("", "na", "n/a", "nan", "null", "none", "?")


class Header(NamedTuple):
    """The first line of a table that is not blank."""

    line: int
    delimiter: str
    names: list[str]


def csv(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """Load the columns of a table, one row per sample.

    The table is held in memory.

    Parameters
    ----------
    path : str
        A file in UTF-8. Its first line names the columns, all of which hold numbers; the values are separated by
        commas, semicolons, tabs or bars. Columns without a name are left out, e.g. the index that pandas writes.
    split : {"all"}, default: "all"
        A table has no splits.
    labels : str, optional
        The column that holds the labels, numbers or strings. It is not a feature.

    Returns
    -------
    Dataset
        The samples (N, columns) in float32, with the names of the columns as feature names.

    Raises
    ------
    NoSuchSplit
        For another split.
    InputError
        If the file is missing, or not a table of numbers.

    Warns
    -----
    GuessWarning
        If blank lines between rows were skipped, or a column numbers the rows.
    """
    if split != "all":
        raise NoSuchSplit(
            f"{path} has no splits.",
            got=split,
            expected="all",
            fix=Fix('Pass split="all".', "Add --split all."),
        )
    if not os.path.isfile(path):
        raise InputError(f"{path} does not exist.", got=path, expected="a .csv file")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _read_table(file, path, labels)
    except (UnicodeDecodeError, csv_module.Error, pd.errors.ParserError) as error:
        raise InputError(f"{path} cannot be read as a table ({error}).", got=path, expected="a table") from None


def _read_table(file: TextIO, path: str, labels: str | None) -> Dataset:
    """Read a table in blocks, so that no more than a block of strings is in memory."""
    header = _read_header(file, path)
    if labels is not None and labels not in header.names:
        listed = ", ".join(filter(None, header.names))
        raise InputError(
            f"{path} has no column {labels!r} for the labels. Its columns are {listed}.", got=labels, expected=listed
        )
    features = [place for place, name in enumerate(header.names) if name and name != labels]
    names = tuple(header.names[place] for place in features)
    if not features:
        raise InputError(f"{path} has no column of numbers.", got="no feature", expected="a column of numbers")
    blocks: list[np.ndarray] = []
    label_texts: list[str] = []
    blank_lines: list[int] = []
    last_line = 0
    for block in _read_blocks(file, header):
        is_blank = block.isna().all(axis=1)
        blank_lines += block.index[is_blank].tolist()
        rows = block[~is_blank]
        if not len(rows):
            continue
        _check_row_lengths(rows, path)
        values = _numbers(rows[features], names, path)
        if not blocks:
            _warn_of_row_numbers(values, names, path)
        blocks.append(values.astype(np.float32))
        if labels is not None:
            label_texts += rows[header.names.index(labels)].str.strip().tolist()
        last_line = int(rows.index[-1])
    if not blocks:
        raise InputError(f"{path} has no rows below the names of its columns.", got="no rows", expected="numbers")
    _warn_of_blank_lines([line for line in blank_lines if line < last_line], path)
    y = None if labels is None else _parse_labels(label_texts, path)
    return Dataset(np.concatenate(blocks), y, name=Path(path).stem, feature_names=names)


def _read_blocks(file: TextIO, header: Header) -> Iterator[pd.DataFrame]:
    """Yield the rows below the header as strings, indexed by the number of their line. Those of blank lines are empty.

    A value in quotes that spans several lines counts as one.
    """
    for block in pd.read_csv(
        file,
        engine="python",  # the other engine drops surplus values and fills in missing ones silently
        sep=header.delimiter,
        header=None,
        names=range(len(header.names)),
        dtype=str,
        keep_default_na=False,
        skipinitialspace=True,
        skip_blank_lines=False,
        chunksize=ROWS_PER_BLOCK,
    ):
        block.index += 1
        yield block[block.index > header.line]


def _read_header(file: TextIO, path: str) -> Header:
    """Read the names of the columns, and return to the beginning of the file."""
    line, text = next(((line, text) for line, text in enumerate(file, start=1) if text.strip()), (0, ""))
    outside_quotes = re.sub(r'"[^"]*"', "", text)
    delimiter = max(DELIMITERS, key=outside_quotes.count)
    file.seek(0)
    for _ in range(line - 1):
        next(file)
    names = next(csv_module.reader(file, delimiter=delimiter, skipinitialspace=True), [])
    file.seek(0)
    if len(names) > MAX_COLUMNS:
        raise InputError(
            f"{path} has {len(names):,} columns, which is too wide for a table of text.",
            got=f"{len(names):,} columns",
            expected=f"{MAX_COLUMNS:,} columns at most",
            fix="Save the array with numpy.save(), and load the .npy file.",
        )
    names = [name.strip() for name in names]
    named = [name for name in names if name]
    if not named:
        raise InputError(f"{path} is empty.", got="no lines", expected="the names of the columns")
    if 2 * sum(map(is_number, named)) >= len(named):
        raise InputError(
            f"{path} begins with a line of numbers, expected the names of the columns.",
            got=", ".join(named),
            expected="the names of the columns",
            fix="Write their names in the first line, e.g. x1,x2.",
        )
    repeated = next((name for name, count in Counter(named).items() if count > 1), None)
    if repeated is not None:
        raise InputError(
            f"{path} has two columns named {repeated!r}.",
            got=repeated,
            expected="different names",
            fix="Rename one of them.",
        )
    return Header(line, delimiter, names)


def _check_row_lengths(rows: pd.DataFrame, path: str) -> None:
    """Raise InputError for a row with fewer values than there are columns; pandas raises for more."""
    counts = rows.notna().sum(axis=1).to_numpy()
    short = np.flatnonzero(counts < rows.shape[1])
    if len(short):
        line, n_values = rows.index[short[0]], counts[short[0]]
        raise InputError(
            f"{path}: line {line} is too short. It has {n_values} of {rows.shape[1]} values.",
            got=f"{n_values} values in line {line}",
            expected=f"{rows.shape[1]} values",
        )


def _numbers(rows: pd.DataFrame, names: Sequence[str], path: str) -> np.ndarray:
    """Convert strings to numbers, all of them finite in float32."""
    texts = rows.to_numpy(object)
    try:
        values: np.ndarray = texts.astype(np.float64)
        if (abs(values) <= MAX_FLOAT32).all():
            return values
    except ValueError:
        pass
    row, column = next(
        place for place, text in np.ndenumerate(texts) if not (is_number(text) and abs(float(text)) <= MAX_FLOAT32)
    )
    text = str(texts[row, column]).strip()
    if re.fullmatch(r"-?\d+,\d+", text):
        fix = "Write decimals with a point."
    elif text.lower() in MISSING_VALUES:
        fix = "Fill it, or leave that line out."
    else:
        fix = f"Leave the column out, or pass labels={names[column]!r}."
    got = f"{text!r}, which is not a finite number" if text else "no value"
    raise InputError(
        f"{path}: column {names[column]!r} has {got}, in line {rows.index[row]}.",
        got=text,
        expected="a finite number",
        fix=Fix(fix, fix.replace(f"pass labels={names[column]!r}", f'add --labels "{names[column]}"')),
    )


def _warn_of_row_numbers(x: np.ndarray, names: Sequence[str], path: str) -> None:
    """Warn if a column of the first rows counts them: it means nothing, and makes the others look constant."""
    for name, column in zip(names, x.T):
        steps = np.diff(column)
        if len(x) >= MIN_COUNTED_ROWS and abs(steps[0]) == 1 and (steps == steps[0]).all():
            warn_user(
                GuessWarning(
                    f"{path}: column {name!r} numbers the rows, and is used as a feature.",
                    fix="If it is not one, delete the column, or its name.",
                )
            )


def _warn_of_blank_lines(lines: Sequence[int], path: str) -> None:
    if lines:
        listed = ", ".join(map(str, lines[:MAX_LISTED_LINES])) + (", ..." if len(lines) > MAX_LISTED_LINES else "")
        warn_user(
            GuessWarning(
                f"{path} has blank lines between its rows, which are skipped: {listed}.",
                fix="Delete them, or fill them in if they are missing samples.",
            )
        )


def _parse_labels(texts: Sequence[str], path: str) -> np.ndarray:
    """Return integers or floats if all labels are written as such, else strings. An empty label or NA is missing."""
    values = ["" if text in MISSING_LABELS else text for text in texts]
    present = [value for value in values if value]
    if present and all(map(INTEGER.fullmatch, present)):
        numbers = [int(value) if value else None for value in values]
        return np.array(numbers, dtype=np.int64 if len(present) == len(values) else object)
    if present and all(map(NUMBER.fullmatch, present)):
        return np.array([float(value) if value else np.nan for value in values])
    missing = sorted(set(texts) & set(MISSING_LABELS))
    if missing:
        message = (
            f"{path}: the label {' or '.join(missing)} counts as missing, in {sum(map(missing.count, texts))} rows."
        )
        warn_user(GuessWarning(message, fix="Rename the class, if it is one."))
    return np.array(values)
