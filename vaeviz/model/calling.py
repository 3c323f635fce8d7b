"""Call a foreign function on NumPy arrays, whether it expects NumPy, torch or JAX arrays.

torch modules run on their own device, in their own dtype, in eval mode and without gradients. torch and JAX are looked
up in ``sys.modules``: a function that needs them has imported them.
"""

from __future__ import annotations

import functools
import inspect
import math
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from vaeviz.data.batches import one_line
from vaeviz.errors import Fix, InputError
from vaeviz.model.attribute_watch import is_complete, watch_attributes
from vaeviz.model.nnx_mode import NnxEvalMode
from vaeviz.model.torch_operands import record_operands
from vaeviz.model.torch_probe import EvalMode, ModuleCall, loaded_modules, record_modules

# Values in eval mode of the arguments by which functions receive their mode.
EVAL_MODE_ARGUMENTS = {
    **dict.fromkeys(("train", "training", "is_training", "is_train", "train_mode"), False),
    **dict.fromkeys(("deterministic", "use_running_average"), True),
}


class ForeignFunction:
    """A function that takes NumPy arrays and returns whatever the foreign function returns.

    Use it in a ``with`` block: there its torch and NNX modules are in eval mode, and they are restored at the end. A
    function that receives its mode as an argument is called in eval mode, see `bind_eval_mode`.

    Parameters
    ----------
    function : callable
        The foreign function.
    beside : ForeignFunction, optional
        Another function of the same model, whose copies of parameters this one uses.

    Attributes
    ----------
    module_calls : list of ModuleCall
        The torch modules that ran in the last call.
    """

    def __init__(self, function: Callable[..., Any], beside: ForeignFunction | None = None) -> None:
        self.function = function
        self._in_eval_mode = bind_eval_mode(function)
        self.module_calls: list[ModuleCall] = []
        self._loaded = loaded_modules(function)
        self._watches = True  # for modules that are used, but do not run themselves
        self._conventions = self._possible_conventions()
        self._eval_mode: EvalMode = EvalMode(self._loaded, None if beside is None else beside._eval_mode.copies)
        self._nnx_mode = NnxEvalMode()
        self._operand: Any = None  # a tensor that is of no module, and has the dtype and device that inputs need

    def __enter__(self) -> ForeignFunction:
        self._eval_mode.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._nnx_mode.restore(warns=error is None)
        self._eval_mode.__exit__(kind, error, traceback)

    def __call__(self, *arrays: np.ndarray) -> Any:
        """Call the function with the first kind of arrays that it accepts.

        Parameters
        ----------
        *arrays : ndarray
            The arrays. The function receives copies, since it may change them.

        Returns
        -------
        Any
            What the function returns.
        """
        failure: Exception | None = None
        for convention in list(self._conventions):
            try:
                returned = self._call_in_eval_mode(convention, arrays)
            except Exception as error:
                failure = failure or error
                if isinstance(error, (TypeError, AttributeError)):
                    continue
                if convention != self._call_with_numpy or not self.module_calls:
                    failure = error  # it does not fail over the type of its arguments
                    break
            else:
                self._conventions = [convention]
                return returned
        assert failure is not None
        raise failure

    def _call_in_eval_mode(self, convention: Callable[..., Any], arrays: tuple[np.ndarray, ...]) -> Any:
        """Call in one convention, and once more if a method of a module had begun in training mode."""
        n_late = self._eval_mode.n_late
        try:
            returned = convention(*arrays)
        except Exception:
            if self._eval_mode.n_late == n_late:
                raise
        else:
            if self._eval_mode.n_late == n_late:
                return returned
        return convention(*arrays)

    def _possible_conventions(self) -> list[Callable[..., Any]]:
        """Return the ways to call it, likeliest first."""
        conventions = [self._call_with_numpy]
        if "torch" in sys.modules:
            conventions.insert(0 if self._loaded else 1, self._call_with_torch)
        if "jax" in sys.modules:
            conventions.append(self._call_with_jax)
        return conventions

    def _call_with_numpy(self, *arrays: np.ndarray) -> Any:
        """Send arrays, and once more in float64 if the function uses torch tensors of float64."""
        torch = sys.modules.get("torch")
        try:
            if self._operand is None:
                return self._call([array.copy() for array in arrays])
        except RuntimeError:  # of torch
            if torch is None:
                raise
            found = self._other_operand([array.copy() for array in arrays], torch.empty(0))
            if found is None or found.dtype != torch.float64:
                raise
            self._operand = found
        return self._call([_in_double_precision(array) for array in arrays])

    def _call_with_jax(self, *arrays: np.ndarray) -> Any:
        import jax
        import jax.numpy as jnp

        try:
            return self._call([jnp.array(array) for array in arrays])
        except TypeError:
            if not jax.config.jax_enable_x64:
                raise
            return self._call([jnp.array(_in_double_precision(array)) for array in arrays])

    def _call_with_torch(self, *arrays: np.ndarray) -> Any:
        """Send tensors in the dtype of the modules, or of the other tensors that the function uses, on their device.

        Which module comes first is known once one ran, even if it failed over what it received.
        """
        import torch

        expected = _floating_tensor([call.module for call in self.module_calls] or self._loaded)
        expected = next((one for one in (expected, self._operand) if one is not None), torch.empty(0))
        try:
            return self._call([_like(array.copy(), expected) for array in arrays])
        except Exception:
            found = _floating_tensor([call.module for call in self.module_calls])
            if found is None or (found.dtype, found.device) == (expected.dtype, expected.device):
                found = self._other_operand([_like(array.copy(), expected) for array in arrays], expected)
            if found is None:
                raise
            returned = self._call([_like(array.copy(), found) for array in arrays])
            self._operand = found
            return returned

    def _other_operand(self, arrays: list[Any], expected: Any) -> Any:
        """Return the last floating-point tensor that a failing call uses with another dtype or device, or None."""
        with record_operands() as operands, suppress(Exception):
            self._call(arrays)
        others = [one for one in operands if (one.dtype, one.device) != (expected.dtype, expected.device)]
        return next((one for one in reversed(others) if one.is_floating_point() and not one.is_meta), None)

    def _call(self, arrays: Any) -> Any:
        try:
            return self._call_and_record(arrays)
        except Exception as error:
            if not (self._watches and type(error).__module__.startswith("torch._dynamo")):
                raise
            self._watches = False  # what is compiled refuses modules that are watched
            return self._call_and_record(arrays)

    def _call_and_record(self, arrays: Any) -> Any:
        with self._record_modules() as self.module_calls, self._nnx_mode.during_call():
            torch = sys.modules.get("torch")
            try:
                with nullcontext() if torch is None else torch.no_grad():
                    return self._in_eval_mode(*arrays)
            finally:
                self._eval_mode.restore_tensors()

    @contextmanager
    def _record_modules(self) -> Iterator[list[ModuleCall]]:
        """List the modules that run. The first call also lists those of which only other methods run.

        Such a module, unless the function loads it, is found by the attributes that it reads.
        """
        torch = sys.modules.get("torch")
        with record_modules(self._eval_mode.add) as calls:
            if torch is None or self._loaded or not self._watches:
                yield calls
                return
            read: dict[int, ModuleCall] = {}  # by id of the module

            def add(module: Any) -> None:
                if id(module) not in read and is_complete(module):
                    self._eval_mode.add(module)
                    read[id(module)] = ModuleCall(module, None)
                    calls.append(read[id(module)])

            try:
                with watch_attributes(torch.nn.Module, add):
                    yield calls
            finally:
                ran = {id(call.module) for call in calls if call is not read.get(id(call.module))}
                used = {key for key, call in read.items() if key not in ran and _has_own_tensors(call.module)}
                calls[:] = [call for call in calls if call is not read.get(id(call.module)) or id(call.module) in used]
                self._watches = bool(used)


