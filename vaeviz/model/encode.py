"""``encode``: the only place where a foreign encoder is called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vaeviz.data.batches import (
    batch_size_hint,
    check_row_count,
    check_samples,
    describe_batch,
    iterate_batches,
    one_line,
    pad_batch,
)
from vaeviz.data.channels import channels_first_shape, is_channels_first, match_shape
from vaeviz.data.out_of_core import SampleStream, as_samples, is_same_source
from vaeviz.errors import GuessWarning, InputError
from vaeviz.model.calling import first_conv_channels, numpy_caller, torch_input_shape
from vaeviz.model.conditions import as_condition, fixed_condition_rows, missing_condition_hint, resolve_condition
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import as_encoder
from vaeviz.model.outputs import OutputSpec, infer_outputs, parse_returns, same_up_to_rounding
from vaeviz.model.posterior import Posterior


def encode(encoder: Any, x: Any, condition: Any = None) -> Posterior:
    """q(z | x): the posterior means (N, D) and, where the encoder gives them, standard deviations.

    encoder: a callable, a model, an `Encoder`, or a ready `Posterior` of as many rows as x.
    x: (N, ...) samples: an array, one that lies on disk (memory-mapped, HDF5, zarr), or batches that can be read again
        (a DataLoader that does not shuffle, see `Batches`). condition: (N, ...) or None, passed beside x unless the
        encoder takes x alone, and kept by the posterior: classes or names where the encoder says its `conditions`, else
        what it takes.

    Runs in batches, in eval mode, without gradients; of what does not lie in memory, one batch at a time does. Warns
    if the encoder gives another mean for the same input. Raises `InputError` if the encoder fails, loses rows, or
    returns anything but finite numbers; `NotApplicable` if it takes a condition, and none is given.
    """
    if isinstance(encoder, Posterior):
        return _of_same_length(encoder, check_samples(x, "x"), condition)
    if isinstance(encoder, Encoder) and _recalls(encoder, x, condition):
        return encoder.remembered[1]
    encoder = as_encoder(encoder)
    x, condition = unpack_samples(encoder, x, condition)
    x = check_samples(x, "x")
    if condition is not None:
        condition = as_condition(condition, len(x))
    elif encoder.condition is not None:
        condition = fixed_condition_rows(encoder, len(x))
    with numpy_caller(encoder.fn) as call:
        means, stds, families = zip(*_encoded(call, encoder, x, resolve_condition(encoder, "encoder", condition)))
    return replace(_joined(means, stds, families[0], encoder), condition=condition)


def cache_encoding(encoder: Any, x: Any, condition: Any = None) -> Encoder:
    """An encoder that encodes `x` now and never again: that very object is answered from memory.

    Anything else, equal or of equal shape, is really encoded, and so is `x` under another condition. A conditional
    encoder that is asked without a condition takes that of the memory.
    """
    if not isinstance(encoder, Posterior):
        encoder = as_encoder(encoder)
        x, condition = unpack_samples(encoder, x, condition)
    x, condition = as_samples(x, "x"), None if condition is None else as_condition(condition)
    return with_posterior(encoder, x, encode(encoder, x, condition))


def with_posterior(encoder: Any, x: np.ndarray | SampleStream, posterior: Posterior) -> Encoder:
    """An encoder that answers `x` with that posterior, and really encodes anything else."""
    if isinstance(encoder, Posterior):
        encoder = Encoder(_only_the_remembered, prior=posterior.prior, name="Posterior")
    return replace(as_encoder(encoder), remembered=(x, posterior))


def unpack_samples(encoder: Encoder, x: Any, condition: Any) -> tuple[Any, Any]:
    """(samples, condition) of an x that may hold both."""
    return (x, condition) if encoder.unpack is None else encoder.unpack(x, condition)


def _recalls(encoder: Encoder, x: Any, condition: Any) -> bool:
    """Whether the encoder remembers x under this very condition, or under the only one that can be meant."""
    if encoder.remembered is None or not is_same_source(encoder.remembered[0], x):
        return False
    one_can_be_meant = encoder.condition is not None or encoder.is_conditional or encoder.unpack is not None
    return (condition is None and one_can_be_meant) or condition is encoder.remembered[1].condition


def _only_the_remembered(x: np.ndarray) -> None:
    raise InputError("a ready Posterior stands for its own x only, and cannot encode other samples")


def _encoded(
    call: Callable, encoder: Encoder, x: np.ndarray | SampleStream, condition: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None, str | None]]:
    """(mean, std, family) of each batch, checked; each of the shape in which the encoder gave it."""
    reading = parse_returns(encoder.returns) if encoder.returns else None
    size = 0
    for rows, batch in iterate_batches(x, encoder.batch_size, desc="encoding"):
        arrays = [prepare_batch(encoder, batch)] + ([] if condition is None else [np.asarray(condition[rows])])
        count = len(arrays[0])
        size = size or count
        arrays = pad_batch(arrays, encoder.batch_size) if encoder.pad else arrays
        try:
            returned = call(*arrays)
            if rows.start == 0:
                again = call(*arrays)
                reading = reading or infer_outputs(returned, again=again, sample_shape=arrays[0].shape[1:])
                _warn_if_it_samples(encoder, *(_read(reading, one, len(arrays[0]))[0] for one in (returned, again)))
            mean, std = _read(reading, returned, len(arrays[0]))
            if rows.start == 0 and encoder.returns is None:
                _check_not_discrete(reading(returned)[0].dtype)
        except Exception as error:
            hint = batch_size_hint("Encoder", arrays[0], size) or missing_condition_hint(error, condition)
            raise InputError(
                f"encoder {encoder.name}, given {describe_batch(arrays[0])}: {one_line(error)}{hint}"
            ) from error
        yield mean[:count], None if std is None else std[:count], reading.family


def prepare_batch(encoder: Encoder, batch: np.ndarray) -> np.ndarray:
    """A batch as the encoder takes it: preprocessed, in its range, in its layout and shape, float32."""
    if encoder.preprocess is not None:
        sent_rows, batch = len(batch), np.asarray(encoder.preprocess(batch))
        if batch.ndim == 0 or len(batch) != sent_rows:
            got = f"got back shape {batch.shape} for {sent_rows} samples"
            raise InputError(f"preprocess of encoder {encoder.name}: {got}, expected one row for each")
    batch = np.ascontiguousarray(batch, dtype=np.float32)
    if encoder.value_range is not None:
        low, high = encoder.value_range
        batch = batch * np.float32(high - low) + np.float32(low)
    return _laid_out(encoder, batch)


def _laid_out(encoder: Encoder, batch: np.ndarray) -> np.ndarray:
    shape = batch.shape[1:]
    wanted = _wanted_shape(encoder, shape)
    if _has_unclear_channels(encoder, shape):
        _warn_of_channels(encoder, shape)
        return np.ascontiguousarray(np.moveaxis(batch, -1, 1))
    if len(shape) == 3 and len(set(shape)) == 1 and encoder.input_shape is None and encoder.layout == "channels_first":
        return np.ascontiguousarray(np.moveaxis(batch, -1, 1))
    try:
        return np.ascontiguousarray(match_shape(batch, wanted))
    except ValueError:
        raise InputError(
            f"encoder {encoder.name}: takes samples of shape {wanted}, got {shape}; "
            "give matching data, or write Encoder(fn, input_shape=...)"
        ) from None


def _wanted_shape(encoder: Encoder, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which the encoder takes samples: declared, of the declared layout, else told by torch layers."""
    if encoder.input_shape is not None:
        return encoder.input_shape
    if encoder.layout == "channels_first":
        return shape if is_channels_first(shape) else channels_first_shape(shape)
    if encoder.layout == "channels_last":
        last = (*shape[1:], shape[0]) if is_channels_first(shape) else shape
        return (*last, 1) if len(last) == 2 else last
    return torch_input_shape(encoder.fn, shape)


