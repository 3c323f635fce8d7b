"""Under which conditions the codes of a conditional model are decoded.

A code that comes from a sample is decoded under the sample's own condition, which its `Posterior` keeps. A code that
comes from none is decoded under every condition in turn: those of the data, or all that the decoder knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.labels import factorize_labels
from vaeviz.model.conditions import are_classes, as_condition, condition_names
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.posterior import Posterior

MAX_CONDITIONS = 12


@dataclass(frozen=True, eq=False)
class ConditionSet:
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


def condition_set(decoder: Decoder, condition: Any = None) -> ConditionSet:
    """The conditions for codes that come from no sample.

    condition: (N, ...), whose different values are taken; without it, or where they are more than twelve, all that the
    decoder knows. Of more than twelve, twelve are chosen evenly. Raises `NotApplicable` for a conditional decoder
    of which neither is known.
    """
    if not decoder.is_conditional:
        return ConditionSet()
    names, values = ([], []) if condition is None else _different(condition, decoder)
    if decoder.conditions and not 0 < len(names) <= MAX_CONDITIONS:
        names = values = list(decoder.conditions)
    if not names:
        raise decoder.missing_condition_error()
    total = len(names)
    kept = np.linspace(0, total - 1, min(total, MAX_CONDITIONS)).round().astype(int)
    return ConditionSet(tuple(names[i] for i in kept), [values[i] for i in kept], total)


def decode_under_conditions(
    decoder: Decoder, codes: np.ndarray | Posterior, conditions: ConditionSet, *, like: Any = None
) -> np.ndarray:
    """The same codes (M, D) decoded under each of the conditions, (C, M, *sample); C is 1 for a plain decoder."""
    if not conditions:
        return decode(decoder, codes, reference=like)[None]
    each = (np.stack([value] * len(codes)) for value in conditions.values)
    return np.stack([decode(decoder, codes, rows, reference=like) for rows in each])


def cycle_conditions(conditions: ConditionSet, count: int) -> np.ndarray | None:
    """The conditions dealt in turn to `count` codes, (count, ...); None for a plain decoder."""
    return np.stack([conditions.values[row % len(conditions)] for row in range(count)]) if conditions else None


def same_condition(decoder: Decoder, posterior: Posterior) -> np.ndarray | None:
    """Which samples share a condition, as numbers (N,); None for a plain decoder."""
    if not decoder.is_conditional or posterior.condition is None:
        return None
    rows = as_condition(posterior.condition)
    return factorize_labels(rows)[0] if are_classes(rows, decoder.conditions) else _groups(rows)


def _different(condition: Any, decoder: Decoder) -> tuple[list[str], Sequence[Any]]:
    """The names of different conditions, and what `decode` is given for each: the name itself where it is a class."""
    rows = as_condition(condition)
    codes, _ = factorize_labels(rows) if are_classes(rows, decoder.conditions) else (_groups(rows), ())
    some = rows[[int(np.flatnonzero(codes == code)[0]) for code in np.unique(codes[codes >= 0])]]
    names = condition_names(some, decoder.conditions)
    return names, names if decoder.conditions and are_classes(some, decoder.conditions) else some


def _groups(rows: np.ndarray) -> np.ndarray:
    """Which rows are the same, as numbers (N,): in the order of their values, one-hot vectors in that of places."""
    return np.unique(rows if rows.ndim == 1 else -rows, axis=0, return_inverse=True)[1].reshape(len(rows))