def _in_double_precision(array: np.ndarray) -> np.ndarray:
    """Return a copy, of floating-point numbers in float64."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array.copy()


def _has_own_tensors(module: Any) -> bool:
    return any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False)))


def _floating_tensor(modules: list[Any]) -> Any:
    """Return the first floating-point parameter or buffer: of a module itself, else of any module inside."""
    for recurse in (False, True):
        for module in modules:
            for tensor in (*module.parameters(recurse), *module.buffers(recurse)):
                if tensor.is_floating_point():
                    return tensor
    return None


def _like(array: np.ndarray, expected: Any) -> Any:
    """Return a tensor on the device of another; floating-point numbers take its dtype, too."""
    import torch

    tensor = torch.from_numpy(array)
    if tensor.is_floating_point():
        tensor = tensor.to(expected.dtype)  # before it moves: a device may lack float64
    return tensor.to(expected.device)


def call_error(role: str, name: str, arrays: list[np.ndarray], error: Exception, fix: Fix | None = None) -> InputError:
    """Return the error for a foreign function that failed.

    Parameters
    ----------
    role : str
        What the function is, e.g. ``"encoder"``.
    name : str
        Its name.
    arrays : list of ndarray
        What it received.
    error : Exception
        What it raised, or what is wrong with what it returned.
    fix : Fix, optional
        What to write instead, unless the error says it.

    Returns
    -------
    InputError
        The error to raise.
    """
    shapes = " and ".join(f"a batch of shape {array.shape}" for array in arrays)
    message = error.message if isinstance(error, InputError) else one_line(error)
    own_fix = error.fix if isinstance(error, InputError) and error.fix.python else None
    got = (error.got if isinstance(error, InputError) else "") or message
    expected = error.expected if isinstance(error, InputError) else ""
    return InputError(f"{role} {name}, given {shapes}: {message}", got=got, expected=expected, fix=own_fix or fix or "")


def random_states() -> tuple[Any, ...]:
    """Return the global random states of Python, NumPy and torch, which change when numbers are drawn.

    Returns
    -------
    tuple
        The states, which can be compared.
    """
    state_of_numpy: Any = np.random.get_state()
    states = [random.getstate(), *(one.tobytes() if isinstance(one, np.ndarray) else one for one in state_of_numpy)]
    torch = sys.modules.get("torch")
    if torch is not None:
        of_devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        states += [state.numpy().tobytes() for state in (torch.get_rng_state(), *of_devices)]
    return tuple(states)


@contextmanager
def restored_random_state() -> Iterator[None]:
    """Restore the global random states of Python, NumPy and torch afterwards.

    Yields
    ------
    None
        Nothing.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    with nullcontext() if torch is None else torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