def _has_unclear_channels(encoder: Encoder, shape: tuple[int, ...]) -> bool:
    """Whether undeclared channels of (C, H, W = C), which a convolution wants first, may stand first or last."""
    undeclared = encoder.input_shape is None and encoder.layout is None
    return undeclared and len(shape) == 3 and 1 < shape[0] == shape[-1] == first_conv_channels(encoder.fn)


def _warn_of_channels(encoder: Encoder, shape: tuple[int, ...]) -> None:
    warnings.warn(
        f"encoder {encoder.name}: samples of shape {shape} may have their channels first or last; they were read as "
        f'last. Say so with Encoder(fn, layout="channels_first"), or Encoder(fn, input_shape={shape}) to pass them as '
        "they are",
        GuessWarning,
        stacklevel=2,
    )


def _check_not_discrete(dtype: np.dtype) -> None:
    """Whole numbers are rarely numbers: they are places in a code book, or classes."""
    if dtype.kind != "f":
        raise InputError(
            f"got codes of {dtype}, which are discrete and no points of a latent space: return the embeddings (N, D) "
            'that they stand for; if they are numbers indeed, say so: Encoder(fn, returns="mean")'
        )


def _read(reading: OutputSpec, returned: Any, rows: int) -> tuple[np.ndarray, np.ndarray | None]:
    mean, std = reading(returned)
    check_row_count(mean, rows)
    if mean.ndim == 1:
        mean, std = mean[:, None], None if std is None else np.asarray(std)[:, None]
    if std is not None and std.shape != mean.shape:
        hint = '; if it is the concentration of a von Mises–Fisher, write Encoder(fn, returns="mean,concentration")'
        raise InputError(
            f"got a mean of shape {mean.shape} and a spread of shape {std.shape}, expected the same"
            + (hint if std.size == len(mean) else "")
        )
    for name, values in (("mean", mean), ("spread", std)):  # finite in float32, too
        if values is not None and not (np.abs(values) <= np.finfo(np.float32).max).all():
            raise InputError(f"got a posterior {name} with NaN or infinite values")
    return mean.astype(np.float32), None if std is None else std.astype(np.float32)  # no view, which would hold x


