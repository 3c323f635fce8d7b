"""Compare the row indexes of data frames, so that no row is combined with another sample's."""

from __future__ import annotations

from typing import Any

from vaeviz.errors import InputError


def check_row_index(values: Any, name: str, x: Any) -> None:
    """Check that the rows of a frame or series of pandas are in the order of the samples.

    Parameters
    ----------
    values : Any
        Labels, factors or conditions, one row per sample. Without an index they are taken in their order.
    name : str
        What error messages call them.
    x : Any
        The samples: a frame of pandas, an AnnData, or anything without an index.

    Raises
    ------
    InputError
        If both have an index with names of rows, and the names differ or are in another order.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame({"a": [1.0, 2.0]}, index=["first", "second"])
    >>> check_row_index(pd.Series([0, 1], index=["first", "second"]), "labels", x)
    """
    own, other = _row_index(values), _row_index(x)
    if own is None or other is None or len(own) != len(other) or own.equals(other):
        return
    has_same_rows = own.is_unique and other.is_unique and not len(own.difference(other))
    if not has_same_rows and (_is_default_index(own) or _is_default_index(other)):
        return  # a default index names no rows
    by_position = f"Pass {name}.to_numpy() if they are in the order of x."
    raise InputError(
        f"{name} has the rows of x in another order." if has_same_rows else f"The rows of {name} are not those of x.",
        got=f"an index that starts with {own[0]!r}",
        expected=f"an index that starts with {other[0]!r}",
        fix=f"Pass {name}.loc[x.index] to order them by index. {by_position}" if has_same_rows else by_position,
    )


def _row_index(values: Any) -> Any:
    """Return the index of a frame or series of pandas, or of the cells of an AnnData; None for anything else."""
    if hasattr(values, "obs_names"):
        return values.obs_names
    index = getattr(values, "index", None)
    return index if hasattr(index, "equals") and hasattr(index, "is_unique") else None


def _is_default_index(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
