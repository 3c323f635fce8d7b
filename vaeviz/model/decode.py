"""``decode``: the only place where a foreign decoder is called."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import (
    batch_size_hint,
    check_row_count,
    check_samples,
    describe_batch,
    iterate_batches,
    one_line,
    pad_batch,
)
from vaeviz.data.channels import is_channels_first, match_shape
from vaeviz.data.out_of_core import SampleStream, as_samples, sample_shape, subsample, subsample_stride
from vaeviz.data.sample_kind import infer_kind
from vaeviz.errors import GuessWarning, InputError
from vaeviz.model.calling import has_convolutions, numpy_caller, positional_arity
from vaeviz.model.conditions import as_condition, fixed_condition_rows, missing_condition_hint, resolve_condition
from vaeviz.model.decoder import Decoder
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior


def decode(decoder: Any, z: Any, condition: Any = None, *, reference: Any = None) -> np.ndarray:
    """Decoded samples (N, *sample), float32, for codes (N, D) or the means of a `Posterior`.

    decoder: a callable, a model, or a `Decoder`. condition: (N, ...), passed beside z: classes or names where the
        decoder says its `conditions`, else what it takes; by default the one fixed by `given`, else that of the
        `Posterior`, each sample's own.
    reference: samples (M, *sample) that the decoded ones are to be compared with; they take its shape, and values
        far out of its range warn (logits or a tanh that nobody declared).

    Runs in batches, in eval mode, without gradients. Raises `InputError` if the decoder fails, loses rows, or
    returns anything but finite numbers; `NotApplicable` if it takes a condition, and none is given.
    """
    parts = list(decode_batches(decoder, z, condition, reference=reference))
    return np.concatenate([values for _, values in parts])


def decode_batches(
    decoder: Any, z: Any, condition: Any = None, *, reference: Any = None, size: int | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """What `decode` returns, as (which rows, these rows) batch by batch, so that nobody need hold it all.

    size: rows at a time, where the decoder does not declare its own.
    """
    decoder = as_decoder(decoder)
    codes = _codes(decoder, z)
    condition = _condition(decoder, condition, z, len(codes))
    reference = None if reference is None else as_samples(reference, "reference")
    shape, layout, seen, first = None, None, None, 0
    for rows, batch in iterate_batches(codes, decoder.batch_size or size, desc="decoding"):
        arrays = [batch] + ([] if condition is None else [condition[rows]])
        count = len(batch)
        first = first or count
        arrays = pad_batch(arrays, decoder.batch_size) if decoder.pad else arrays
        try:
            with numpy_caller(decoder.fn) as call:  # and not for longer: what is yielded to has modes of its own
                values = _read(call(*arrays), len(arrays[0]))[:count]
        except Exception as error:
            hint = batch_size_hint("Decoder", arrays[0], first) or missing_condition_hint(error, condition)
            raise InputError(
                f"decoder {decoder.name}, given {describe_batch(arrays[0])}: {one_line(error)}{hint}"
            ) from error
        if shape is None:
            shape, layout = values.shape[1:], _layout(decoder, values.shape[1:], reference)
        _check_same_shape(decoder, shape, values.shape[1:])
        values = _laid_out(decoder, _in_range(decoder, values), *layout)
        seen = _Seen(len(codes), values.shape[1:]) if seen is None else seen
        seen.add(rows.start, values)
        yield rows, values
    _compare(decoder, seen.some, reference)


class _Seen:
    """Some of the samples that come in batches, see `vaeviz.data.out_of_core.some`.

    In one array from the beginning: small ones that stay, between large ones that come and go, would split the memory.
    """

    def __init__(self, total: int, shape: tuple[int, ...]):
        self.every = subsample_stride(total, shape)
        self.some = np.empty((-(-total // self.every), *shape), np.float32)

    def add(self, start: int, batch: np.ndarray) -> None:
        taken, place = batch[-start % self.every :: self.every], -(-start // self.every)
        self.some[place : place + len(taken)] = taken


def latent_size(decoder: Any) -> int:
    """D of a decoder; `InputError` with the line to write where it is not declared."""
    decoder = as_decoder(decoder)
    if decoder.latent_size is None:
        raise InputError(
            f"decoder {decoder.name}: its latent size is not known; write Decoder(fn, latent_shape=(D,)), "
            "or give the encoder and x as well"
        )
    return decoder.latent_size


def _codes(decoder: Decoder, z: Any) -> np.ndarray:
    """The codes in the shape that the decoder takes, float32 and contiguous."""
    code_shape = z.code_shape if isinstance(z, Posterior) else ()
    codes = np.ascontiguousarray(check_samples(z.mean if isinstance(z, Posterior) else z, "z"), dtype=np.float32)
    shape = decoder.latent_shape or code_shape or codes.shape[1:]
    if math.prod(shape) != math.prod(codes.shape[1:]):
        raise InputError(f"decoder {decoder.name}: takes codes of shape {shape}, got {codes.shape[1:]}")
    return codes.reshape(len(codes), *shape)


def _condition(decoder: Decoder, condition: Any, z: Any, total: int) -> np.ndarray | None:
    if condition is not None and positional_arity(decoder.fn)[1] < 2:
        raise InputError(f"decoder {decoder.name}: takes codes alone, and got a condition")
    if condition is None:
        condition = getattr(z, "condition", None) if decoder.condition is None else fixed_condition_rows(decoder, total)
    return resolve_condition(decoder, "decoder", None if condition is None else as_condition(condition, total))


def _read(returned: Any, rows: int) -> np.ndarray:
    values = as_array(_samples_in(returned))
    check_row_count(values, rows)
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError("got NaN or infinite values")
    return values


def _samples_in(returned: Any) -> Any:
    """The samples in what a decoder returned: an array, the first of a tuple, a named output, a mean."""
    if isinstance(returned, Mapping):
        names = ("reconstruction", "recon_x", "recon", "sample", "x", "mean", "logits")
        found = next((name for name in names if name in returned), None)
        if found is None:
            raise InputError(f"got outputs named {', '.join(map(str, returned))}, none known as the samples")
        return returned[found]
    if isinstance(returned, tuple):
        return returned[0]
    for name in ("sample", "mean"):
        value = getattr(returned, name, None)
        if value is not None and not callable(value):
            return value
    return returned


def _check_same_shape(decoder: Decoder, first: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if shape != first:
        shapes = " and ".join(map(str, sorted([first, shape])))
        raise InputError(f"decoder {decoder.name}: samples change shape between batches, {shapes}")


def _in_range(decoder: Decoder, values: np.ndarray) -> np.ndarray:
    if decoder.output == "logits":
        from scipy.special import expit

        values = expit(values)
    if decoder.value_range is not None:
        low, high = decoder.value_range
        values = (values - low) / (high - low)
    return values.astype(np.float32, copy=False)


def _layout(
    decoder: Decoder, shape: tuple[int, ...], reference: np.ndarray | SampleStream | None
) -> tuple[bool, tuple[int, ...]]:
    """(whether the decoder's channels are moved to the end, the shape of a sample then).

    The shape is the declared one, else that of `reference`, else as it comes with the channels last.
    """
    wanted = decoder.sample_shape or (None if reference is None else sample_shape(reference))
    unclear = len(shape) == 3 and (shape != wanted or len(set(shape)) == 1)
    moved = unclear and _puts_channels_first(decoder, shape, wanted)
    if moved:
        shape = (*shape[1:], shape[0])
    if wanted is None:
        wanted = shape[:2] if len(shape) == 3 and shape[-1] == 1 else shape
    return moved, wanted


def _laid_out(decoder: Decoder, values: np.ndarray, moved: bool, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return match_shape(np.moveaxis(values, 1, -1) if moved else values, shape)
    except InputError as error:
        raise InputError(f"decoder {decoder.name}: {error}") from None


def _puts_channels_first(decoder: Decoder, shape: tuple[int, ...], wanted: tuple[int, ...] | None) -> bool:
    """Whether the decoder's (a, b, c) is (C, H, W) and is wanted otherwise."""
    if decoder.layout is not None:
        return decoder.layout == "channels_first"
    if len(set(shape)) == 1 and shape[0] > 1:
        return _guessed_channels_first(decoder, shape)
    return wanted is None and is_channels_first(shape)


def _guessed_channels_first(decoder: Decoder, shape: tuple[int, ...]) -> bool:
    """Where shapes cannot tell: a torch convolution puts the channels first."""
    if not has_convolutions(decoder.fn):
        return False
    warnings.warn(
        f"decoder {decoder.name}: samples of shape {shape} may have their channels first or last; they were read as "
        'first, as torch convolutions give them. Say so with Decoder(fn, layout="channels_first") or '
        'Decoder(fn, layout="channels_last")',
        GuessWarning,
        stacklevel=2,
    )
    return True


def _compare(decoder: Decoder, values: np.ndarray, reference: np.ndarray | SampleStream | None) -> None:
    """Warns where the decoder's values and the data's lie so far apart that their scales must differ."""
    if decoder.output or decoder.value_range:
        return
    low, high = np.quantile(values, (0.01, 0.99))
    if reference is None:
        expected = (0.0, 1.0) if infer_kind(values.shape[1:]) == "image" else (low, high)
        theirs = "images are drawn over [0, 1]"
    else:
        expected = tuple(np.quantile(subsample(reference), (0.01, 0.99)))
        theirs = f"the data lie in [{expected[0]:.2g}, {expected[1]:.2g}]"
    margin = 0.3 * (expected[1] - expected[0])
    if not margin or infer_kind(values.shape[1:]) == "point":
        return
    beyond = low < expected[0] - margin or high > expected[1] + margin
    too_small = expected[1] > 10 and max(abs(low), abs(high)) < expected[1] / 50
    if beyond or too_small:
        warnings.warn(
            f"decoder {decoder.name} returned values in [{low:.2g}, {high:.2g}], but {theirs}. If they are logits, "
            'write Decoder(fn, output="logits"); after a tanh, Decoder(fn, value_range=(-1, 1)); if they are right as '
            'they are, Decoder(fn, output="values"). Data of bytes are to be divided by 255',
            GuessWarning,
            stacklevel=4,
        )