def _warn_if_it_samples(encoder: Encoder, first: np.ndarray, second: np.ndarray) -> None:
    if not same_up_to_rounding(first, second):
        warnings.warn(
            f"encoder {encoder.name} gave another mean for the same input the second time: it samples. "
            "Return its mean instead, or put it in eval mode",
            GuessWarning,
            stacklevel=2,
        )


def _joined(
    means: Sequence[np.ndarray], stds: Sequence[np.ndarray | None], family: str | None, encoder: Encoder
) -> Posterior:
    shapes = {mean.shape[1:] for mean in means}
    if len(shapes) > 1:
        first, second = sorted(shapes)[:2]
        raise InputError(f"encoder {encoder.name}: codes change shape between batches, {first} and {second}")
    mean = np.concatenate(means)
    std = None if stds[0] is None else np.concatenate(stds)
    code_shape = mean.shape[1:] if mean.ndim > 2 else ()
    flat = (len(mean), -1)
    prior = encoder.prior or (None if std is None else "normal")
    return Posterior(mean.reshape(flat), None if std is None else std.reshape(flat), prior, code_shape, family)


def _of_same_length(posterior: Posterior, x: np.ndarray | SampleStream, condition: Any) -> Posterior:
    if len(posterior) != len(x):
        raise InputError(f"got a Posterior of {len(posterior)} rows for {len(x)} samples of x")
    return posterior if condition is None else replace(posterior, condition=as_condition(condition, len(x)))
