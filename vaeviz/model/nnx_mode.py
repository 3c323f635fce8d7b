"""Run the flax NNX modules of a call in eval mode, and leave them as they were.

A module that runs reads its own attributes, so modules are found by the first attribute that a call reads, however a
callable reaches them. Flax is looked up in ``sys.modules``: a callable that needs it has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vaeviz.errors import GuessWarning, warn_user
from vaeviz.model.attribute_watch import is_complete, watch_attributes

MODE_ATTRIBUTES = ("deterministic", "use_running_average")  # that `Module.eval` sets


class NnxEvalMode:
    """Run NNX modules in eval mode, and restore their attributes and variables.

    Keys and counts of random numbers are restored at the end, everything else after each call: a module that samples
    returns something else each time.
    """

    def __init__(self) -> None:
        self._saved: list[_SavedModule] = []
        self._parts: dict[int, Any] = {}  # all modules in the saved ones
        self._changed: dict[str, None] = {}  # names of variables, in order

    @contextmanager
    def during_call(self) -> Iterator[None]:
        """Find the modules that run in this thread, and restore them afterwards.

        Yields
        ------
        None
            Nothing.
        """
        nnx: Any = sys.modules.get("flax.nnx")
        if nnx is None:
            yield
            return
        try:
            with watch_attributes(nnx.Module, self._add):
                yield
        finally:
            for saved in reversed(self._saved):
                self._changed |= dict.fromkeys(saved.restore_after_call())

    def _add(self, module: Any) -> None:
        """Save a module and all modules inside it, and put them into eval mode, unless they are traced."""
        import jax
        from flax import nnx

        if id(module) in self._parts or not is_complete(module):
            return
        state = nnx.state(module)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(state)):
            return  # it is a copy inside a compiled function, made in eval mode
        parts = [part for _, part in nnx.iter_modules(module)]
        self._saved.append(_SavedModule(module, nnx.clone(state), parts))
        self._parts |= {id(part): part for part in parts}

    def restore(self, *, warns: bool) -> None:
        """Restore the modules.

        Parameters
        ----------
        warns : bool
            Whether to warn of variables that changed even in eval mode.
        """
        for saved in reversed(self._saved):
            saved.restore()
        names = list(self._changed)
        self._saved, self._parts, self._changed = [], {}, {}
        if names and warns:
            warn_user(
                GuessWarning(
                    f"A call changed {', '.join(names)} even in eval mode; the values were restored.",
                    fix="Write a function that does not update the model.",
                )
            )


class _SavedModule:
    """The attributes of a module and those inside it, which are now in eval mode, and its variables."""

    def __init__(self, module: Any, state: Any, parts: list[Any]) -> None:
        self.module = module
        self.state = state
        self.attributes = [(part, dict(vars(part))) for part in parts]
        for part in parts:
            vars(part).update(_eval_mode(part))  # eval() may be overridden

    def restore_after_call(self) -> list[str]:
        """Restore all but random numbers, in eval mode. Return the names of the variables that had changed."""
        from flax import nnx

        is_fixed = nnx.Not(nnx.RngState)
        returned, before = nnx.state(self.module, is_fixed), nnx.filter_state(self.state, is_fixed)
        for part, attributes in self.attributes:
            vars(part).clear()
            vars(part).update(attributes)
            vars(part).update(_eval_mode(part))
        values = _named_values(returned)
        changed = [name for name, value in _named_values(before).items() if not _same_values(values.get(name), value)]
        if changed:
            nnx.update(self.module, nnx.clone(before))
        return [f"{type(self.module).__name__}.{name}" for name in changed]

    def restore(self) -> None:
        """Restore everything."""
        from flax import nnx

        for part, attributes in self.attributes:
            vars(part).clear()
            vars(part).update(attributes)
        nnx.update(self.module, self.state)


def _eval_mode(module: Any) -> dict[str, bool]:
    """Return the attributes of a module that set its mode, in eval mode."""
    names = (name for name in MODE_ATTRIBUTES if name in vars(module) or hasattr(type(module), name))
    return dict.fromkeys(names, True)


def _named_values(state: Any) -> dict[str, Any]:
    """Return the arrays of a state by the path of their variable."""
    import jax

    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {".".join(str(key.key) for key in path if hasattr(key, "key")): value for path, value in leaves}


def _same_values(value: Any, expected: Any) -> bool:
    """Return True if two arrays are equal, where NaN equals NaN. Arrays of JAX never change."""
    if value is expected:
        return True
    return value is not None and np.array_equal(value, expected, equal_nan=np.asarray(expected).dtype.kind == "f")
