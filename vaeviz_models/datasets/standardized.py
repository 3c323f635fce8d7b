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
from vaeviz.errors import InputError, NoSuchSplit

DEFAULT_SHARE = 0.2  # of the rows of a table without a test split
ROUNDING = 1e-9  # so that 0.1 of ten rows is one
SHARE_AND_NAME = re.compile(r"([-+.\d][-+.,\de]*%?):(.+)")


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
        If the samples are not vectors, or one of the parts would be empty.
    """
    match = SHARE_AND_NAME.fullmatch(name)
    share, table = (_parse_share(match[1], match[2]), match[2]) if match else (None, name)
    train, part = _load_parts(table, share, split, {"data_dir": data_dir, "labels": labels})
    if train.x.ndim != 2:
        shape = f"(N, {', '.join(map(str, train.x.shape[1:]))})"
        message = f"{table} has samples {shape}, but only tables can be standardized."
        raise InputError(message, got=shape, expected="(N, D)")
    values = as_array(train.x).astype(np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0)
    std[std == 0] = 1  # a constant feature becomes 0
    x = ((as_array(part.x) - mean) / std).astype(np.float32)
    return replace(part, x=x, name=f"standardized {part.name}", kind="table")


def _parse_share(text: str, table: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if 0 < share < 1:
        return share
    raise InputError(
        f"{text} is not a share of test rows.",
        got=text,
        expected="a number between 0 and 1",
        fix=f"Write standardized:{DEFAULT_SHARE}:{table}.",
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
    if not is_test.any() or is_test.all():
        n_test = int(is_test.sum())
        raise InputError(
            f"{table} has {len(data.x)} rows, of which {n_test} would be test data.",
            got=f"a share of {share:g}",
            expected="training rows and test rows",
        )
    train = data[~is_test]
    return train, {"train": train, "test": data[is_test], "all": data}[split]
