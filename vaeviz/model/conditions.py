"""Conditions of conditional models: their names and values, and how they are declared and looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array, without_mask
from vaeviz.data.batches import check_finite
from vaeviz.data.labels import ClassLabels, factorize_labels, has_classes
from vaeviz.errors import Fix, GuessWarning, InputError, UnknownName, declare, printable_text, warn_user
from vaeviz.plugins.object_refs import is_number

KnownConditions = Mapping[str, np.ndarray]

MAX_LISTED_NAMES = 12  # longer lists are abbreviated in messages
MAX_CONDITIONS = 10_000  # each value is kept by its name, and a figure shows a few of them

# Words of which one makes a parameter a condition, unless the name is that of a setting.
CONDITION_NAME = re.compile(r"(^|_)(ys?|c|cond\w*|labels?|class(es)?|cls|categor(y|ies)|attr(s|ibutes?)?|onehot)(_|$)")
SETTING_NAME = re.compile(r"^(n|num|use|return|with|is)_|_(size|dim)$")


def declare_conditions(names: Iterable[str]) -> Fix:
    """Return the advice to declare the conditions of both parts of a model.

    Parameters
    ----------
    names : iterable of str
        The names, in the order of the numbers that the model receives.

    Returns
    -------
    Fix
        The advice.

    Examples
    --------
    >>> declare_conditions(("cat", "dog")).command_line
    'Add --conditions cat,dog.'
    """
    encoder, decoder = (declare(part, conditions=tuple(names)) for part in ("Encoder", "Decoder"))
    return Fix(f"{encoder.python[:-1]} and {decoder.python.removeprefix('Write ')}", encoder.command_line)


def names_condition(parameter: str) -> bool:
    """Return True if the name of a parameter says that it is a condition.

    Parameters
    ----------
    parameter : str
        The name.

    Returns
    -------
    bool
        True for names such as ``y``, ``labels``, ``cond`` and ``class_ids``.

    Examples
    --------
    >>> names_condition("class_labels"), names_condition("num_classes"), names_condition("temperature")
    (True, False, False)
    """
    name = parameter.lower()
    return CONDITION_NAME.search(name) is not None and SETTING_NAME.search(name) is None


def parse_conditions(declared: Any) -> KnownConditions | None:
    """Return the values that a condition may take, by name.

    Parameters
    ----------
    declared : array_like or mapping or None
        Names, which mean their positions (``("cat", "dog")``), numbers, which mean themselves (``range(10)``), or a
        mapping of names to numbers or vectors (``{"cat": [1, 0], "dog": [0, 1]}``).

    Returns
    -------
    mapping of str to ndarray, or None
        The value of each name. None if nothing is declared.

    Raises
    ------
    InputError
        For anything else, and for more than 10,000 values.

    Examples
    --------
    >>> parse_conditions(("cat", "dog"))
    {'cat': array(0), 'dog': array(1)}
    """
    if declared is None:
        return None
    if hasattr(declared, "__len__") and len(declared) > MAX_CONDITIONS:
        raise InputError(
            f"conditions has {len(declared):,} values, expected at most {MAX_CONDITIONS:,}.",
            got=f"{len(declared):,} values",
            expected=f"at most {MAX_CONDITIONS:,} values",
            fix="Leave conditions out, and pass as condition the numbers that the model receives.",
        )
    if not isinstance(declared, Mapping):
        values = np.asarray(declared)
        if values.ndim != 1 or not len(values) or values.dtype.kind not in "fiubOUS":
            raise InputError(
                f"conditions is {declared!r}, expected several values or a mapping of names.",
                got=repr(declared),
                expected="values, names, or a mapping",
                fix='Write conditions=range(10), or conditions={"cat": [1, 0], "dog": [0, 1]}.',
            )
        are_names = values.dtype.kind in "OUS"
        declared = {format_class_name(value): index if are_names else value for index, value in enumerate(values)}
    known = {(key := printable_text(name)): _condition_number(value, key) for name, value in declared.items()}
    if len({value.shape for value in known.values()}) != 1:
        raise InputError(
            "conditions mixes values of several shapes.", fix="Use numbers only, or vectors of one length only."
        )
    return known


def as_condition(condition: Any, n_samples: int | None = None) -> ClassLabels | np.ndarray:
    """Return a condition as rows, and keep them as they are: classes, names, numbers or vectors.

    Parameters
    ----------
    condition : array_like, shape (N, ...)
        One row per sample.
    n_samples : int, optional
        Number of rows to expect.

    Returns
    -------
    ClassLabels or ndarray, shape (N, ...)
        The rows.

    Raises
    ------
    InputError
        If it is one value, or has another number of rows.
    """
    values: Any = condition
    if isinstance(condition, np.ma.MaskedArray):
        condition = without_mask(condition, "condition")
    if not (hasattr(condition, "codes") and hasattr(condition, "categories")):
        values = condition.detach().cpu().numpy() if hasattr(condition, "detach") else np.asarray(condition)
        if values.ndim == 0:
            raise InputError(
                f"condition is {condition!r}, expected one row per sample.",
                got=repr(condition),
                expected="(N, ...)",
                fix=Fix(
                    f"Fix one condition for all samples with vaeviz.condition_on(model, {values.item()!r}).",
                    "Write --condition VALUE to fix one condition for all samples.",
                ),
            )
    if n_samples is not None and len(values) != n_samples:
        raise InputError(
            f"condition has {len(values)} rows but there are {n_samples} samples.",
            got=str(len(values)),
            expected=str(n_samples),
            fix="Pass one row per sample.",
        )
    rows: ClassLabels | np.ndarray = values
    return rows


def condition_values(condition: Any, known: KnownConditions | None) -> np.ndarray:
    """Return a condition as the numbers that a model receives.

    Parameters
    ----------
    condition : array_like, shape (N, ...)
        Classes and names, which are looked up in `known`, or numbers.
    known : mapping of str to ndarray, or None
        The values that the condition may take.

    Returns
    -------
    ndarray, shape (N, ...)
        The numbers.

    Raises
    ------
    InputError
        For names that are not known, missing values, or numbers where classes are expected.
    """
    rows = as_condition(condition)
    if not are_classes(rows, known):
        numbers = np.asarray(rows)
        if known and numbers.ndim == 1 and all(value.dtype.kind in "iu" for value in known.values()):
            raise InputError(
                f"condition holds numbers of type {numbers.dtype}, expected classes: {summarize_names(known)}.",
                got=str(numbers.dtype),
                expected=summarize_names(known),
            )
        numbers = as_array(numbers, "condition")
        check_finite(numbers, "condition")
        return _as_float_indicators(numbers) if numbers.ndim > 1 else numbers
    codes, names = factorize_labels(rows)
    if (codes < 0).any():
        raise InputError(
            f"condition is missing for {(codes < 0).sum()} of {len(codes)} samples.",
            got=f"{(codes < 0).sum()} missing values",
            expected="one value per sample",
            fix="Leave these samples out.",
        )
    if known is None:
        raise InputError(
            f"condition holds names such as {names[0]!r}, but the model does not declare its conditions.",
            got=repr(names[0]),
            expected="numbers, or declared names",
            fix=declare_conditions(names),
        )
    present, inverse = np.unique(codes, return_inverse=True)
    return np.stack([known[match_condition_name(names[code], known)] for code in present])[inverse]


def condition_value(value: Any, known: KnownConditions | None) -> np.ndarray:
    """Return one condition as a model receives it.

    Parameters
    ----------
    value : Any
        A class or its name, which is looked up in `known`, or a number or vector.
    known : mapping of str to ndarray, or None
        The values that the condition may take.

    Returns
    -------
    ndarray
        The number or vector.

    Raises
    ------
    InputError
        For a name that is not known.
    """
    array = np.asarray(value)
    is_class = array.ndim == 0 and (array.dtype.kind in "OUS" or (known is not None and array.dtype.kind in "iub"))
    if not is_class:
        return array
    if known is None:
        raise InputError(
            f"condition is the name {value!r}, but the model does not declare its conditions.",
            got=repr(value),
            expected="a number or vector, or a declared name",
            fix=declare_conditions((str(value), "another name")),
        )
    return known[match_condition_name(format_class_name(array[()]), known)]


def warn_of_unused_condition(
    part: str, condition: np.ndarray, returned: np.ndarray, run: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Warn if a part returns the same under other conditions, since it then takes no notice of them.

    Parameters
    ----------
    part : str
        What to call it, e.g. ``"encoder encode"``.
    condition : ndarray, shape (n, ...)
        The conditions of a batch. Nothing is tried if all are the same.
    returned : ndarray, shape (n, ...)
        What the part returned.
    run : callable
        Returns what the part returns under other conditions.
    """
    others = np.roll(condition, 1, axis=0)
    if np.array_equal(others, condition) or not np.array_equal(run(others), returned):
        return
    warn_user(
        GuessWarning(
            f"The {part} returned the same under other conditions, so it does not use its condition.",
            fix=Fix("Check what it does with it, or leave out condition.", "Check its code, or leave out --condition."),
        )
    )


