"""Names in the code of an encoder, which may say what its outputs are."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

from vaeviz.model.calling import ForeignFunction
from vaeviz.model.output_names import log_spread_in
from vaeviz.model.torch_probe import loaded_modules, loaded_values

LIBRARIES = ("torch", "jax", "flax", "numpy", "tensorflow", "keras")  # whose own code names nothing of the model


class NamedSpread(NamedTuple):
    """A name in the code of an encoder that says what its spread is: ``"log_var"`` or ``"log_std"``."""

    name: str
    kind: str


def named_spread(call: ForeignFunction) -> NamedSpread | None:
    """Return a name in the code of an encoder that says log-variance, else one that says log-standard deviation.

    Parameters
    ----------
    call : ForeignFunction
        The encoder's function, after a call.

    Returns
    -------
    NamedSpread or None
        The name of a variable, an attribute, or a torch layer that ran, and what it says. None if there is none.
    """
    names = dict.fromkeys((*_names_of_layers(call), *_names_in_code(call)))
    named = [NamedSpread(name, kind) for name in names if (kind := log_spread_in(name)) is not None]
    return min(named, key=lambda one: one.kind != "log_var", default=None)


def _names_of_layers(call: ForeignFunction) -> Iterator[str]:
    """Yield the names of the torch layers that ran, in the modules that hold them."""
    ran = {id(one.module) for one in call.module_calls}
    for owner in _modules(call):
        yield from (name for name, child in owner.named_children() if id(child) in ran)


def _names_in_code(call: ForeignFunction) -> Iterator[str]:
    """Yield the names in a function, in the modules that ran, and in the functions and methods that they call."""
    owner = getattr(call.function, "__self__", call.function)
    classes = list(dict.fromkeys(type(one) for one in (owner, *_modules(call))))
    waiting = [call.function, *(getattr(one, name, None) for one in classes for name in ("forward", "__call__"))]
    seen: dict[int, Any] = {}  # by id: not every callable can be hashed
    while waiting:
        value = waiting.pop()
        if id(value) in seen or _package(value) in LIBRARIES:
            continue
        seen[id(value)] = value
        called = loaded_values(value)
        if not inspect.isfunction(value):  # but a method or a partial
            waiting += called
            continue
        names = list(_names_of_code(value.__code__))
        yield from names
        waiting += [one for one in called if _package(one) == _package(value)]
        waiting += [getattr(one, name) for one in classes for name in names if hasattr(one, name)]


def _names_of_code(code: CodeType) -> Iterator[str]:
    """Yield the variables and attributes in code, and in the functions inside it."""
    yield from (*code.co_varnames, *code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_of_code(inner)


def _modules(call: ForeignFunction) -> list[Any]:
    """Return the torch modules that a function loads, and those that ran."""
    modules = [*loaded_modules(call.function), *(one.module for one in call.module_calls)]
    return list({id(module): module for module in modules}.values())


def _package(value: Any) -> str:
    """Return the name of the package that defines a function."""
    return str(getattr(value, "__module__", "")).partition(".")[0]