def callable_name(function: Any) -> str:
    """Return what to call a callable, or the file that holds one, in a message.

    Parameters
    ----------
    function : callable, str or Path
        The callable or file.

    Returns
    -------
    str
        Its name.

    Examples
    --------
    >>> callable_name(len)
    'len'
    """
    if isinstance(function, (str, Path)):
        return Path(function).name
    if inspect.ismethod(function):
        return f"{type(function.__self__).__name__}.{function.__name__}"
    name: str = getattr(function, "__qualname__", None) or type(function).__name__
    return name.rpartition("<locals>.")[2]


def positional_arity(function: Callable[..., Any]) -> tuple[int, float]:
    """Return how many positional arguments a callable needs, and how many it accepts.

    Parameters
    ----------
    function : callable
        The callable. A torch module is counted by its ``forward``.

    Returns
    -------
    needed : int
        Number of arguments without a default.
    accepted : float
        Number of arguments that it accepts. Both are ``(0, inf)`` where the callable does not say.

    Examples
    --------
    >>> positional_arity(lambda x, y=None: x)
    (1, 2)
    """
    parameters = positional_parameters(function)
    return (0, math.inf) if parameters is None else (sum(parameters.values()), len(parameters))


def positional_parameters(function: Callable[..., Any]) -> dict[str, bool] | None:
    """Return the positional parameters of a callable.

    Parameters
    ----------
    function : callable
        The callable. For a torch module, those of its ``forward``.

    Returns
    -------
    dict of str to bool, or None
        By name, whether each is required. None where the callable does not say, or takes any number. Arguments for the
        mode, which `bind_eval_mode` binds, are left out.

    Examples
    --------
    >>> positional_parameters(lambda x, y=None: x)
    {'x': True, 'y': False}
    """
    schema: Any = getattr(_called_function(function), "schema", None)  # of compiled torch; it begins with itself
    if hasattr(schema, "arguments"):
        return {argument.name: not argument.has_default_value() for argument in schema.arguments[1:]}
    parameters = _parameters(function)
    if parameters is None or any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {p.name: p.default is p.empty for k, p in enumerate(positional) if k == 0 or not _is_mode(p)}


def bind_eval_mode(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callable in eval mode if its mode is an argument that is required, or says training by default.

    Parameters
    ----------
    function : callable
        The callable.

    Returns
    -------
    callable
        A partial, or the callable itself if it has no such argument.

    Examples
    --------
    >>> bind_eval_mode(lambda x, train=True: train)(0)
    False
    """
    parameters = (_parameters(function) or [])[1:]  # the first is the array, whatever its name
    mode = {p.name: EVAL_MODE_ARGUMENTS[p.name] for p in parameters if _is_mode(p)}
    return functools.partial(function, **mode) if mode else function


def _is_mode(parameter: inspect.Parameter) -> bool:
    """Return True for a mode that must be passed, since its default is training or missing."""
    value = EVAL_MODE_ARGUMENTS.get(parameter.name)
    if value is None or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        return False
    return parameter.default is parameter.empty or parameter.default is (not value)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """Return the parameters of a callable. None where it does not say."""
    try:
        return list(inspect.signature(_called_function(function)).parameters.values())
    except (TypeError, ValueError):
        return None


def _called_function(function: Callable[..., Any]) -> Any:
    """Return what has the signature of a callable: what it wraps, and the ``forward`` of a torch module."""
    if not inspect.ismethod(function):  # a method would lose its binding
        with suppress(ValueError):  # a function may wrap itself
            function = inspect.unwrap(function)
    return function if inspect.isroutine(function) else getattr(function, "forward", function)
