"""The benchmark case: one task, done by us and by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """One task, done by us and by peers.

    Parameters
    ----------
    name : str
        Name in the results.
    ours : mapping
        Our variants by name: callables without arguments that return their result.
    peers : mapping
        Alternatives by name, each with its best reasonable settings.
    goal : mapping, optional
        By variant, the ratio of our time to that of the fastest peer that we want to reach.
    check : callable, optional
        Function of the results by name that returns one line on how well they agree.
    rounds : int, default 5
        Number of rounds.
    note : str, optional
        What a reader must know, such as what limits the result.
    """

    name: str
    ours: Mapping[str, Work]
    peers: Mapping[str, Work]
    goal: Mapping[str, float] = field(default_factory=dict)
    check: Callable[[Mapping[str, Any]], str] | None = None
    rounds: int = 5
    note: str = ""
