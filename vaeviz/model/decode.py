"""Decode codes: the only module that calls a foreign decoder.

Codes are checked, reshaped, cut into batches, padded, and sent to the function (`ForeignFunction`). The samples in its
return value are checked, rescaled (`Decoder.rescale`), arranged with the channels last, and compared with the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.data.batches import check_row_count, check_samples, iterate_batches, pad_batch
from vaeviz.data.channels import is_channels_first, match_shape
from vaeviz.data.out_of_core import SampleStream, as_samples, sample_shape, subsample, subsample_stride
from vaeviz.data.sample_kind import infer_kind
from vaeviz.data.value_ranges import BYTE_RANGE
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, advise, declare, warn_user
from vaeviz.model.call_advice import explain_decoder_failure, latent_shape_of_layers, one_hot_fix
from vaeviz.model.calling import ForeignFunction, call_error, positional_arity
from vaeviz.model.conditions import warn_of_unused_condition
from vaeviz.model.decoder import Decoder
from vaeviz.model.opening import as_decoder
from vaeviz.model.output_tree import Path, find_samples, get_output, write_path
from vaeviz.model.posterior import Posterior
from vaeviz.model.repeatability import last_rows, repeatability_warning, same_rows
from vaeviz.model.torch_probe import ModuleCall

QUANTILES = (0.01, 0.99)  # the ends of a range of values, without outliers
RANGE_MARGIN = 0.3  # share of the data's range by which decoded values may exceed it
SMALL_SHARE = 1 / 8  # decoded values that span less of the range of the data are probably of another range

DRAW_FROM_OWN_PRIOR = Fix("Draw codes z from the prior of the model, and write vaeviz.decode(decoder, z).")


def decode(decoder: Any, z: Any, condition: Any = None, *, reference: Any = None) -> np.ndarray:
    """Decode codes and return samples.

    The decoder runs in batches, in eval mode and without gradients.

    Parameters
    ----------
    decoder : callable, model or Decoder
        Anything that has a decoder.
    z : array_like, shape (N, D), or Posterior
        Codes. Of a `Posterior`, the means.
    condition : array_like, shape (N, ...), optional
        Condition of each code, for a conditional model: classes or names if the decoder declares its `conditions`,
        else what it receives. By default the one fixed by `vaeviz.condition_on`, else that of the `Posterior`.
    reference : array_like, shape (M, ...), optional
        Samples to compare with. The decoded samples take their shape, and values far out of their range cause a
        warning, since an undeclared sigmoid or range is likely.

    Returns
    -------
    ndarray of float32, shape (N, ...)
        The samples.

    Raises
    ------
    InputError
        If the decoder fails, loses rows, or returns numbers that are not finite.
    NotApplicable
        If it needs a condition and receives none.

    Warns
    -----
    GuessWarning
        If something was inferred that is not proven.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> vaeviz.decode(lambda z: z.repeat(8, axis=1) / 2, np.ones((5, 2)), reference=np.ones((9, 4, 4))).shape
    (5, 4, 4)
    """
    return np.concatenate([values for _, values in decode_batches(decoder, z, condition, reference=reference)])


def decode_batches(
    decoder: Any, z: Any, condition: Any = None, *, reference: Any = None, size: int | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Decode codes batch by batch.

    Parameters
    ----------
    decoder, z, condition, reference : Any
        See `decode`.
    size : int, optional
        Number of codes per batch if the decoder does not declare its own.

    Yields
    ------
    rows : slice
        Which codes these are.
    samples : ndarray of float32, shape (n, ...)
        Their samples.
    """
    return _decode_batches(decoder, z, condition, reference, size, [])


