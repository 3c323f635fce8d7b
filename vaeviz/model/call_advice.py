"""Advise what to write if a model fails, from what its layers received and from calls that succeed."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import Fix, InputError, advise, declare
from vaeviz.model.calling import ForeignFunction
from vaeviz.model.outputs import Bottleneck
from vaeviz.model.sample_batch import SampleBatch
from vaeviz.model.torch_probe import ModuleCall, loaded_modules

IF_ONE_SAMPLE = advise(("If x is one sample", Fix("Pass x[None].", "Save it with a batch axis.")))
MAX_ONE_HOT_CLASSES = 1000  # more are not classes but numbers, such as seconds

IN_ORDER = Fix("Pass the encoder first, and the decoder second.", "Name the other one with this option.")


def explain_encoder_failure(
    call: ForeignFunction, batch: np.ndarray, x_shape: tuple[int, ...], error: Exception
) -> InputError | None:
    """Return a better error for an encoder that failed.

    Parameters
    ----------
    call : ForeignFunction
        The encoder's function, after it failed.
    batch : ndarray, shape (N, ...)
        What it received.
    x_shape : tuple of int
        Shape of all samples.
    error : Exception
        What it raised, or what is wrong with what it returned.

    Returns
    -------
    InputError or None
        The error with its advice. None if nothing is known.
    """
    fn = call.function
    unbatched = next((one for one in call.module_calls if _lacks_batch_axis(one)), None)
    if unbatched is not None:
        return _wrong_size_error(unbatched, IF_ONE_SAMPLE)
    if isinstance(error, InputError):
        return _first_axis_error(fn, batch, error)
    layer = _failed_layer(call)
    if layer is not None and type(layer.module).__name__.startswith("Embedding"):
        return InputError(
            f"Its {type(layer.module).__name__} layer takes integers, but received floating-point numbers.",
            got="floating-point numbers",
            expected="integers",
            fix="Write vaeviz.Encoder(lambda x: fn(x.long())).",
        )
    if layer is not None:
        is_one_sample = needed_size(layer.module) in (math.prod(x_shape), x_shape[0], x_shape[-1]) and len(x_shape) < 4
        if is_one_sample and _succeeds(fn, _as_one_sample(layer.module, x_shape)):
            fix = IF_ONE_SAMPLE
        elif _succeeds(fn, np.zeros((1, needed_size(layer.module)), np.float32)):
            fix = advise(
                ("If this is the decoder", IN_ORDER),
                ("If it is the encoder", Fix(f"Pass samples of {needed_size(layer.module)} values.")),
            )
        else:
            return None
        return _wrong_size_error(layer, fix)
    row = _result(fn, batch[0])
    if row is not None and row.ndim < 2 and row.size:
        return InputError(
            "It takes one sample at a time.",
            got="a batch",
            expected="one sample",
            fix=f"Write vaeviz.Encoder({_mapped_over_rows(fn, batch[0])}).",
        )
    return _batch_error(fn, batch) or _flat_samples_error(fn, batch)


def _first_axis_error(fn: Callable[..., Any], batch: np.ndarray, error: InputError) -> InputError | None:
    """Return the error for codes whose rows lie along the second axis, as the states (layers, N, D) of an RNN."""
    codes = _result(fn, batch)
    if codes is None or codes.ndim < 3 or len(codes) == len(batch) or codes.shape[1] != len(batch):
        return None
    fix = Fix("Write vaeviz.Encoder(lambda x: fn(x)[-1]).")
    if len(codes) > 1:
        fix = Fix(f"{fix.python} It takes the last of {len(codes)}.")
    return InputError(error.message, got=error.got, expected=error.expected, fix=fix)


def _batch_error(fn: Callable[..., Any], batch: np.ndarray) -> InputError | None:
    """Return the error for an encoder that reads samples from a batch by their key, None for any other."""
    keys: list[str | None] = []

    def encode_batch(x: Any) -> Any:
        batch_of_x = SampleBatch(x)
        try:
            return fn(batch_of_x)
        finally:
            keys.append(batch_of_x.samples_key)

    codes = _result(encode_batch, batch[:2])
    if codes is None or keys[-1] is None or len(codes) != len(batch[:2]):
        return None
    return InputError(
        "It takes a batch, from which it reads the samples by their key.",
        got="samples",
        expected=f"a mapping with the key {keys[-1]!r}",
        fix=f"Write vaeviz.Encoder(lambda x: fn({{{keys[-1]!r}: x}})).",
    )


def _flat_samples_error(fn: Callable[..., Any], batch: np.ndarray) -> InputError | None:
    """Return the error for an encoder that takes samples only as vectors, None for any other."""
    codes = _result(fn, batch[:2].reshape(len(batch[:2]), -1)) if batch.ndim > 2 else None
    if codes is None or codes.ndim != 2 or len(codes) != len(batch[:2]):
        return None
    return InputError(
        "It takes flat samples.",
        got=f"samples of shape {batch.shape[1:]}",
        expected="samples of shape (-1,)",
        fix=Fix("Write vaeviz.Encoder(fn, input_shape=(-1,)).", "Add --input-shape -1."),
    )


def explain_decoder_failure(call: ForeignFunction, codes: np.ndarray) -> InputError | None:
    """Return a better error for a decoder that failed.

    Parameters
    ----------
    call : ForeignFunction
        The decoder's function, after it failed.
    codes : ndarray, shape (N, ...)
        What it received.

    Returns
    -------
    InputError or None
        The error with its advice. None if nothing is known.
    """
    fn, one = call.function, codes[:1]
    layer = _failed_layer(call)
    if codes.ndim == 2 and layer is not None:
        for shape in _spatial_shapes(layer.module, codes.shape[1]):
            if _succeeds(fn, one.reshape(1, *shape)):
                return InputError(
                    f"It takes codes of shape {shape}, but received codes of shape {codes.shape[1:]}.",
                    got=str(codes.shape[1:]),
                    expected=str(shape),
                    fix=declare("Decoder", latent_shape=shape),
                )
    if codes.shape[1] % 2 == 0 and _succeeds(fn, one[:, : codes.shape[1] // 2]):
        half = codes.shape[1] // 2
        return InputError(
            f"It takes codes of {half} values, but received {codes.shape[1]}.",
            got=str(codes.shape[1]),
            expected=str(half),
            fix=advise(
                ("If the encoder returns (mean, log_var) in one array", declare("Encoder", returns="mean,log_var")),
            ),
        )
    if layer is None or not _succeeds(fn, np.zeros((1, needed_size(layer.module)), np.float32)):
        return None
    return _wrong_size_error(
        layer,
        advise(
            ("If this is the encoder", IN_ORDER),
            ("If it is the decoder", Fix(f"Pass codes of {needed_size(layer.module)} values.")),
        ),
    )


def latent_shape_of_layers(fn: Callable[..., Any]) -> tuple[int, ...] | None:
    """Return the shape of one code for a decoder whose first layer tells it.

    Parameters
    ----------
    fn : callable
        The decoder's function.

    Returns
    -------
    tuple of int or None
        The shape of a code that it decoded. None if no layer tells it.
    """
    for module in loaded_modules(fn):
        layer = next((one for one in module.modules() if needed_size(one)), None)
        if layer is None:
            continue
        size = needed_size(layer)
        for shape in ((size,), *_spatial_shapes(layer, size)):
            if _succeeds(fn, np.zeros((1, *shape), np.float32)):
                return shape
    return None


def needed_size(layer: Any) -> int:
    """Return how many values or channels a torch layer takes.

    Parameters
    ----------
    layer : torch.nn.Module
        The layer.

    Returns
    -------
    int
        The number. 0 if it does not say it.
    """
    sizes = (getattr(layer, name, None) for name in ("in_features", "in_channels", "num_features"))
    return next((size for size in sizes if isinstance(size, int)), 0)


def one_hot_fix(call: ForeignFunction, arrays: list[np.ndarray]) -> Fix | None:
    """Return the advice for a part that fails on numbers of classes and takes one-hot vectors.

    Parameters
    ----------
    call : ForeignFunction
        The part's function, after it failed.
    arrays : list of ndarray
        The batch and its condition.

    Returns
    -------
    Fix or None
        The advice. None if it does not take one-hot vectors, or the condition holds other numbers.
    """
    batch, condition = arrays
    if condition.ndim != 1 or (condition != np.round(condition)).any() or condition.min() < 0:
        return None
    row_size = math.prod(batch.shape[1:])
    widths = {needed_size(layer) - row_size for module in loaded_modules(call.function) for layer in module.modules()}
    for n_classes in sorted({int(condition.max()) + 1, *widths}):
        if not condition.max() < n_classes <= MAX_ONE_HOT_CLASSES:
            continue
        one_hot = np.eye(n_classes, dtype=np.float32)[condition.astype(int)]
        try:
            _returned(call.function, batch, one_hot)
        except Exception:
            continue
        conditions = f"conditions=dict(enumerate(np.eye({n_classes})))"
        return Fix(
            f"It takes one-hot vectors. Write vaeviz.Encoder(fn, {conditions}) and vaeviz.Decoder(fn, {conditions}).",
            f"It takes one-hot vectors. Name objects like vaeviz.Encoder(fn, {conditions}) in a module of your own.",
        )
    return None


def find_bottleneck(
    fn: Callable[..., Any], module_calls: list[ModuleCall], n_rows: int, n_condition_values: int | None
) -> Bottleneck | None:
    """Return where an encoder holds the fewest values per sample.

    Parameters
    ----------
    fn : callable
        The encoder's function.
    module_calls : list of ModuleCall
        The torch modules that ran in a call of it.
    n_rows : int
        Number of samples in this call.
    n_condition_values : int or None
        Number of values of a condition, which layers may receive as well.

    Returns
    -------
    Bottleneck or None
        The place. None if no layer says how many values or channels it takes.
    """
    sizes = {
        id(one.module): math.prod(one.input_shape[1:])
        for one in module_calls
        if one.input_shape and one.input_shape[0] == n_rows
    }
    layers = [one.module for one in module_calls if needed_size(one.module)]
    n_values = min((sizes[id(one)] for one in layers if id(one) in sizes), default=None)
    if n_values is None or n_values == n_condition_values:
        return None
    fix = None
    if type(fn).__name__ == "Sequential" and hasattr(fn, "children"):
        received = [sizes.get(id(child), math.inf) for child in fn.children()]
        at = received.index(min(received))
        fix = Fix(f"Pass vaeviz.Encoder(fn[:{at}]) as the encoder and vaeviz.Decoder(fn[{at}:]) as the decoder.")
    return Bottleneck(n_values, fix)


def _failed_layer(call: ForeignFunction) -> ModuleCall | None:
    """Return the layer that started last, if it received another size than it takes, or numbers for indices."""
    if not call.module_calls:
        return None
    last = call.module_calls[-1]
    if type(last.module).__name__.startswith("Embedding"):
        return last
    size, received = needed_size(last.module), last.input_shape
    return last if size and received is not None and size != _received_size(last) else None


def _lacks_batch_axis(call: ModuleCall) -> bool:
    """Return True if a convolution received one image, which torch accepts."""
    kernel, channels = getattr(call.module, "kernel_size", None), getattr(call.module, "in_channels", None)
    if not isinstance(kernel, tuple) or channels is None or call.input_shape is None:
        return False
    return len(call.input_shape) == len(kernel) + 1


def _received_size(call: ModuleCall) -> int | None:
    """Return the number of values, or of channels, that a layer received in each row."""
    shape, kernel = call.input_shape or (), getattr(call.module, "kernel_size", None)
    if not isinstance(kernel, tuple):
        return shape[-1] if shape else None
    return shape[1] if len(shape) == len(kernel) + 2 else None


def _wrong_size_error(layer: ModuleCall, fix: Fix) -> InputError:
    kind, size = type(layer.module).__name__, needed_size(layer.module)
    return InputError(
        f"Its {kind} layer takes {size} values per row, but received shape {layer.input_shape}.",
        got=str(layer.input_shape),
        expected=f"{size} values per row",
        fix=fix,
    )


def _as_one_sample(layer: Any, x_shape: tuple[int, ...]) -> np.ndarray:
    """Return a batch of one sample of this shape, as the layer takes it."""
    sample = np.zeros((1, *x_shape), np.float32)
    if not isinstance(getattr(layer, "kernel_size", None), tuple):
        return sample.reshape(1, -1)
    return np.moveaxis(sample, -1, 1) if x_shape[0] != layer.in_channels else sample


def _spatial_shapes(layer: Any, size: int) -> list[tuple[int, ...]]:
    """Return the shapes with channels that codes of a size may have for a convolution."""
    kernel, channels = getattr(layer, "kernel_size", None), getattr(layer, "in_channels", 0)
    if not isinstance(kernel, tuple) or not channels or size % channels:
        return []
    side = round((size // channels) ** (1 / len(kernel)))
    return [(channels, *[side] * len(kernel))] if channels * side ** len(kernel) == size else []


def _mapped_over_rows(fn: Callable[..., Any], row: np.ndarray) -> str:
    """Return an expression that calls a function on each row of a batch."""
    name = f"model.{getattr(fn, '__name__', '')}" if _is_method(fn) else "fn"
    returned = _returned(fn, row)
    is_tuple = isinstance(returned, (tuple, list))
    library = type(returned[0] if is_tuple else returned).__module__.partition(".")[0]
    if library in ("jax", "jaxlib"):
        return f"jax.vmap({name})"
    stack = "torch.stack" if library == "torch" else "np.stack"
    if is_tuple:
        return f"lambda x: [{stack}(rows) for rows in zip(*map({name}, x))]"
    return f"lambda x: {stack}([*map({name}, x)])"


def _is_method(fn: Callable[..., Any]) -> bool:
    """Return True for a method of an object, also for one that the object's library has wrapped."""
    owner = getattr(fn, "__self__", None)
    return not (owner is None or inspect.ismodule(owner)) and hasattr(owner, getattr(fn, "__name__", ""))


def _succeeds(fn: Callable[..., Any], batch: np.ndarray) -> bool:
    return _result(fn, batch) is not None


def _result(fn: Callable[..., Any], values: np.ndarray) -> np.ndarray | None:
    """Return the first array that a function returns for some values, or None if it fails."""
    try:
        returned = _returned(fn, values)
        return as_array(returned[0] if isinstance(returned, (tuple, list)) else returned)
    except Exception:
        return None


def _returned(fn: Callable[..., Any], *arrays: np.ndarray) -> Any:
    with warnings.catch_warnings(), ForeignFunction(fn) as call:
        warnings.simplefilter("ignore")
        return call(*arrays)
