"""The errors that a person is meant to read: what was got, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable


class InputError(ValueError):
    """Something that was given cannot be used. The message says what was got and what would do."""


class UnknownName(InputError):
    """A name that is not registered. The message lists the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        import difflib

        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(known) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class NoSuchSplit(InputError):
    """A data set does not have the split that was asked for."""


class NotApplicable(Exception):
    """A plot or number would mean nothing for what was given. The message says why.

    The exporter reports such a plot as *skipped*, with this reason.
    """


class GuessWarning(UserWarning):
    """Something was inferred that cannot be known for certain. The message says how to declare it."""
