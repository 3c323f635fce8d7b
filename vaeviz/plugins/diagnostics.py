"""Collect warnings, so that they can be recorded with what raised them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from vaeviz.errors import GuessWarning, list_words

NUMBER = r"[-−]?\bz?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?"  # or a latent dimension, such as z3
VALUE = re.compile(rf"\[{NUMBER}(?:, {NUMBER})*\]|\({NUMBER}(?:, {NUMBER})*,?\)|{NUMBER}")  # or a range or shape
MAX_VALUES = 6  # that a merged message lists; more would hide its words


@contextmanager
def capture_warnings() -> Iterator[list[Warning]]:
    """Collect the warnings that are meant for a person, instead of showing them.

    A warning that a filter turns into an error (``python -W error``) is raised.

    Yields
    ------
    list of Warning
        The warnings, merged by `merge_warnings`. The list is filled when the block ends. Warnings that are neither a
        UserWarning nor a RuntimeWarning are dropped.
    """
    found: list[Warning] = []
    with warnings.catch_warnings(record=True) as caught:
        raised = [entry for entry in warnings.filters if entry[0] == "error"]
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        warnings.filters[:0] = raised  # type: ignore[index]  # typeshed declares a Sequence, it is a list
        try:
            yield found
        finally:
            found += merge_warnings(entry.message for entry in caught if isinstance(entry.message, Warning))


def merge_warnings(found: Iterable[Warning]) -> list[Warning]:
    """Merge warnings of one text, and guesses with the same advice whose messages differ only in their numbers.

    Parameters
    ----------
    found : iterable of Warning
        The warnings.

    Returns
    -------
    list of Warning
        Each warning once, in order. A merged message lists the numbers of all.

    Examples
    --------
    >>> found = [GuessWarning(f"It returned {n} values.", fix="Declare its shape.") for n in (784, 64)]
    >>> print(*merge_warnings(found))
    It returned 784 and 64 values. Declare its shape.
    """
    groups: dict[tuple[object, ...], dict[str, Warning]] = {}
    for warning in found:
        key: tuple[object, ...] = type(warning), str(warning)
        if isinstance(warning, GuessWarning):
            key = warning.fix, *VALUE.split(warning.message)
        groups.setdefault(key, {}).setdefault(str(warning), warning)
    return [_merge_numbers(list(group.values())) for group in groups.values()]


def _merge_numbers(group: list[Warning]) -> Warning:
    """Return one warning for guesses with the same advice whose messages differ only in their numbers."""
    first = group[0]
    if len(group) == 1 or not isinstance(first, GuessWarning):
        return first
    messages = [warning.message for warning in group if isinstance(warning, GuessWarning)]
    values = map(_list_values, zip(*map(VALUE.findall, messages)))
    texts = VALUE.split(first.message)
    return GuessWarning("".join(text + value for text, value in zip(texts, [*values, ""])), fix=first.fix)


def _list_values(values: Iterable[str]) -> str:
    """List different values in order: ``3, 5 and 8``."""
    listed = list(dict.fromkeys(values))
    if len(listed) > MAX_VALUES:
        listed[MAX_VALUES - 1 :] = [f"{len(listed) - MAX_VALUES + 1} more"]
    return list_words(listed)
