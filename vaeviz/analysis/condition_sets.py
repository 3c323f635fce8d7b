"""Conditions under which the codes of a conditional model are decoded.

The code of a sample is decoded under the sample's own condition, which its `Posterior` keeps. A code that belongs to
no sample is decoded under every condition: those of the data, or all that the decoder declares.
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
from vaeviz.plugins.short_repr import ShortRepr

MAX_CONDITIONS = 12  # rows or panels that fit a figure


@dataclass(frozen=True, eq=False, repr=False)
class ConditionSet(ShortRepr):
    """Conditions for codes that belong to no sample; empty for an unconditional decoder.

    Attributes
    ----------
    names : tuple of str
        Names, as written beside a row or above a panel.
    values : sequence
        Values that `decode` accepts.
    total : int
        Number of known conditions, of which some may be left out.
    """

    names: tuple[str, ...] = ()
    values: Sequence[Any] = ()
    total: int = 0

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        subset = f"{len(self)} of " if len(self) < self.total else ""
        return f"{subset}{self.total} condition{'s' * (self.total > 1)}"


def condition_set(decoder: Decoder, condition: Any = None) -> ConditionSet:
    """Choose the conditions for codes that belong to no sample.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    condition : array_like, shape (N, ...), optional
        Conditions of samples, whose different values are used. Without them, or if they are more than twelve, those
        that the decoder declares are used.

    Returns
    -------
    ConditionSet
        At most twelve conditions, evenly spaced among all; empty for an unconditional decoder.

    Raises
    ------
    NotApplicable
        If a conditional decoder declares no conditions and none are passed.
    """
    if not decoder.is_conditional:
        return ConditionSet()
    names: Sequence[str] = ()
    values: Sequence[Any] = ()
    if condition is not None:
        names, values = _different_conditions(condition, decoder)
    if decoder.conditions and not 0 < len(names) <= MAX_CONDITIONS:
        names = values = list(decoder.conditions)
    if not names:
        raise decoder.missing_condition_error()
    total = len(names)
    kept = np.linspace(0, total - 1, min(total, MAX_CONDITIONS)).round().astype(int)
    return ConditionSet(tuple(names[i] for i in kept), [values[i] for i in kept], total)


def decode_under_conditions(
    decoder: Decoder, codes: np.ndarray | Posterior, conditions: ConditionSet, *, reference: Any = None
) -> np.ndarray:
    """Decode the same codes under each condition.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    codes : ndarray or Posterior, shape (M, D)
        Codes.
    conditions : ConditionSet
        Conditions.
    reference : array_like, shape (N, ...), optional
        Samples that have the shape of the decoder's output.

    Returns
    -------
    ndarray, shape (C, M, *sample)
        Decoded samples; C is 1 for an unconditional decoder.
    """
    if not conditions:
        return decode(decoder, codes, reference=reference)[None]
    n_codes, n_conditions = len(codes), len(conditions)
    # A batch holds several conditions, so that a decoder that does not use them is noticed.
    rows = np.repeat(np.arange(n_codes), n_conditions)
    decoded = decode(decoder, codes[rows], np.concatenate([conditions.values] * n_codes), reference=reference)
    return decoded.reshape(n_codes, n_conditions, *decoded.shape[1:]).swapaxes(0, 1)


def cycle_conditions(conditions: ConditionSet, n_codes: int) -> np.ndarray | None:
    """Assign conditions to codes in turn.

    Parameters
    ----------
    conditions : ConditionSet
        Conditions.
    n_codes : int
        Number of codes.

    Returns
    -------
    ndarray, shape (n_codes, ...), or None
        Condition of each code; None for an unconditional decoder.
    """
    return np.stack([conditions.values[row % len(conditions)] for row in range(n_codes)]) if conditions else None


def same_condition(decoder: Decoder, posterior: Posterior) -> np.ndarray | None:
    """Group samples by their condition.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior
        Posteriors of N samples.

    Returns
    -------
    ndarray of int, shape (N,), or None
        Equal for samples that share a condition; None for an unconditional decoder.
    """
    if not decoder.is_conditional or posterior.condition is None:
        return None
    return _condition_codes(posterior.condition, decoder)


def _different_conditions(condition: Any, decoder: Decoder) -> tuple[list[str], Any]:
    """Return the names of different conditions, and what `decode` accepts for each: the name itself of a class."""
    rows = as_condition(condition)
    codes = _condition_codes(condition, decoder)
    first = rows[[int(np.flatnonzero(codes == code)[0]) for code in np.unique(codes[codes >= 0])]]
    names = condition_names(first, decoder.conditions)
    return names, names if decoder.conditions and are_classes(first, decoder.conditions) else first


def _condition_codes(condition: Any, decoder: Decoder) -> np.ndarray:
    """Return an integer for each row, equal where conditions are; negative for a missing class."""
    rows = as_condition(condition)
    if are_classes(rows, decoder.conditions):
        return factorize_labels(rows)[0]
    values = np.asarray(rows)
    ordered = values if values.ndim == 1 else -values  # one-hot vectors in the order of their places
    return np.unique(ordered, axis=0, return_inverse=True)[1].reshape(len(values))
