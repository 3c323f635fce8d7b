"""Standardize the features of a table, and set a part of it aside as test data: ``standardized:csv:FILE``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.dataset import Dataset, Split
from vaeviz.data.loading import load_data
from vaeviz.errors import Fix, GuessWarning, InputError, NoSuchSplit, warn_user

DEFAULT_SHARE = 0.2  # of the rows of a table without a test split
ROUNDING = 1e-9  # so that 0.1 of ten rows is one
SHARE_AND_NAME = re.compile(r"([-+]?[.,]?\d[\d.,]*(?:[eE][-+]?\d+)?%?|nan):(.+)")
MIN_TRAINING_ROWS = 2  # one row has no spread


def standardized(
    name: str,
    *,
    split: Split = "train",
    data_dir: Path | None = None,
    labels: str | None = None,
) -> Dataset:
    """Standardize the features of a table (standardized:csv:FILE, standardized:0.3:csv:FILE).

    Means and standard deviations are those of the training rows. If the table has no test split, a fifth of its rows is
    that, or the share before its name; these rows are evenly spaced, so a file that is sorted by class has all classes
    in both parts.

    Parameters
    ----------
    name : str
        The table, optionally after the share of test rows and a colon.
    split : {"train", "test", "all"}, default: "train"
        The part to load.
    data_dir : Path, optional
        Folder with the files of the table.
    labels : str, optional
        The array, column or file with its labels.

    Returns
    -------
    Dataset
        The samples (N, D) in float32, with the labels and names of the table.

    Raises
    ------
    InputError
        If the samples are not vectors, the share is not between 0 and 1, or it leaves too few rows for a part.

    Warns
    -----
    GuessWarning
        If a feature that is constant in the training rows has another value elsewhere.
    """
    match = SHARE_AND_NAME.fullmatch(name)
    share, table = (_read_share(*match.groups()), match[2]) if match else (None, name)
    train, part = _load_parts(table, share, split, {"data_dir": data_dir, "labels": labels})
    if train.x.ndim != 2:
        shape = f"(N, {', '.join(map(str, train.x.shape[1:]))})"
        message = f"{table} has samples {shape}, but only tables can be standardized."
        raise InputError(message, got=shape, expected="(N, D)")
    values = as_array(train.x).astype(np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0)
    is_constant = np.ptp(values, axis=0) == 0  # the mean of equal numbers is rounded, so their spread may not be 0
    mean[is_constant], std[is_constant] = values[0, is_constant], 1
    x = ((as_array(part.x) - mean) / std).astype(np.float32)
    _warn_about_constants(table, part, is_constant & (x != 0).any(axis=0))
    return replace(part, x=x, name=f"standardized {part.name}", kind="table")


def _read_share(text: str, table: str) -> float:
    """Parse the share of test rows."""
    try:
        share = float(text)
    except ValueError:
        share = np.nan
    if not 0 < share < 1:
        form = f"standardized:{DEFAULT_SHARE}:{table}"
        raise InputError(
            f"The share of test rows is {text}, expected a number between 0 and 1.",
            got=text,
            expected="a number between 0 and 1",
            fix=Fix(f'Write load_data("{form}").', f"Write --data {form}."),
        )
    return share


def _warn_about_constants(table: str, part: Dataset, is_changed: np.ndarray) -> None:
    """Warn about features that are constant in the training rows but not in the other rows."""
    if not is_changed.any():
        return
    indices = np.flatnonzero(is_changed)
    name = part.feature_names[indices[0]] if part.feature_names else f"{indices[0]} (counted from 0)"
    others = f" and {len(indices) - 1} more" if len(indices) > 1 else ""
    warn_user(
        GuessWarning(
            f"{table}: feature {name}{others}, constant in the training rows but not in the other rows, cannot be "
            "scaled.",
            fix="Leave such features out, or set other rows aside: save x_train and x_test in an .npz file.",
        )
    )


def _load_parts(table: str, share: float | None, split: Split, options: dict[str, Any]) -> tuple[Dataset, Dataset]:
    """Return the training rows, and the rows of a split."""
    if share is None:
        try:
            return load_data(table, split="train", **options), load_data(table, split=split, **options)
        except NoSuchSplit:
            share = DEFAULT_SHARE
    data = load_data(table, split="all", **options)
    counts = np.floor(np.arange(len(data.x) + 1) * share + ROUNDING)
    is_test = np.diff(counts) > 0
    if not is_test.any() or (~is_test).sum() < MIN_TRAINING_ROWS:
        n_test, form = int(is_test.sum()), f"standardized:0.5:{table}"
        is_enough = len(data.x) > MIN_TRAINING_ROWS
        fix = Fix(f'Choose another share, as load_data("{form}").', f"Choose another share, as --data {form}.")
        raise InputError(
            f"{table} has {len(data.x)} rows, of which {n_test} would be test data.",
            got=f"a share of {share:g}",
            expected=f"at least {MIN_TRAINING_ROWS} training rows and a test row",
            fix=fix if is_enough else "",
        )
    train = data[~is_test]
    return train, {"train": train, "test": data[is_test], "all": data}[split]
