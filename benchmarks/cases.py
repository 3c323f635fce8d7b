"""What is measured: one piece of work, done by us and by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """One piece of work, done by us and by its peers: callables without arguments that return what they made.

    ours: variant to work. peers: peer to work, each at its own best reasonable settings.
    goal: variant to the ratio (our time / that of the fastest peer) to reach; variants without one are reported only.
    check: what was made, by variant and peer, to one line that says how they agree.
    note: what limits it, where it falls short; what a reader must know.
    """

    name: str
    ours: Mapping[str, Work]
    peers: Mapping[str, Work]
    goal: Mapping[str, float] = field(default_factory=dict)
    check: Callable[[Mapping[str, Any]], str] | None = None
    rounds: int = 5
    note: str = ""
