"""Collect warnings, so that they can be recorded with what raised them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def capture_warnings() -> Iterator[list[Warning]]:
    """Collect the warnings that are meant for a person, instead of showing them.

    A warning that a filter turns into an error (``python -W error``) is raised.

    Yields
    ------
    list of Warning
        One warning per text. The list is filled when the block ends. Warnings that are neither a UserWarning nor a
        RuntimeWarning are dropped.
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
            by_text: dict[str, Warning] = {}
            for message in (entry.message for entry in caught):
                by_text.setdefault(str(message), message)  # type: ignore[arg-type]  # always a Warning
            found += by_text.values()