def match_condition_name(text: str, known: KnownConditions) -> str:
    """Return the known name that a text means.

    Parameters
    ----------
    text : str
        The name itself or, where no name is a number, its value.
    known : mapping of str to ndarray
        The values that the condition may take.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if text in known:
        return text
    by_value: dict[str, str] = {}
    if not any(map(is_number, known)):
        by_value = {format_class_name(value[()]): name for name, value in known.items() if value.ndim == 0}
    if text not in by_value:
        raise UnknownName("condition", text, known)
    return by_value[text]


def condition_names(values: Any, known: KnownConditions | None) -> list[str]:
    """Return the name of each row of a condition.

    Parameters
    ----------
    values : array_like, shape (N, ...)
        The rows.
    known : mapping of str to ndarray, or None
        The values that the condition may take.

    Returns
    -------
    list of str
        One name per row, empty for a missing value.
    """
    rows = as_condition(values)
    if not are_classes(rows, known):
        return [name_of_value(value, known) for value in np.asarray(rows)]
    codes, names = factorize_labels(rows)
    present = {
        code: match_condition_name(names[code], known) if known else names[code]
        for code in np.unique(codes[codes >= 0])
    }
    return [present.get(code, "") for code in codes]


def name_of_value(value: np.ndarray, known: KnownConditions | None) -> str:
    """Return the name of one value of a condition.

    Parameters
    ----------
    value : ndarray
        A number or vector, as the model receives it.
    known : mapping of str to ndarray, or None
        The values that the condition may take.

    Returns
    -------
    str
        Its known name, else its numbers; a one-hot vector is named after its position.
    """
    for name, other in (known or {}).items():
        exact = np.result_type(other.dtype, np.float32)  # in which 0.1 equals 0.1 of float32, and 2.7 is not 2
        if np.array_equal(value.astype(exact), other.astype(exact)):
            return name
    if value.ndim == 0:
        return f"{value:.3g}" if value.dtype.kind == "f" else str(value)
    if np.count_nonzero(value) == 1 and value.max() == 1:
        return str(int(value.argmax()))
    first = ", ".join(f"{number:.3g}" for number in value.ravel()[:3])
    return f"({first}{', ...' if value.size > 3 else ''})"


def summarize_names(names: Iterable[str]) -> str:
    """Return all names, or the first few and the last, separated by commas.

    Parameters
    ----------
    names : iterable of str
        The names.

    Returns
    -------
    str
        The text.
    """
    names = list(names)
    return ", ".join(names if len(names) <= MAX_LISTED_NAMES else [*names[:3], "...", names[-1]])


def format_class_name(value: Any) -> str:
    """Return the name of a class that is given by its value.

    Parameters
    ----------
    value : Any
        The value, e.g. ``2.0``.

    Returns
    -------
    str
        Its name, e.g. ``"2"``, as labels have it.
    """
    return f"{value:g}" if isinstance(value, (float, np.floating)) else printable_text(value)


def are_classes(values: ClassLabels | np.ndarray, known: KnownConditions | None) -> bool:
    """Return True if rows are classes to look up, and False if they are numbers for the model.

    Parameters
    ----------
    values : ClassLabels or ndarray, shape (N, ...)
        The rows.
    known : mapping of str to ndarray, or None
        The values that the condition may take.

    Returns
    -------
    bool
        True for class labels, for names, and for integers if `known` is given, also if floats hold them.
    """
    if not isinstance(values, np.ndarray):
        return True
    are_numbers = known is not None and values.ndim == 1 and values.dtype.kind in "iubf"
    return values.dtype.kind in "OUS" or (are_numbers and (values.dtype.kind != "f" or has_classes(values)))


def _condition_number(value: Any, name: str) -> np.ndarray:
    try:
        array = as_array(value)
    except InputError as error:
        raise InputError(f"conditions has no number for {name!r}: {error.message}", got=error.got) from None
    array = _as_float_indicators(array) if array.ndim else array
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)


def _as_float_indicators(array: np.ndarray) -> np.ndarray:
    """Return vectors of 0 and 1, such as one-hot vectors, as float32: a layer multiplies them by its weights."""
    return array.astype(np.float32) if array.dtype.kind in "iub" and np.isin(array, (0, 1)).all() else array
