"""Checks of plot options that several plots share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vaeviz.errors import Fix, InputError


def check_minimum(name: str, value: int, minimum: int) -> None:
    """Raise `InputError` if an option is below its minimum."""
    if value < minimum:
        raise InputError(
            f"{name} is {value}, but must be at least {minimum}.",
            got=str(value),
            expected=f"{minimum} or more",
            fix=option_fix(name, minimum),
        )


def check_positive(name: str, value: float) -> None:
    """Raise `InputError` unless an option is greater than 0."""
    if not value > 0:
        raise InputError(
            f"{name} is {value:g}, but must be greater than 0.",
            got=f"{value:g}",
            expected="a number greater than 0",
            fix=option_fix(name, 1.0),
        )


def check_rows(name: str, rows: Sequence[int], total: int, *, example: int | tuple[int, ...]) -> None:
    """Raise `InputError` unless an option holds rows of `total` samples, at least one."""
    wrong = [row for row in rows if not 0 <= row < total]
    if wrong or not len(rows):
        got = f"row {wrong[0]}" if wrong else "no rows"
        raise InputError(
            f"{name} holds {got}, but x has rows 0 to {total - 1}.",
            got=got,
            expected=f"rows from 0 to {total - 1}",
            fix=option_fix(name, example),
        )


def option_fix(name: str, value: Any) -> Fix:
    """Return the advice to set an option, for a script and for a command line."""
    literal = f'"{value}"' if isinstance(value, str) else repr(value)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return Fix(f"Pass {name}={literal}.", f"Add --{name.replace('_', '-')} {text}.")