@dataclass(frozen=True)
class OutputLayout:
    """Where the samples are in what a decoder returns, and how they are arranged.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    moves_channels : bool
        True if the first axis becomes the last before.
    is_declared : bool, default True
        False if the shape is that of the samples that were passed.
    path : tuple, default ()
        Keys that lead from what the decoder returns to the samples.
    """

    shape: tuple[int, ...]
    moves_channels: bool
    is_declared: bool = True
    path: Path = ()

    def arrange(self, samples: np.ndarray, name: str) -> np.ndarray:
        """Return samples in this layout.

        Parameters
        ----------
        samples : ndarray, shape (n, ...)
            What the decoder returned.
        name : str
            Name of the decoder in messages.

        Returns
        -------
        ndarray, shape (n, *shape)
            The same samples.
        """
        try:
            return match_shape(np.moveaxis(samples, 1, -1) if self.moves_channels else samples, self.shape)
        except InputError as error:
            shape, whose = samples.shape[1:], "its sample_shape is" if self.is_declared else "x has samples of shape"
            of_one_model = Fix(f"Pass x with samples of shape {shape}, or the decoder of the model that encodes x.")
            raise InputError(
                f"decoder {name} returned samples of shape {shape}, but {whose} {self.shape}.",
                got=str(shape),
                expected=str(self.shape),
                fix=declare("Decoder", sample_shape=shape) if self.is_declared else of_one_model,
            ) from error


@dataclass(frozen=True)
class DecodingTrace:
    """What a decoding showed about the decoder.

    Parameters
    ----------
    samples : ndarray of float32, shape (N, ...)
        The decoded samples.
    layout : OutputLayout
        How they were arranged.
    module_calls : list of ModuleCall
        The torch modules that ran.
    """

    samples: np.ndarray
    layout: OutputLayout
    module_calls: list[ModuleCall]


def trace_decoding(decoder: Any, z: Any, condition: Any = None, *, reference: Any = None) -> DecodingTrace:
    """Decode codes, and return what this showed about the decoder as well.

    Parameters
    ----------
    decoder, z, condition, reference : Any
        See `decode`.

    Returns
    -------
    DecodingTrace
        The samples, and what the decoding showed.
    """
    traces: list[tuple[OutputLayout, list[ModuleCall]]] = []
    parts = list(_decode_batches(decoder, z, condition, reference, None, traces))
    return DecodingTrace(np.concatenate([samples for _, samples in parts]), *traces[0])


