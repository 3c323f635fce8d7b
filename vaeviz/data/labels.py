"""Labels: ordered classes, or numbers or dates along a scale."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from vaeviz.data.arrays import as_array, fill_masked
from vaeviz.data.dask_blocks import is_dask_array
from vaeviz.data.huggingface import class_labels, is_huggingface_dataset
from vaeviz.data.out_of_core import Batches, as_samples, is_dataset
from vaeviz.data.row_index import check_row_index
from vaeviz.errors import Fix, InputError, printable_text

ONE_LABEL_EACH = Fix("Pass one label per sample, or None.")
SCALE_KINDS = "fM"  # NumPy's codes of what lies on a scale: floating-point numbers and dates
MAX_LABEL_RANGE = 1 << 16  # of integers that are encoded by a table, which is quicker than sorting them
LABEL_BLOCK = 1 << 16  # labels that are counted at once
MAX_FLOAT_CLASSES = 20  # different whole numbers in floating point; more are a scale, such as years of age


@dataclass(frozen=True, eq=False)
class ClassLabels:
    """Labels that index an ordered list of class names.

    Parameters
    ----------
    codes : np.ndarray, shape (N,)
        The index of each label in `categories`, negative for a missing label.
    categories : tuple of str
        The class names, in order.
    colors : tuple of str, optional
        A color for each category; by default, plots choose them.

    Examples
    --------
    >>> np.asarray(ClassLabels(np.array([1, 0, -1]), ("cat", "dog"))).tolist()
    ['dog', 'cat', '']
    """

    codes: np.ndarray
    categories: tuple[str, ...]
    colors: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Any:
        return np.asarray(self)[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the class name of each label, empty for a missing one."""
        return np.asarray([*self.categories, ""])[np.where(self.codes < 0, -1, self.codes)]


def stored_colors(cells: Any, labels: Any) -> Any:
    """Return the labels of an AnnData with the colors that scanpy stores for them.

    Parameters
    ----------
    cells : AnnData
        The cells, which may hold a list of colors ``uns["<column>_colors"]``.
    labels : Series
        A column of `obs`.

    Returns
    -------
    ClassLabels or Series
        `ClassLabels` with a color for each category; `labels` itself where no colors fit.
    """
    colors: Any = getattr(cells, "uns", {}).get(f"{getattr(labels, 'name', None)}_colors")
    classes = _as_categorical(labels)
    if colors is None or classes is None or len(classes.categories) != len(colors):
        return labels
    return replace(classes, colors=tuple(map(str, colors)))


def check_labels(labels: Any, total: int) -> np.ndarray | ClassLabels:
    """Check that there is one label per sample, and convert labels to classes, numbers or dates.

    Parameters
    ----------
    labels : array_like, shape (N,), (N, 1) or (N, K)
        Integers, booleans, texts (also as bytes) and categories are classes, floats and dates lie on a scale. Floats
        that are few whole numbers are classes as well, see `has_classes`. None, NaN, pandas.NA, NaT and empty texts are
        missing. K columns are classes if each row is one-hot.
    total : int
        Number of samples.

    Returns
    -------
    np.ndarray or ClassLabels, shape (N,)
        The labels. Categories keep their order.

    Raises
    ------
    InputError
        If the labels have another length or shape, or are neither classes, numbers nor dates.

    Notes
    -----
    An array of Python objects, as pandas has it for nullable columns, has the type of those that are not missing.
    """
    values: Any = _as_categorical(labels)
    if values is None:
        values = _as_label_array(labels)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim == 2 and len(values) == total and _is_one_hot(values):
            return ClassLabels(
                values.argmax(axis=1), tuple(map(str, getattr(labels, "columns", range(values.shape[1]))))
            )
        if values.ndim != 1:
            raise _shape_error(values, total)
        values = _with_plain_type(values)
    if len(values) != total:
        raise InputError(
            f"labels has {len(values)} entries but x has {total} samples.",
            got=str(len(values)),
            expected=str(total),
            fix=ONE_LABEL_EACH,
        )
    checked: np.ndarray | ClassLabels = values
    return checked


