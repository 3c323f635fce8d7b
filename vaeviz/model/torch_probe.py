"""Run the torch modules of a call in eval mode, and leave them as they were.

Modules are found by a hook that torch calls before the forward pass of every module, so it does not matter how a
callable reaches them. A module whose parts run belongs to the call as well, as if a method other than ``forward`` were
called. A module without parts of which another method runs is found by `ForeignFunction`. torch is looked up in
``sys.modules``: a callable that needs it has imported it.
"""

from __future__ import annotations

import dis
import functools
import gc
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from vaeviz.errors import GuessWarning, warn_user
from vaeviz.model.attribute_watch import hide_from_compiler

MAX_COPIED_BYTES = 1 << 26  # 64 MiB of parameters: a copy of a larger model may not fit into memory


class ModuleCall(NamedTuple):
    """A torch module that ran, and the shape of the batch that it received."""

    module: Any
    input_shape: tuple[int, ...] | None


@contextmanager
def record_modules(before: Callable[[Any], None] | None = None) -> Iterator[list[ModuleCall]]:
    """List the torch modules that run in this thread, in the order in which they start.

    Parameters
    ----------
    before : callable, optional
        Called with each module before its forward pass.

    Yields
    ------
    list of ModuleCall
        The list, which fills up as modules run. Modules inside a compiled or scripted one are not seen.
    """
    calls: list[ModuleCall] = []
    torch = sys.modules.get("torch")
    if torch is None:
        yield calls
        return
    thread = threading.get_ident()  # a model that another thread trains stays in its own mode

    def record(module: Any, inputs: tuple[Any, ...]) -> None:
        if threading.get_ident() == thread:
            shape = getattr(inputs[0], "shape", None) if inputs else None
            calls.append(ModuleCall(module, None if shape is None else tuple(shape)))
            if before is not None:
                before(module)

    is_compiling = "torch._dynamo" in sys.modules
    hook = torch.nn.modules.module.register_module_forward_pre_hook(hide_from_compiler(record))
    try:
        with _without_compile_warning() if is_compiling else nullcontext():
            yield calls
    finally:
        hook.remove()