def _decode_batches(
    decoder: Any,
    z: Any,
    condition: Any,
    reference: Any,
    size: int | None,
    traces: list[tuple[OutputLayout, list[ModuleCall]]],
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and samples batch by batch. `traces` receives what the first batch showed."""
    decoder = as_decoder(decoder)
    codes = _shape_codes(decoder, z)
    values_of_y = _condition_values(decoder, condition, z, len(codes))
    _check_range_of_both(decoder, z)
    reference = None if reference is None else as_samples(reference, "reference")
    layout: OutputLayout | None = None
    returned_shape: tuple[int, ...] = ()
    compared: _Subsample | None = None
    call = _DecoderCall(decoder, reference)
    for rows, batch in iterate_batches(codes, decoder.batch_size or size, desc="decoding"):
        arrays = [batch, *([] if values_of_y is None else [values_of_y[rows]])]
        samples = call(*arrays)
        if layout is None or compared is None:
            returned_shape = samples.shape[1:]
            layout = _output_layout(call, returned_shape)
            traces.append((layout, call.function.module_calls))
            compared = _Subsample(len(codes), layout.shape)
            call.warn_of_other_outputs()
            _check_size(call, batch, samples)
            if decoder.batch_size is None:
                _check_repeatability(call, arrays, samples)
            if len(arrays) > 1:
                warn_of_unused_condition(f"decoder {decoder.name}", arrays[1], samples, partial(call, batch))
        elif samples.shape[1:] != returned_shape:
            shapes = sorted([returned_shape, samples.shape[1:]])
            raise InputError(
                f"The samples of decoder {decoder.name} change shape between batches, {shapes[0]} and {shapes[1]}.",
                got=str(samples.shape[1:]),
                expected=str(returned_shape),
            )
        samples = layout.arrange(decoder.rescale(samples), decoder.name)
        compared.add(rows.start, samples)
        yield rows, samples
    if compared is not None:
        _compare_ranges(decoder, compared.samples, reference)


def latent_size(decoder: Any) -> int:
    """Return the number of latent dimensions of a decoder.

    Parameters
    ----------
    decoder : callable, model or Decoder
        Anything that has a decoder.

    Returns
    -------
    int
        The number of dimensions D, as declared or as the first torch layer proves.

    Raises
    ------
    InputError
        If neither tells it.
    """
    part = as_decoder(decoder)
    if part.latent_size is not None:
        return part.latent_size
    shape = latent_shape_of_layers(part.fn)
    if shape is not None and len(shape) == 1:
        return shape[0]
    declaration = declare("Decoder", latent_shape=shape or (2,))
    raise InputError(
        f"decoder {part.name} does not declare its latent size.",
        expected="latent_shape",
        fix=Fix(
            f"{declaration.python} Or pass the encoder and x as well.",
            f"{declaration.command_line} Or name the encoder and the data as well.",
        ),
    )


def has_normal_prior(decoder: Decoder, posterior: Posterior | None = None) -> bool:
    """Return True if the prior is known to be N(0, I).

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    posterior : Posterior, optional
        Codes of the same model.

    Returns
    -------
    bool
        The answer: what the decoder declares, else what the posterior says.
    """
    return decoder.prior == "normal" or bool(decoder.prior is None and posterior and posterior.prior)


def check_normal_prior(decoder: Decoder, posterior: Posterior | None = None) -> None:
    """Raise NotApplicable unless codes can be drawn from N(0, I).

    Parameters
    ----------
    decoder : Decoder
        The decoder. Alone, it may have any prior that is not declared to be another one.
    posterior : Posterior, optional
        Codes of the same model, which show whether its prior is known.

    Raises
    ------
    NotApplicable
        If the prior is another one, or the model of the posterior has none that is known.
    """
    if decoder.prior == "other":
        raise NotApplicable(f"The prior of decoder {decoder.name} is not N(0, I).", fix=DRAW_FROM_OWN_PRIOR)
    if posterior is not None and not has_normal_prior(decoder, posterior):
        raise NotApplicable(
            "The prior of the model is not known to be N(0, I).",
            fix=advise(
                ("If it is N(0, I)", declare("Decoder", prior="normal")), ("If it is another one", DRAW_FROM_OWN_PRIOR)
            ),
        )


def _shape_codes(decoder: Decoder, z: Any) -> np.ndarray:
    """Return the codes in the shape that the decoder takes, float32 and contiguous."""
    code_shape = z.code_shape if isinstance(z, Posterior) else ()
    codes = np.ascontiguousarray(check_samples(z.mean if isinstance(z, Posterior) else z, "z"), dtype=np.float32)
    shape = decoder.latent_shape or code_shape or codes.shape[1:]
    if math.prod(shape) != math.prod(codes.shape[1:]):
        raise InputError(
            f"decoder {decoder.name} takes codes of shape {shape}, but z has codes of shape {codes.shape[1:]}.",
            got=str(codes.shape[1:]),
            expected=str(shape),
        )
    return codes.reshape(len(codes), *shape)


def _condition_values(decoder: Decoder, condition: Any, z: Any, n_codes: int) -> np.ndarray | None:
    if condition is not None and positional_arity(decoder.fn)[1] < 2:
        raise InputError(
            f"decoder {decoder.name} takes codes alone, but received a condition.",
            got="a condition",
            expected="z alone",
            fix="Leave out condition.",
        )
    if condition is None and decoder.condition is None:
        condition = getattr(z, "condition", None)
    return decoder.condition_values(decoder.condition_rows(condition, n_codes))


class _DecoderCall:
    """Call a decoder and read the samples in what it returns, checked, as float32.

    Parameters
    ----------
    decoder : Decoder
        The decoder.
    reference : ndarray or SampleStream, or None
        Samples to compare with.

    Attributes
    ----------
    sample_shape : tuple of int or None
        Shape of one sample, as declared, else that of the reference. None if there is neither.
    path : tuple or None
        Keys that lead from what the decoder returns to the samples. None before the first batch.
    """

    def __init__(self, decoder: Decoder, reference: np.ndarray | SampleStream | None) -> None:
        self.decoder, self.function = decoder, ForeignFunction(decoder.fn)
        self.sample_shape = decoder.sample_shape or (None if reference is None else sample_shape(reference))
        self._sample_size = None if self.sample_shape is None else math.prod(self.sample_shape)
        self._first_size = 0
        self.path: Path | None = None
        self._choices: list[str] = []  # what to write for each output of the first batch that may be the samples

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        """Return the samples of one batch.

        Parameters
        ----------
        *arrays : ndarray, shape (n, ...)
            Codes, and their conditions if there are any.

        Returns
        -------
        ndarray of float32, shape (n, ...)
            The samples.
        """
        decoder, n_rows, sent = self.decoder, len(arrays[0]), list(arrays)
        self._first_size = self._first_size or n_rows
        if decoder.pad and decoder.batch_size is not None:
            sent = pad_batch(sent, decoder.batch_size)
        try:
            with self.function:  # not around yield: the caller may run or train models between batches
                return self._read(self.function(*sent), len(sent[0]))[:n_rows]
        except Exception as error:
            is_smaller = n_rows < self._first_size and not decoder.pad
            fix = declare("Decoder", batch_size=self._first_size, pad=True) if is_smaller else None
            fix = fix or decoder.missing_argument_fix(error, sent[1] if len(sent) > 1 else None)
            if fix is None and len(sent) > 1:
                fix = one_hot_fix(self.function, sent)
            is_explained = fix is not None or len(sent) > 1 or isinstance(error, InputError)
            reason = None if is_explained else explain_decoder_failure(self.function, sent[0])
            raise call_error("decoder", decoder.name, sent[:1], reason or error, fix) from error

    def _read(self, returned: Any, n_rows: int) -> np.ndarray:
        if self.path is None:
            paths = find_samples(returned, n_rows, self._sample_size)
            self.path, self._choices = paths[0], [write_path(returned, path) for path in paths]
        values = as_array(get_output(returned, self.path))
        check_row_count(values, n_rows)
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(
                "The decoder returned NaN or infinite values.", got="NaN or infinite values", expected="finite values"
            )
        return values

    def warn_of_other_outputs(self) -> None:
        """Warn if other outputs of the first batch may be the samples as well as the one that was read."""
        if len(self._choices) < 2:
            return
        codes = "z, condition" if self.decoder.accepts_condition and self.decoder.names_condition else "z"
        first, second = (f"vaeviz.Decoder(lambda {codes}: fn({codes}){choice})" for choice in self._choices[:2])
        warn_user(
            GuessWarning(
                f"decoder {self.decoder.name} returned {len(self._choices)} arrays that may be the samples; the first "
                "was read.",
                fix=advise(
                    ("To confirm this", Fix(f"Write {first}, where fn is the decoder.")),
                    ("If it is the second", Fix(f"Write {second}.")),
                ),
            )
        )


def _check_repeatability(call: _DecoderCall, arrays: list[np.ndarray], samples: np.ndarray) -> None:
    """Warn if the last rows decode to something else a second time, or without the others."""
    last = last_rows(arrays)
    if len(last[0]) == len(samples):
        return
    try:
        alone = call(*last)
    except InputError:
        return  # it may take batches of one size only
    if same_rows(alone, samples):
        return
    is_steady = same_rows(alone, call(*last))
    warn_user(repeatability_warning("decoder", call.decoder.name, is_steady=is_steady))


def _check_size(call: _DecoderCall, codes: np.ndarray, samples: np.ndarray) -> None:
    """Warn if samples of unknown shape hold fewer values than their codes, as those of an encoder do."""
    n_values, n_dimensions = samples[0].size, codes[0].size
    if n_values >= n_dimensions or call.sample_shape is not None:
        return
    warn_user(
        GuessWarning(
            f"decoder {call.decoder.name} returned samples of {n_values} values for codes of {n_dimensions}, as an "
            "encoder does.",
            fix=advise(
                ("If it is the encoder", Fix("Pass its decoder instead.")),
                ("If these are samples", declare("Decoder", sample_shape=samples.shape[1:])),
            ),
        )
    )


def _output_layout(call: _DecoderCall, shape: tuple[int, ...]) -> OutputLayout:
    """Return the layout of samples returned in a shape: as expected, else with the channels last."""
    decoder, expected = call.decoder, call.sample_shape
    is_cube = len(shape) == 3 and len(set(shape)) == 1
    moves = False
    if len(shape) == 3 and (shape != expected or is_cube):
        if decoder.layout is not None:
            moves = decoder.layout == "channels_first"
        elif is_cube and shape[0] > 1:
            moves = any(
                isinstance(getattr(one.module, "kernel_size", None), tuple) for one in call.function.module_calls
            )
            if moves:
                _warn_of_channels(decoder, shape)
        else:
            moves = expected is None and is_channels_first(shape)
    if moves:
        shape = (*shape[1:], shape[0])
    if expected is None:
        expected = shape[:2] if len(shape) == 3 and shape[-1] == 1 else shape
    return OutputLayout(expected, moves, is_declared=decoder.sample_shape is not None, path=call.path or ())


def _warn_of_channels(decoder: Decoder, shape: tuple[int, ...]) -> None:
    first, last = declare("Decoder", layout="channels_first"), declare("Decoder", layout="channels_last")
    warn_user(
        GuessWarning(
            f"Samples of shape {shape} from decoder {decoder.name} may have their channels first or last; they were "
            "read as first, as torch convolutions return them.",
            fix=advise(("To confirm this", first), ("If they are last", last)),
        )
    )


class _Subsample:
    """Evenly spaced samples of those that come in batches.

    They are stored in one array from the beginning: small arrays that stay between large ones would fragment memory.
    """

    def __init__(self, n_samples: int, shape: tuple[int, ...]) -> None:
        self.stride = subsample_stride(n_samples, shape)
        self.samples = np.empty((-(-n_samples // self.stride), *shape), np.float32)

    def add(self, start: int, batch: np.ndarray) -> None:
        """Keep the rows of a batch that are in the subsample. `start` is the number of its first row."""
        rows, first = batch[-start % self.stride :: self.stride], -(-start // self.stride)
        self.samples[first : first + len(rows)] = rows


def _check_range_of_both(decoder: Decoder, z: Any) -> None:
    """Warn if the encoder of the codes declares a value range and the decoder does not, or the reverse."""
    of_encoder = z._input_range if isinstance(z, Posterior) else None
    of_decoder = decoder.value_range or (() if decoder.output is None else None)
    if of_encoder is None or of_decoder is None or (of_encoder != ()) == (of_decoder != ()):
        return
    declared, undeclared = ("encoder", "Decoder") if of_encoder else ("decoder", "Encoder")
    value_range = of_encoder or of_decoder
    if value_range == (0, 1):
        return
    warn_user(
        GuessWarning(
            f"The {declared} declares value_range={value_range}, and the {undeclared.lower()} declares none.",
            fix=advise(
                ("If it has the same range", declare(undeclared, value_range=value_range)),
                ("If its range is that of the data", declare(undeclared, value_range=(0, 1))),
            ),
        )
    )


def _compare_ranges(decoder: Decoder, values: np.ndarray, reference: np.ndarray | SampleStream | None) -> None:
    """Warn if decoded values and data are so far apart that their scales must differ."""
    if decoder.output or decoder.value_range or infer_kind(values.shape[1:]) == "point":
        return
    low, high = np.quantile(values, QUANTILES)
    expected_low, expected_high, white = 0.0, 1.0, 1.0
    theirs = "images have values in [0, 1]. They are drawn over their own range"
    if reference is not None:
        data = subsample(reference)
        expected_low, expected_high = np.quantile(data, QUANTILES)
        white = float(data.max())
        theirs = f"the data are in [{expected_low:.2g}, {expected_high:.2g}]"
    elif infer_kind(values.shape[1:]) != "image":
        return
    margin = RANGE_MARGIN * (expected_high - expected_low)
    is_beyond = low < expected_low - margin or high > expected_high + margin
    is_too_small = white > 10 and max(abs(low), abs(high)) < SMALL_SHARE * white
    if not margin or not (is_beyond or is_too_small):
        return
    as_they_are = ("If they are right", declare("Decoder", output="values"))
    unit_data = f"Pass x / {BYTE_RANGE[1] if BYTE_RANGE[1] / 2 < white <= BYTE_RANGE[1] else white:g}."
    fix = (
        advise(("If the model expects data in [0, 1]", Fix(unit_data)), as_they_are)
        if is_too_small
        else advise(
            ("If they are logits", declare("Decoder", output="logits")),
            ("After a tanh", declare("Decoder", value_range=(-1, 1))),
            ("If the encoder also takes data in [-1, 1]", declare("Encoder", value_range=(-1, 1))),
            as_they_are,
        )
    )
    message = f"decoder {decoder.name} returned values in [{low:.2g}, {high:.2g}], but {theirs}."
    warn_user(GuessWarning(message, fix=fix))