def name_classes(
    values: np.ndarray | ClassLabels, class_names: Sequence[str] | Mapping[Any, str]
) -> np.ndarray | ClassLabels:
    """Name the classes of labels, or put them in order.

    Parameters
    ----------
    values : np.ndarray or ClassLabels, shape (N,)
        Labels as `check_labels` returns them.
    class_names : sequence of str, or mapping
        Names of the integers 0, 1, ...; or, for labels that are names already, all of these in the order they should
        have. Other labels need one name for each of their classes, in the order of `factorize_labels`. A mapping holds
        new names by label; other labels keep theirs.

    Returns
    -------
    ClassLabels
        The labels, with the names as their categories.

    Raises
    ------
    InputError
        If the names do not fit the labels.

    Examples
    --------
    >>> name_classes(np.array([0, 2, 0]), ("cat", "dog", "cow")).categories
    ('cat', 'dog', 'cow')
    >>> name_classes(np.array(["low", "high"]), ("low", "high")).codes.tolist()
    [0, 1]
    """
    codes, names = factorize_labels(values)
    if isinstance(class_names, (Mapping, tuple, list)) and not class_names:
        return ClassLabels(codes, tuple(names))
    if isinstance(class_names, Mapping):
        renamed = {printable_text(label): printable_text(name) for label, name in class_names.items()}
        unknown = [label for label in renamed if label not in names]
        if unknown:
            raise _class_names_error(f"names {unknown[0]!r}, which is not a label", names)
        return ClassLabels(codes, tuple(renamed.get(name, name) for name in names))
    if isinstance(class_names, (str, bytes)) or not np.iterable(class_names):
        raise _class_names_error(f"is of type {type(class_names).__name__}", names)
    wanted = tuple(map(printable_text, class_names))
    if set(names) <= set(wanted):
        places = list(map(wanted.index, names))
    elif all(name.isdecimal() and int(name) < len(wanted) for name in names):
        places = list(map(int, names))
    elif len(wanted) == len(names):
        places = list(range(len(names)))
    else:
        raise _class_names_error(f"holds {len(wanted)} names, but the labels have {len(names)} classes", names)
    return ClassLabels(np.array([*places, -1])[codes], wanted)


def has_classes(values: np.ndarray | ClassLabels) -> bool:
    """Return True if labels are classes, False if they are numbers on a scale or dates.

    Parameters
    ----------
    values : np.ndarray or ClassLabels, shape (N,)
        Labels as `check_labels` returns them.

    Returns
    -------
    bool
        True for integers, strings and categories, and for floats with at most 20 different values, all of them whole
        numbers, and two labels or more for each on average: integers with gaps are often stored so.

    Examples
    --------
    >>> has_classes(np.array([0.0, 1.0, np.nan, 0.0, 1.0])), has_classes(np.array([0.0, 0.5, 0.0, 0.5]))
    (True, False)
    """
    if _is_categorical(values):
        return True
    array = np.asarray(values)
    return _are_float_classes(array) if array.dtype.kind == "f" else array.dtype.kind not in SCALE_KINDS


