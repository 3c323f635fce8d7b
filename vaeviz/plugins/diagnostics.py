"""Collect warnings, so that they can be recorded with what raised them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def capture_warnings() -> Iterator[list[Warning]]:
    """Collect the warnings that are meant for a person, instead of showing them.

    Yields
    ------
    list of Warning
        One warning per text, filled when the block ends. Warnings that are neither a UserWarning nor a
        RuntimeWarning are dropped.
    """
    found: list[Warning] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        try:
            yield found
        finally:
            by_text: dict[str, Warning] = {}
            for entry in caught:
                if isinstance(entry.message, Warning):
                    by_text.setdefault(str(entry.message), entry.message)
            found += by_text.values()
