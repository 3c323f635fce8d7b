"""Load tables in columns: ``parquet:FILE``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.errors import Fix, InputError, NoSuchSplit
from vaeviz.plugins.optional_libraries import import_library


def parquet(path: str, *, split: Split = "all", labels: str | None = None) -> Dataset:
    """Load the columns of a .parquet file, one row per sample.

    Parameters
    ----------
    path : str
        A file that pandas, polars, R or another program wrote. All its columns but the labels hold numbers.
    split : {"all"}, default: "all"
        A table has no splits.
    labels : str, optional
        The column that holds the labels. Categories keep their order.

    Returns
    -------
    Dataset
        The samples (N, columns) in float32, with the names of the columns as feature names.

    Raises
    ------
    NoSuchSplit
        For another split.
    InputError
        If the file is missing or damaged, a column is not numeric, or pyarrow is not installed.
    """
    if split != "all":
        fix = Fix('Pass split="all".', "Add --split all.")
        raise NoSuchSplit(f"{path} has no splits.", got=split, expected="all", fix=fix)
    import_library("pyarrow", extra="parquet", needed_by="A .parquet file")
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", got=path, expected="a .parquet file") from None
    except (OSError, ValueError) as error:  # of pyarrow, too
        raise InputError(
            f"{path} cannot be read as a table ({str(error).splitlines()[0]}).", got=path, expected="a .parquet file"
        ) from None
    listed = ", ".join(map(str, table.columns))
    if labels is not None and labels not in table:
        message = f"{path} has no column {labels!r} for the labels. Its columns are {listed}."
        raise InputError(message, got=labels, expected=listed)
    y = None if labels is None else table.pop(labels)
    wrong = next((name for name in table if not pd.api.types.is_numeric_dtype(table[name])), None)
    if wrong is not None:
        raise InputError(
            f"{path}: column {wrong!r} holds {table[wrong].dtype}, not numbers.",
            got=str(table[wrong].dtype),
            expected="numbers",
            fix=Fix(f"Leave the column out, or pass labels={wrong!r}.", f'Leave it out, or add --labels "{wrong}".'),
        )
    x = table.to_numpy(np.float32, na_value=np.nan)
    if not len(x) or not x.shape[1] or not np.isfinite(x).all():
        raise InputError(f"{path} has missing or infinite values, or no numbers.", expected="finite numbers")
    values = None if y is None else y.array if hasattr(y, "cat") else y.to_numpy()
    return Dataset(x, values, name=Path(path).stem, feature_names=tuple(map(str, table.columns)))
