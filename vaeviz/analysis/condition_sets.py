"""Under which conditions the codes of a conditional model are decoded.

A code that comes from a sample is decoded under the sample's own condition, which its `Posterior` keeps. A code that
comes from none is decoded under every condition in turn: those of the data, or all that the decoder knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.labels import categories
from vaeviz.model.conditions import are_classes, as_condition, lacks_condition, named
from vaeviz.model.decode import decode
from vaeviz.model.opening import Decoder
from vaeviz.model.posterior import Posterior

MOST = 12


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions under which invented codes are decoded; none for a plain decoder.

    names: as they are written beside a row or over a panel. values: what `decode` is given. total: how many there are.
    """

    names: tuple[str, ...] = ()
    values: Sequence[Any] = ()
    total: int = 0

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        some = f"{len(self)} of " if len(self) < self.total else ""
        return f"{some}{self.total} condition{'s' * (self.total > 1)}"


def conditions_of(decoder: Decoder, condition: Any = None) -> Conditions:
    """The conditions for codes that come from no sample.

    condition: (N, ...), whose different values are taken; without it, or where they are more than twelve, all that the
    decoder knows. Of more than twelve, twelve are chosen evenly. Raises `NotApplicable` for a conditional decoder
    of which neither is known.
    """
    if not decoder.is_conditional:
        return Conditions()
    names, values = ([], []) if condition is None else _different(condition, decoder)
    if decoder.conditions and not 0 < len(names) <= MOST:
        names = values = list(decoder.conditions)
    if not names:
        raise lacks_condition(decoder, "decoder")
    total = len(names)
    kept = np.linspace(0, total - 1, min(total, MOST)).round().astype(int)
    return Conditions(tuple(names[i] for i in kept), [values[i] for i in kept], total)


def decode_under(
    decoder: Decoder, codes: np.ndarray | Posterior, conditions: Conditions, *, like: Any = None
) -> np.ndarray:
    """The same codes (M, D) decoded under each of the conditions, (C, M, *sample); C is 1 for a plain decoder."""
    if not conditions:
        return decode(decoder, codes, like=like)[None]
    each = (np.stack([value] * len(codes)) for value in conditions.values)
    return np.stack([decode(decoder, codes, rows, like=like) for rows in each])


def in_turn(conditions: Conditions, count: int) -> np.ndarray | None:
    """The conditions dealt in turn to `count` codes, (count, ...); None for a plain decoder."""
    return np.stack([conditions.values[row % len(conditions)] for row in range(count)]) if conditions else None


def same_condition(decoder: Decoder, posterior: Posterior) -> np.ndarray | None:
    """Which samples share a condition, as numbers (N,); None for a plain decoder."""
    if not decoder.is_conditional or posterior.condition is None:
        return None
    rows = as_condition(posterior.condition)
    return categories(rows)[0] if are_classes(rows, decoder.conditions) else _groups(rows)


def _different(condition: Any, decoder: Decoder) -> tuple[list[str], Sequence[Any]]:
    """The names of different conditions, and what `decode` is given for each: the name itself where it is a class."""
    rows = as_condition(condition)
    codes, _ = categories(rows) if are_classes(rows, decoder.conditions) else (_groups(rows), ())
    some = rows[[int(np.flatnonzero(codes == code)[0]) for code in np.unique(codes[codes >= 0])]]
    names = named(some, decoder.conditions)
    return names, names if decoder.conditions and are_classes(some, decoder.conditions) else some


def _groups(rows: np.ndarray) -> np.ndarray:
    """Which rows are the same, as numbers (N,): in the order of their values, one-hot vectors in that of places."""
    return np.unique(rows if rows.ndim == 1 else -rows, axis=0, return_inverse=True)[1].reshape(len(rows))
