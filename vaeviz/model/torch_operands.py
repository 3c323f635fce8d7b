"""Find the torch tensors that a function uses, however it reaches them, e.g. weights that belong to no module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def record_operands() -> Iterator[list[Any]]:
    """List the tensors that torch functions receive, in the order in which they are used first.

    Yields
    ------
    list of torch.Tensor
        The list, which fills up as torch functions run. Results that other functions receive are among them.
    """
    seen: set[int] = set()  # by id, which stays that of the tensor while it is in the list
    used: list[Any] = []
    torch: Any = sys.modules.get("torch")
    if torch is None:
        yield used
        return
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves

    class Recorder(TorchFunctionMode):
        def __torch_function__(
            self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            for value in tree_leaves((args, kwargs)):
                if isinstance(value, torch.Tensor) and id(value) not in seen:
                    seen.add(id(value))
                    used.append(value)
            return function(*args, **(kwargs or {}))

    with Recorder():
        yield used
