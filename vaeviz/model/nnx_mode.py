"""Flax NNX modules that a callable loads. They run in eval mode, and are left as they were.

Calling such a module changes its batch statistics and its counts of random numbers. Flax is looked up in
``sys.modules``: a callable that needs it has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vaeviz.model.torch_probe import loaded_objects

MODE_ATTRIBUTES = ("deterministic", "use_running_average")  # that `Module.eval` sets


@contextmanager
def nnx_eval_mode(function: Callable[..., Any]) -> Iterator[None]:
    """Put the NNX modules that a callable loads into eval mode, and restore their modes and variables afterwards.

    Parameters
    ----------
    function : callable
        The callable.

    Yields
    ------
    None
        Nothing. A module that is reached through an attribute of another object is not found.
    """
    nnx: Any = sys.modules.get("flax.nnx")
    modules = [] if nnx is None else loaded_objects(function, nnx.Module)
    states = [nnx.clone(nnx.state(module)) for module in modules]
    modes = [
        (part, name, vars(part)[name])
        for module in modules
        for _, part in nnx.iter_modules(module)
        for name in MODE_ATTRIBUTES
        if name in vars(part)
    ]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for part, name, value in modes:
            setattr(part, name, value)
        for module, state in zip(modules, states):
            nnx.update(module, state)
