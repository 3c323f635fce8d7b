"""Warnings that are kept and told, instead of printed where they arise."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """The texts of warnings that are meant for a person, each once; filled as the block ends."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        try:
            yield texts
        finally:
            texts += dict.fromkeys(str(warning.message) for warning in caught)