@contextmanager
def _without_compile_warning() -> Iterator[None]:
    """Hide the warning of compiled modules that there is a hook."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using `torch.compile", category=UserWarning)
        yield


class EvalMode:
    """Run torch modules in eval mode, and restore their modes, parameters and buffers.

    It may be entered again and again. Tensors are compared after the first call, after one in which new modules ran,
    after one that changed a tensor, and whenever their version counters changed. At most `MAX_COPIED_BYTES` of
    parameters are copied: a change of the others is named, but not undone.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Modules that are known before anything runs. Others are added when they run.
    copies : ParameterCopies, optional
        Copies that other functions of the same model have made.

    Attributes
    ----------
    n_late : int
        Number of modules found in training mode after one of their methods may have begun.
    """

    def __init__(self, modules: list[Any], copies: ParameterCopies | None = None) -> None:
        self._parts = {id(part): part for module in modules for part in module.modules()}
        self._saved: dict[int, _SavedModule] = {}
        self.copies = ParameterCopies() if copies is None else copies
        self._compares_all = True
        self._restored: dict[str, None] = {}  # names of tensors, in order
        self._lost: dict[str, None] = {}
        self.n_late = 0

    def __enter__(self) -> EvalMode:
        for key, part in self._parts.items():
            self._saved[key] = _SavedModule(part, self.copies)
        return self

    def add(self, module: Any) -> None:
        """Save a module, all modules inside it, and those that it is a part of, and put them into eval mode.

        Parameters
        ----------
        module : torch.nn.Module
            The module.
        """
        if id(module) in self._saved:
            return
        self._compares_all = True
        owners = _find_owners(module) if getattr(module, "training", False) else []
        self.n_late += sum(owner.training for owner in owners)
        for whole in (*owners, module):
            for part in whole.modules():
                if id(part) not in self._saved:
                    self._parts[id(part)] = part
                    self._saved[id(part)] = _SavedModule(part, self.copies)

    def restore_tensors(self) -> None:
        """Restore the parameters and buffers that a call changed, and remember their names for a warning."""
        changes = [change for saved in self._saved.values() for change in saved.restore_tensors(self._compares_all)]
        for tensor, name, is_lost in changes:
            if tensor.is_floating_point():  # the others count calls or hold the state of random numbers
                (self._lost if is_lost else self._restored)[name] = None
        self._compares_all = bool(changes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for saved in self._saved.values():
            if saved.was_training:
                saved.module.training = True
        changed = ((self._restored, "the values were restored"), (self._lost, "the old values are lost"))
        self._saved, self._restored, self._lost = {}, {}, {}
        if error is not None:
            return
        for names, outcome in changed:
            if names:
                warn_user(
                    GuessWarning(
                        f"A call changed {', '.join(names)} even in eval mode; {outcome}.",
                        fix="Write a function that does not update the model.",
                    )
                )


def _find_owners(module: Any) -> list[Any]:
    """Return the modules of this process that a module is a part of."""
    kind = sys.modules["torch"].nn.Module
    modules = (one for one in gc.get_objects() if issubclass(type(one), kind) and "_modules" in vars(one))
    return [one for one in modules if one is not module and any(part is module for part in one.modules())]


class _SavedModule:
    """The mode and the own tensors of a module that is now in eval mode."""

    def __init__(self, module: Any, copies: ParameterCopies) -> None:
        self.module = module
        self.was_training = bool(getattr(module, "training", False))
        if self.was_training:
            module.training = False  # eval() may be overridden, and not every module allows it
        self.tensors: list[tuple[Any, str, _SavedTensor]] = []  # each with the container that holds it, and its name
        for container, save in ((module._parameters, copies.save), (module._buffers, _SavedTensor)):
            for name, tensor in container.items():  # `named_parameters` is slow for a look at every call
                if tensor is not None and _holds_values(tensor):
                    self.tensors.append((container, name, save(tensor)))

    def restore_tensors(self, compares_all: bool) -> Iterator[tuple[Any, str, bool]]:
        """Restore the tensors. Yield each changed one, its name, and whether its values are lost."""
        for container, name, saved in self.tensors:
            is_replaced = name not in container or container[name] is not saved.tensor
            if is_replaced:
                setattr(self.module, name, saved.tensor)
            elif not compares_all and saved.version == _version(saved.tensor):
                continue
            is_changed, is_lost = saved.restore()
            if is_replaced or is_changed:
                yield saved.tensor, f"{type(self.module).__name__}.{name}", is_lost


class ParameterCopies:
    """Copies of parameters that serve for many calls, while nobody else changes the parameters between them."""

    def __init__(self) -> None:
        self._saved: dict[int, _SavedTensor] = {}
        self._free_bytes = MAX_COPIED_BYTES

    def save(self, parameter: Any) -> _SavedTensor:
        """Return the copy of a parameter, a new one if there is none or the parameter changed since.

        Parameters
        ----------
        parameter : torch.nn.Parameter
            The parameter.

        Returns
        -------
        _SavedTensor
            The copy, without values if it does not fit.
        """
        saved = self._saved.get(id(parameter))
        if saved is None:
            n_bytes = parameter.numel() * parameter.element_size()
            fits = n_bytes <= self._free_bytes
            self._free_bytes -= n_bytes if fits else 0
            saved = self._saved[id(parameter)] = _SavedTensor(parameter, copies_values=fits)
        elif saved.version != _version(parameter):
            saved = self._saved[id(parameter)] = _SavedTensor(parameter, copies_values=saved.values is not None)
        return saved


class _SavedTensor:
    """A tensor, with its version, which in-place changes increase, and with a copy of its values if it is not large.

    Changes through ``.data`` leave the version as it is.
    """

    def __init__(self, tensor: Any, *, copies_values: bool = True) -> None:
        self.tensor = tensor
        self.values = tensor.detach().clone() if copies_values else None
        self.version = _version(tensor)

    def restore(self) -> tuple[bool, bool]:
        """Restore the values, and return whether they had changed and whether they are lost."""
        version, self.version = self.version, _version(self.tensor)
        if self.values is None:
            return self.version != version, self.version != version
        is_changed = not _same_values(self.tensor, self.values)
        if is_changed:
            import torch

            with torch.no_grad():
                self.tensor.copy_(self.values)
            self.version = _version(self.tensor)
        return is_changed, False


def _holds_values(tensor: Any) -> bool:
    """Return False for tensors on the meta device and lazy parameters."""
    return not (tensor.is_meta or hasattr(tensor, "materialize"))


def _version(tensor: Any) -> int | None:
    """Return how often a tensor was changed in place. None for an inference tensor, which does not count."""
    return None if tensor.is_inference() else int(tensor._version)


def _same_values(tensor: Any, values: Any) -> bool:
    """Return True if two tensors are equal, where NaN equals NaN."""
    import torch

    if torch.equal(tensor, values):
        return True
    return bool(tensor.is_floating_point() and torch.allclose(tensor, values, rtol=0, atol=0, equal_nan=True))


def loaded_modules(function: Callable[..., Any]) -> list[Any]:
    """Return the torch modules that a callable is, is a method of, or loads as a variable.

    Variables are closure cells, and globals that the code of the function loads as globals, not names of attributes.
    Functions among them are followed.

    Parameters
    ----------
    function : callable
        The callable. It is not called.

    Returns
    -------
    list of torch.nn.Module
        The modules. Which of them run is known only from a call, see `record_modules`.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.nn.Module):
            found[id(value)] = value
        else:
            waiting += loaded_values(value)
    return list(found.values())


def loaded_values(value: Any) -> list[Any]:
    """Return what a callable loads: what a method or partial contains, closure cells, and globals of a function.

    Parameters
    ----------
    value : Any
        The callable.

    Returns
    -------
    list
        The values. Empty for an object that is neither a function nor contains one.
    """
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if inspect.ismethod(value):
        return [value.__self__, value.__func__]
    wrapped = [vars(value)["__wrapped__"]] if "__wrapped__" in getattr(value, "__dict__", {}) else []
    if not inspect.isfunction(value):
        return wrapped
    cells = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    names = _loaded_globals(value.__code__)
    return [*cells, *(value.__globals__[name] for name in names if name in value.__globals__), *wrapped]


@functools.lru_cache(maxsize=10_000)  # to read a function's code takes longer than a call of a small model
def _loaded_globals(code: CodeType) -> tuple[str, ...]:
    """Return the names that code, and the functions and comprehensions in it, load as globals."""
    own = [instruction.argval for instruction in dis.get_instructions(code) if instruction.opname == "LOAD_GLOBAL"]
    inner = [name for part in code.co_consts if isinstance(part, CodeType) for name in _loaded_globals(part)]
    return tuple(dict.fromkeys(own + inner))


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