def _are_float_classes(values: np.ndarray) -> bool:
    """Return True if floating-point labels are few whole numbers."""
    present = values[np.isfinite(values)]
    if not len(present) or (present != np.round(present)).any():
        return False
    return len(np.unique(present)) <= min(MAX_FLOAT_CLASSES, len(present) // 2)


def factorize_labels(values: np.ndarray | ClassLabels) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode labels as indices into their classes, in natural order.

    Parameters
    ----------
    values : np.ndarray or ClassLabels, shape (N,)
        Labels as `check_labels` returns them.

    Returns
    -------
    codes : np.ndarray, shape (N,)
        The index of each label's class, -1 for a missing label.
    names : tuple of str
        The class names: categories in their order, numbers by value, texts so that "part 2" precedes "part 10".

    Examples
    --------
    >>> codes, names = factorize_labels(np.array(["b", "a", "", "b"]))
    >>> codes.tolist(), names
    ([1, 0, -1, 1], ('a', 'b'))
    >>> factorize_labels(np.array(["part 10", "part 2"]))[1]
    ('part 2', 'part 10')
    """
    if _is_categorical(values):
        return np.asarray(values.codes), tuple(map(printable_text, values.categories))
    array = _with_plain_type(np.asarray(values))
    if _are_in_small_range(array):
        return _factorize_integers(array)
    missing = _missing_mask(array)
    present = array[~missing]
    if present.dtype == object:
        present = np.array(present.tolist())
    classes, inverse = np.unique(present, return_inverse=True)
    if classes.dtype.kind == "U":
        order = _natural_order(classes)
        classes, inverse = classes[order], np.argsort(order)[inverse]
    codes = np.full(len(array), -1, dtype=np.int32)
    codes[~missing] = inverse
    names = (f"{value:g}" if isinstance(value, np.floating) else printable_text(value) for value in classes)
    return codes, tuple(names)


def _are_in_small_range(values: np.ndarray) -> bool:
    if values.dtype.kind not in "iu" or not values.size:
        return False
    low, high, bounds = int(values.min()), int(values.max()), np.iinfo(np.int32)
    return bounds.min <= low and high <= bounds.max and high - low < MAX_LABEL_RANGE


def _factorize_integers(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode integers of a small range by a table, without sorting them."""
    low, high = int(values.min()), int(values.max())
    codes = values.astype(np.int32)
    codes -= np.int32(low)
    is_class = class_counts(codes, high - low + 1) > 0
    if not is_class.all():
        codes = (np.cumsum(is_class, dtype=np.int32) - 1)[codes]
    return codes, tuple(str(low + offset) for offset in np.flatnonzero(is_class))


def class_counts(codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Count the samples of each class, in blocks that stay in the cache of a processor.

    Parameters
    ----------
    codes : ndarray of int, shape (N,)
        The index of each label's class; negative for a missing label, which is not counted.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of int, shape (n_classes,)
        The counts.

    Examples
    --------
    >>> class_counts(np.array([2, 0, -1, 2]), 3)
    array([1, 0, 2])
    """
    counts = np.zeros(n_classes, np.int64)
    for start in range(0, len(codes), LABEL_BLOCK):
        block = codes[start : start + LABEL_BLOCK]
        counts += np.bincount(block[block >= 0] if block.min() < 0 else block, minlength=n_classes)
    return counts


def labels_for(x: Any, labels: Any) -> Any:
    """Return labels, or those that come with the samples if there are none.

    Parameters
    ----------
    x : array_like
        Samples, as a person passes them.
    labels : array_like or None
        Their labels.

    Returns
    -------
    array_like or None
        `labels`, or those of a `Dataset`, of the ClassLabel column of a `datasets.Dataset`, or of a loader, which are
        read in a pass over its batches.

    Raises
    ------
    InputError
        If both are frames of pandas with rows in different orders.
    """
    if labels is not None or x is None:
        check_row_index(labels, "labels", x)
        return stored_colors(x, labels)
    if is_dataset(x):
        return x.named_labels()
    if is_huggingface_dataset(x):
        found = class_labels(x)
        return None if found is None else ClassLabels(*found)
    is_array = hasattr(x, "shape") or isinstance(x, (Sequence, Mapping))
    if isinstance(x, Batches) or not is_array:
        samples = as_samples(x, "x")
        return samples.labels if isinstance(samples, Batches) else None
    return None


def label_name(labels: Any) -> str:
    """Return the name that labels have as a column of a table.

    Parameters
    ----------
    labels : array_like
        Labels, as a person passes them.

    Returns
    -------
    str
        The name of a Series, of the only column of a data frame, or of an array that has one, without the path in its
        file. Empty for others.

    Examples
    --------
    >>> import pandas as pd
    >>> label_name(pd.Series([0.1, 0.5], name="age")), label_name([0.1, 0.5])
    ('age', '')
    """
    columns = list(getattr(labels, "columns", ()))
    name = columns[0] if len(columns) == 1 else getattr(labels, "name", None)
    if not isinstance(name, str) or is_dask_array(labels):  # whose name is a checksum
        return ""
    return printable_text(name.rpartition("/")[2] if name.startswith("/") else name)  # the path in a file of HDF5


def all_missing_error() -> InputError:
    """Return the error for labels that are all missing.

    Returns
    -------
    InputError
        The error.
    """
    return InputError(
        "All labels are missing.",
        got="no label",
        expected="at least one label",
        fix="Pass at least one label, or no labels.",
    )


def _as_categorical(labels: Any) -> ClassLabels | None:
    """Return the categories of pandas in their order, None for other labels."""
    if isinstance(labels, ClassLabels):
        return labels
    if hasattr(labels, "columns") and len(labels.columns) == 1:
        labels = labels[labels.columns[0]]
    labels = getattr(labels, "cat", labels)  # of a Series of categories
    if not _is_categorical(labels):
        return None
    return ClassLabels(np.asarray(labels.codes), tuple(map(str, labels.categories)))


def _is_categorical(labels: Any) -> TypeGuard[ClassLabels]:
    return hasattr(labels, "codes") and hasattr(labels, "categories")


def _as_label_array(labels: Any) -> np.ndarray:
    if hasattr(labels, "detach"):
        return as_array(labels, "labels")
    is_column = hasattr(labels, "to_list") or hasattr(getattr(labels, "dtype", None), "na_value")
    if is_column and not isinstance(labels.dtype, np.dtype):  # pandas and polars make floats of integers with gaps
        values = np.empty(len(labels), dtype=object)
        values[:] = list(labels)
        return values
    return fill_masked(labels) if isinstance(labels, np.ma.MaskedArray) else np.asarray(labels)


def _is_one_hot(values: np.ndarray) -> bool:
    is_binary = values.dtype.kind in "biuf" and bool(np.isin(values, (0, 1)).all())
    return is_binary and bool((values.sum(axis=1) == 1).all())


def _with_plain_type(values: np.ndarray) -> np.ndarray:
    """Give bytes the type of texts, and objects that of the labels that are not missing, if NumPy has one for both."""
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind not in "OT":
        if values.dtype.kind not in "biufUM":
            raise _kind_error(str(values.dtype))
        return values
    missing = np.array([_is_missing(label) for label in values], dtype=bool)
    present = [label.decode("utf-8", "replace") if isinstance(label, bytes) else label for label in values[~missing]]
    plain = np.full(len(values), None, dtype=object)
    if all(isinstance(label, (date, np.datetime64)) for label in present):
        import pandas as pd

        return np.asarray(pd.to_datetime(pd.Series(values), utc=True).dt.tz_localize(None)) if present else plain
    if all(isinstance(label, Real) for label in present):
        is_integer = all(isinstance(label, Integral) for label in present)
        if not is_integer or not missing.any():
            return np.array([np.nan if _is_missing(label) else label for label in values])
    elif wrong := next(
        (label for label in present if isinstance(label, (Collection, Mapping)) and not isinstance(label, str)), None
    ):
        raise _kind_error(type(wrong).__name__)
    else:
        present = list(map(str, present))
    plain[~missing] = present
    return plain


def _missing_mask(values: np.ndarray) -> np.ndarray:
    """Return which labels are missing, shape (N,)."""
    if values.dtype.kind in "fM":
        return np.asarray(np.isnan(values))
    if values.dtype.kind == "O":
        return np.array([_is_missing(label) for label in values], dtype=bool)
    return np.asarray(values == "") if values.dtype.kind == "U" else np.zeros(len(values), dtype=bool)


def _is_missing(label: Any) -> bool:
    try:
        return label is None or label in ("", b"") or bool(label != label)
    except TypeError:  # pandas.NA
        return True
    except ValueError:  # an array, which is not a label
        return False


def _natural_order(names: np.ndarray) -> list[int]:
    """Return the order of texts: by value if all are numbers, else by their letters and by the numbers in them."""
    try:
        return list(map(int, np.argsort(names.astype(float), kind="stable")))
    except ValueError:
        keys = [re.split(r"(\d+)", name) for name in names]  # texts and digits alternate
        for parts in keys:
            parts[1::2] = [(len(digits), digits) for digits in (part.lstrip("0") for part in parts[1::2])]
        return sorted(range(len(names)), key=keys.__getitem__)


def _shape_error(values: np.ndarray, total: int) -> InputError:
    fix = ONE_LABEL_EACH
    if values.ndim == 2 and len(values) == total:
        fix = Fix("Pass labels.argmax(axis=1) for one score per class, or one of the columns.")
    return InputError(
        f"labels has shape {values.shape}, expected ({total},).", got=str(values.shape), expected=f"({total},)", fix=fix
    )


def _kind_error(kind: str) -> InputError:
    return InputError(
        f"labels holds {kind}, which is neither a class, a number nor a date.",
        got=kind,
        expected="integers, texts, floats or dates",
        fix=ONE_LABEL_EACH,
    )


def _class_names_error(problem: str, names: Sequence[str]) -> InputError:
    listed = ", ".join(map(repr, names))
    return InputError(
        f"class_names {problem}. The labels are {listed}.",
        got=problem,
        expected=f"a name for each of {listed}",
        fix="Pass one name per class, in order, or a dictionary of names by label.",
    )
