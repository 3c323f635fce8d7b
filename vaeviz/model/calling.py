"""Calling a foreign function on NumPy batches, whether it speaks NumPy, torch or JAX.

A torch module is run on its own device and dtype, in eval mode and without gradients; the mode of each
of its parts is restored afterwards. Nothing here imports torch or JAX: whoever has such a function already did.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from vaeviz.data.channels import channels_first_shape

REACH = 500  # how many things are looked at in search of torch modules


@contextmanager
def numpy_caller(function: Callable) -> Iterator[Callable[..., Any]]:
    """A version of `function` that takes NumPy arrays and returns whatever the function returns."""
    modules = torch_modules(function)
    with _evaluating(modules), _without_gradients():
        yield _caller(function, modules)


def torch_modules(function: Callable) -> list[Any]:
    """The torch modules that a callable is, is bound to, closes over, or names among its globals.

    They are also looked for in the functions, lists and dicts that it reaches.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [function]
    while waiting:
        thing = waiting.pop(0)
        if id(thing) in seen or len(seen) > REACH:
            continue
        seen.add(id(thing))
        if isinstance(thing, torch.nn.Module):
            found[id(thing)] = thing
        else:
            waiting += _reached(thing, first=thing is function)
    return list(found.values())


def _reached(thing: Any, *, first: bool) -> list[Any]:
    """What a callable has at hand: what it wraps, is bound to, closes over, or names among its globals.

    The attributes of an object count only for the callable itself, and for what it is a method of.
    """
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, (list, tuple)):
        return list(thing)
    if hasattr(thing, "__wrapped__"):
        return [thing.__wrapped__]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if inspect.ismethod(thing):
        return [thing.__self__, *(vars(thing.__self__).values() if _has_vars(thing.__self__) else ())]
    if inspect.isfunction(thing):
        cells = (cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell))
        return [*cells, *(thing.__globals__.get(name) for name in thing.__code__.co_names)]
    return list(vars(thing).values()) if first and _has_vars(thing) and not inspect.isclass(thing) else []


def callable_name(function: Callable) -> str:
    """What to call a callable, or a file that holds one, in a message."""
    if isinstance(function, (str, Path)):
        return Path(function).name
    if inspect.ismethod(function):
        return f"{type(function.__self__).__name__}.{function.__name__}"
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return name.rpartition("<locals>.")[2]


def positional_arity(function: Callable) -> tuple[int, float]:
    """(how many positional arguments a callable must be given, how many it takes at most).

    (0, inf) where it does not say. A torch module says it by its `forward`.
    """
    if not inspect.ismethod(function):  # or it would no longer be bound
        with suppress(ValueError):  # wrapped around itself
            function = inspect.unwrap(function)
    function = function if inspect.isroutine(function) else getattr(function, "forward", function)
    schema = getattr(function, "schema", None)  # of a compiled torch function, which counts itself
    if hasattr(schema, "arguments"):
        taken = schema.arguments[1:]
        return sum(not argument.has_default_value() for argument in taken), len(taken)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0, math.inf
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 0, math.inf
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty for p in positional), len(positional)


def _caller(function: Callable, modules: list[Any]) -> Callable[..., Any]:
    """Tries the likelier of torch and NumPy first; a function that trips over the type gets the others."""
    conventions = [_with_numpy]
    if "torch" in sys.modules:
        conventions.insert(0 if modules else 1, functools.partial(_with_torch, modules))
    if "jax" in sys.modules:
        conventions.append(_with_jax)

    def call(*arrays: np.ndarray) -> Any:
        failed = None
        for convention in list(conventions):
            try:
                returned = convention(function, *(array.copy() for array in arrays))  # it may work in place
            except (TypeError, AttributeError) as error:
                failed = failed or error
            else:
                conventions[:] = [convention]
                return returned
        raise failed

    return call


def _with_numpy(function: Callable, *arrays: np.ndarray) -> Any:
    return function(*arrays)


def _with_torch(modules: list[Any], function: Callable, *arrays: np.ndarray) -> Any:
    import torch

    state = (tensor for module in modules for tensor in chain(module.parameters(), module.buffers()))
    floating = next((tensor for tensor in state if tensor.is_floating_point()), torch.empty(0))
    tensors = (torch.from_numpy(array) for array in arrays)
    cast = (t.to(floating.dtype) if t.is_floating_point() else t for t in tensors)  # a device may lack float64
    return function(*(t.to(floating.device) for t in cast))


def _with_jax(function: Callable, *arrays: np.ndarray) -> Any:
    import jax.numpy as jnp

    return function(*map(jnp.asarray, arrays))


@contextmanager
def _evaluating(modules: list[Any]) -> Iterator[None]:
    training = [part for module in modules for part in module.modules() if getattr(part, "training", False)]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _without_gradients() -> AbstractContextManager:
    torch = sys.modules.get("torch")
    return nullcontext() if torch is None else torch.no_grad()


def _has_vars(thing: Any) -> bool:
    return hasattr(thing, "__dict__")


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def torch_input_shape(function: Callable, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which a torch model takes such samples, told by its first layer that has weights.

    A Linear over all features takes them flat, a convolution takes the channels first, where they may stand
    already; anything else, or a callable without torch modules, takes them as they are.
    """
    modules = torch_modules(function)
    layers = (layer for module in modules for layer in module.modules() if hasattr(layer, "weight"))
    first = next(layers, None)
    if getattr(first, "in_features", None) == math.prod(sample_shape):
        return (-1,)
    kernel = getattr(first, "kernel_size", None)
    if isinstance(kernel, tuple) and hasattr(first, "in_channels"):
        last_first = channels_first_shape(sample_shape, spatial=len(kernel))
        return sample_shape if sample_shape[0] == first.in_channels != last_first[0] else last_first
    return sample_shape


def first_conv_channels(function: Callable) -> int | None:
    """How many channels the first layer of a torch model takes, if that is a convolution."""
    layers = (layer for module in torch_modules(function) for layer in module.modules() if hasattr(layer, "weight"))
    first = next(layers, None)
    return first.in_channels if isinstance(getattr(first, "kernel_size", None), tuple) else None


def has_convolutions(function: Callable) -> bool:
    """Whether a torch model holds convolutions, whose images have the channels first."""
    layers = (layer for module in torch_modules(function) for layer in module.modules())
    return any(isinstance(getattr(layer, "kernel_size", None), tuple) for layer in layers)
