"""Encode samples: the only module that calls a foreign encoder.

Samples are unpacked, checked, cut into batches, preprocessed and rescaled (`Encoder.prepare_batch`), padded, arranged
(`InputLayout`), and sent to the function (`ForeignFunction`). Its return value is interpreted (`OutputSpec`) and
checked, and the batches are joined to a `Posterior`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from vaeviz.data.batches import check_row_count, check_samples, iterate_batches, pad_batch
from vaeviz.data.dask_blocks import ShippedFunction, dask_cluster, is_dask_array, map_row_blocks
from vaeviz.data.out_of_core import SampleStream, StoredArray, as_samples, is_same_source, take_rows
from vaeviz.data.ray_blocks import map_ray_blocks, ray_cluster
from vaeviz.data.ray_dataset import RayRows
from vaeviz.data.row_buffer import RowBuffer
from vaeviz.data.row_index import check_row_index
from vaeviz.data.value_ranges import BYTE_RANGE, warn_of_gray_levels
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, advise, declare, each_advice_once, warn_user
from vaeviz.model.call_advice import explain_encoder_failure, find_bottleneck, one_hot_fix
from vaeviz.model.calling import ForeignFunction, call_error, random_states
from vaeviz.model.code_names import named_spread
from vaeviz.model.conditions import as_condition, warn_of_unused_condition
from vaeviz.model.decode import decode
from vaeviz.model.encoder import Encoder
from vaeviz.model.layout import InputLayout, call_in_layout, declared_layout
from vaeviz.model.opening import as_encoder
from vaeviz.model.output_tree import same_arrays, same_up_to_rounding
from vaeviz.model.outputs import OutputSpec, declared_outputs, infer_outputs
from vaeviz.model.parameter_checksum import parameter_checksum
from vaeviz.model.posterior import Posterior
from vaeviz.model.repeatability import N_REPEATED_ROWS, last_rows, repeatability_warning, same_rows
from vaeviz.model.torch_probe import ModuleCall, loaded_modules
from vaeviz.model.whole_model import ReconstructionProbe, apply_step
from vaeviz.plugins.diagnostics import capture_warnings

MAX_DIRECTION_LENGTH = 1 + 1e-3  # of a mean on or in the unit sphere, as a von Mises-Fisher distribution has
MAX_RECONSTRUCTED_SAMPLES = 64  # show whether a model reconstructs

MIN_EXPLAINED_SHARE = 0.1  # of the variance, by which one range must be better than the other to be proven


def encode(encoder: Any, x: Any, condition: Any = None) -> Posterior:
    """Encode samples and return their posteriors.

    The encoder runs in batches, in eval mode and without gradients. Samples that are not in memory are read one batch
    at a time.

    Parameters
    ----------
    encoder : callable, model, Encoder or Posterior
        Anything that has an encoder. A `Posterior` must have been computed from `x`, and is returned.
    x : array_like, shape (N, ...)
        Samples: an array in memory or on disk (memory-mapped, HDF5, zarr), a `datasets.Dataset`, or batches that can be
        read again, see `vaeviz.Batches`. The blocks of a dask array or a Ray Dataset are encoded where they are, e.g.
        on the workers of a `distributed.Client`.
    condition : array_like, shape (N, ...), optional
        Condition of each sample, for a conditional model: classes or names if the encoder declares its `conditions`,
        else what it receives. The posterior keeps it.

    Returns
    -------
    Posterior
        Means (N, D) and, if the encoder returns a spread, standard deviations. Arrays above a gigabyte are
        memory-mapped from a temporary file.

    Raises
    ------
    InputError
        If the encoder fails, loses rows, returns numbers that are not finite, or its outputs cannot be interpreted.
    NotApplicable
        If it needs a condition and receives none.

    Warns
    -----
    GuessWarning
        If something was inferred that is not proven, or the encoder returns other means for the same samples.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> posterior = vaeviz.encode(lambda x: (x[:, :2], x[:, 2:] - 1), np.zeros((5, 4)))
    >>> posterior.mean.shape, posterior.std.shape
    ((5, 2), (5, 2))
    """
    return trace_encoding(encoder, x, condition)[0]


@dataclass(frozen=True)
class EncodingTrace:
    """What an encoding showed about the encoder.

    Parameters
    ----------
    layout : InputLayout
        How the samples were arranged.
    outputs : OutputSpec
        How the outputs were interpreted.
    returned : Any
        What the encoder returned for the first batch.
    is_steady : bool
        True if it returned the same means for the same samples.
    module_calls : list of ModuleCall
        The torch modules that ran.
    step_name : str or None
        Name of the function of the model that is applied to the codes, as the model itself does before it decodes
        them.
    step : ForeignFunction or None
        This function.
    bytes_sent : BytesSent or None
        In which range samples were sent that were stored as bytes. None for other samples.
    """

    layout: InputLayout
    outputs: OutputSpec
    returned: Any
    is_steady: bool
    module_calls: list[ModuleCall] = field(default_factory=list)
    step_name: str | None = None
    step: ForeignFunction | None = None
    bytes_sent: BytesSent | None = None


def trace_encoding(encoder: Any, x: Any, condition: Any = None) -> tuple[Posterior, EncodingTrace | None]:
    """Encode samples, and return what this showed about the encoder as well.

    Parameters
    ----------
    encoder, x, condition : Any
        See `encode`.

    Returns
    -------
    posterior : Posterior
        The posteriors.
    trace : EncodingTrace or None
        What the encoding showed. None if nothing was called.
    """
    if isinstance(encoder, Posterior):
        return _own_posterior(encoder, check_samples(x, "x"), condition), None
    if isinstance(encoder, Encoder) and encoder._cached is not None and _is_cached(encoder, x, condition):
        return encoder._cached[1], None
    encoder = as_encoder(encoder)
    x, condition = encoder.unpack_samples(x, condition)
    check_row_index(condition, "condition", x)
    x = check_samples(x, "x")
    if condition is not None or encoder.condition is not None:
        condition = encoder.condition_rows(condition, len(x))
    values = encoder.condition_values(condition)
    bytes_sent = None
    if isinstance(x, SampleStream) and x.divides_bytes and encoder.value_range is None:
        bytes_sent = choose_byte_range(encoder, x, condition)
        encoder = bytes_sent.encoder
    traces: list[EncodingTrace] = []
    with ForeignFunction(encoder.fn) as call:
        batches = _encode_batches(call, encoder, x, values, traces)
        if isinstance(x, StoredArray) and (is_dask_array(x.source) or isinstance(x.source, RayRows)):
            first_mean, _ = next(batches)
            batches = _encode_blocks(BlockEncoder.of(encoder, traces[0], x), x.source, values, first_mean[0].size)
        posterior = _join_batches(batches, encoder, traces)
    input_range = () if bytes_sent else encoder.value_range or (() if encoder.preprocess is None else None)
    return replace(posterior, condition=condition, _input_range=input_range), replace(traces[0], bytes_sent=bytes_sent)


@dataclass(frozen=True)
class BytesSent:
    """In which range an encoder received samples that were stored as bytes.

    Parameters
    ----------
    encoder : Encoder
        The encoder, as it receives them.
    value_range : tuple of float
        ``(0, 1)`` or ``(0, 255)``.
    evidence : str
        Why.
    """

    encoder: Encoder
    value_range: tuple[float, float]
    evidence: str

    @property
    def declaration(self) -> dict[str, Any]:
        """Settings of `Encoder` that declare the range. Empty for an encoder that preprocesses bytes itself."""
        return {} if self.encoder.preprocess is not None else {"value_range": self.value_range}


def choose_byte_range(encoder: Encoder, x: SampleStream, condition: Any) -> BytesSent:
    """Choose whether an encoder receives bytes as they are or divided by 255, by what its decoder reconstructs.

    Parameters
    ----------
    encoder : Encoder
        The encoder, without a declared value range.
    x : SampleStream, shape (N, ...)
        The samples, in [0, 1].
    condition : array_like, shape (N, ...), or None
        Their condition.

    Returns
    -------
    BytesSent
        The encoder as it receives them. They are divided where nothing is proven.

    Warns
    -----
    GuessWarning
        If nothing is proven.
    """
    preprocess, name = encoder.preprocess, encoder.name
    if preprocess is None:
        with_bytes = replace(encoder, value_range=BYTE_RANGE)
    else:
        with_bytes = replace(encoder, preprocess=lambda batch: preprocess(batch * np.float32(BYTE_RANGE[1])))
    divided, kept = (_explained_variance(one, x, condition) for one in (encoder, with_bytes))
    if abs(divided - kept) > MIN_EXPLAINED_SHARE and max(divided, kept) > MIN_EXPLAINED_SHARE:
        evidence = f"its reconstruction explains {max(divided, kept):.0%} of the variance, not {min(divided, kept):.0%}"
        if kept > divided:
            return BytesSent(with_bytes, BYTE_RANGE, evidence)
        return BytesSent(encoder, (0, 1), evidence)
    if preprocess is None:
        cases = {low_high: declare("Encoder", value_range=low_high) for low_high in ((0, 1), BYTE_RANGE)}
    else:
        cases = {(0, 1): Fix("Pass x / 255."), BYTE_RANGE: Fix('Pass x.astype("float32").')}
    warn_user(
        GuessWarning(
            f"x holds bytes, which were divided by 255; nothing proves that encoder {name} expects [0, 1].",
            fix=advise(("If it does", cases[0, 1]), ("If it expects bytes, 0 to 255", cases[BYTE_RANGE])),
        )
    )
    return BytesSent(encoder, (0, 1), "not proven")


def _explained_variance(encoder: Encoder, x: SampleStream, condition: Any) -> float:
    """Return the share of the variance of a few samples that their reconstruction explains. 0 if there is none."""
    if encoder._whole is None:
        return 0.0
    rows = slice(MAX_RECONSTRUCTED_SAMPLES)
    samples = take_rows(x, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            posterior = encode(encoder, samples, None if condition is None else condition[rows])
            decoded = decode(encoder._whole.decoder, posterior, reference=samples)
        except (InputError, NotApplicable):
            return 0.0
    from scipy.special import expit

    variance = float(np.sum((samples - samples.mean(axis=0)) ** 2))
    possible = (decoded, decoded / np.float32(BYTE_RANGE[1]), expit(decoded))
    return max(1 - float(np.sum((one - samples) ** 2)) / variance for one in possible) if variance else 0.0


def _encode_batches(
    call: ForeignFunction,
    encoder: Encoder,
    x: np.ndarray | SampleStream,
    condition: np.ndarray | None,
    traces: list[EncodingTrace],
    desc: str | None = "encoding",
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield mean and standard deviation of each batch, in the shape that the encoder gave them.

    `traces` receives what the first batch showed, unless it holds that of another block already.
    """
    first_size = 0
    for rows, batch in iterate_batches(x, encoder.batch_size, desc=desc):
        arrays = [encoder.prepare_batch(batch), *([] if condition is None else [np.asarray(condition[rows])])]
        n_rows = len(arrays[0])
        first_size = first_size or n_rows
        if encoder.pad and encoder.batch_size is not None:
            arrays = pad_batch(arrays, encoder.batch_size)
        try:
            if not traces:
                traces.append(_encode_first_batch(call, encoder, arrays))
                returned = traces[0].returned
            else:
                returned = call(traces[0].layout.arrange(arrays[0]), *arrays[1:])
            trace = traces[0]
            mean, std = _read_codes(trace.outputs, returned, len(arrays[0]), rows.start)
            if trace.step is not None:
                mean = apply_step(trace.step, mean)
            trace.outputs.warn_of_extreme_spread(returned, rows.start, arrays[0])
        except Exception as error:
            is_smaller = len(arrays[0]) < first_size
            fix = declare("Encoder", batch_size=first_size, pad=True) if is_smaller else None
            fix = fix or encoder.missing_argument_fix(error, condition)
            if fix is None and len(arrays) > 1 and not isinstance(error, InputError):
                fix = one_hot_fix(call, arrays)
            reason = None
            if fix is None and rows.start == 0 and not (isinstance(error, InputError) and error.fix.python):
                reason = explain_encoder_failure(call, arrays[0], getattr(x, "shape", arrays[0].shape), error)
            raise call_error("encoder", encoder.name, arrays[:1], reason or error, fix) from error
        yield mean[:n_rows], None if std is None else std[:n_rows]


@dataclass(frozen=True)
class BlockEncoder:
    """An encoder as the workers of a cluster receive it, with what its first batch showed.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    trace : EncodingTrace
        How samples are arranged and outputs interpreted, without the modules and the outputs themselves.
    step : callable or None
        The function of the model that is applied to the codes.
    value_range : tuple of float or None
        Range of stored values, see `StoredArray`.
    dtype : dtype
        Type in which values are read.
    """

    encoder: Encoder
    trace: EncodingTrace
    step: Callable[..., Any] | None
    value_range: tuple[float, float] | None
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, encoder: Encoder, trace: EncodingTrace, x: StoredArray) -> BlockEncoder:
        """Return the encoder for the blocks of an array.

        Parameters
        ----------
        encoder : Encoder
            The encoder.
        trace : EncodingTrace
            What the first batch showed.
        x : StoredArray
            The array.
        """
        alone = replace(encoder, _cached=None, _cached_modules=None, _whole=None)
        known = replace(trace, returned=None, module_calls=[], step=None)
        step = None if trace.step is None else trace.step.function
        return cls(alone, known, step, x.value_range, x.dtype)

    def __call__(
        self, block: np.ndarray, condition: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None, list[Warning]]:
        """Encode a block.

        Parameters
        ----------
        block : ndarray, shape (n, ...)
            Samples, as they are stored.
        condition : ndarray, shape (n, ...), or None
            What the encoder receives with them.

        Returns
        -------
        mean : ndarray, shape (n, ...)
            Means, in the shape that the encoder gives them.
        std : ndarray, shape (n, ...), or None
            Standard deviations.
        warnings : list of Warning
            Warnings that it raised.
        """
        samples = StoredArray(block, self.value_range, dtype=self.dtype)
        trace = replace(self.trace, step=None if self.step is None else ForeignFunction(self.step))
        with capture_warnings() as found, ForeignFunction(self.encoder.fn) as call:
            batches = list(_encode_batches(call, self.encoder, samples, condition, [trace], desc=None))
        means, stds = zip(*batches)
        return np.concatenate(means), None if stds[0] is None else np.concatenate(stds), found


def _encode_blocks(
    encode_block: BlockEncoder, x: Any, condition: np.ndarray | None, code_size: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield mean and standard deviation of each block of a dask array or a Ray Dataset, encoded where it is."""
    is_of_ray = isinstance(x, RayRows)
    encoder = encode_block.encoder
    shipped = ShippedFunction(encode_block, f"encoder {encoder.name}", ray_cluster() if is_of_ray else dask_cluster())
    bytes_per_row = 2 * code_size * np.dtype(np.float32).itemsize
    if is_of_ray:
        on_gpu = any(weights.is_cuda for module in loaded_modules(encoder.fn) for weights in module.parameters())
        results = map_ray_blocks(shipped, x, condition, bytes_per_row=bytes_per_row, on_gpu=on_gpu)
    else:
        results = map_row_blocks(shipped, x, condition, bytes_per_row=bytes_per_row)
    with each_advice_once():
        for mean, std, found in results:
            for warning in found:
                warn_user(warning)
            yield mean, std


def _encode_first_batch(call: ForeignFunction, encoder: Encoder, arrays: list[np.ndarray]) -> EncodingTrace:
    """Find the layout and interpret the outputs, and see whether the encoder repeats them."""
    layout = declared_layout(encoder, arrays[0].shape[1:])
    if layout is None:
        returned, layout = call_in_layout(call, encoder, arrays)
    else:
        returned = call(layout.arrange(arrays[0]), *arrays[1:])
    module_calls = call.module_calls
    takes_indices = any(type(one.module).__name__.startswith("Embedding") for one in module_calls)
    if module_calls and not takes_indices and encoder.value_range is None and encoder.preprocess is None:
        warn_of_gray_levels(arrays[0], encoder.name)
    sent = layout.arrange(arrays[0])
    alone, n_alone, again = _call_again(call, encoder, [sent, *arrays[1:]], returned)
    whole = encoder._whole
    probe = None if whole is None or encoder.pad else ReconstructionProbe(whole, call, sent, arrays[1:])
    if encoder.returns:
        outputs = declared_outputs(encoder.returns, returned, len(sent))
    else:
        outputs = _infer_outputs(call, module_calls, [sent, *arrays[1:]], returned, again, probe)
    mean, std = _read_codes(outputs, returned, len(sent))
    is_steady = again is returned or same_up_to_rounding(mean, _read_codes(outputs, again, len(sent))[0])
    repeats = is_steady
    if is_steady and alone is not None:
        with suppress(InputError):
            repeats = same_rows(_read_codes(outputs, alone, n_alone)[0], mean)
    if not repeats:
        warn_user(repeatability_warning("encoder", encoder.name, is_steady=is_steady))
    if len(arrays) > 1 and encoder.unpack is None:
        warn_of_unused_condition(
            f"encoder {encoder.name}",
            arrays[1],
            mean,
            lambda others: _read_codes(outputs, call(sent, others), len(sent))[0],
        )
    trace = EncodingTrace(layout, outputs, returned, is_steady, module_calls)
    if probe is None or not is_steady:
        return trace
    found = probe.step_between(mean) if std is None else None
    if found is None:
        probe.warn_of_difference(mean)
        return trace
    return replace(trace, step_name=found[0], step=ForeignFunction(found[1]))


def _call_again(
    call: ForeignFunction, encoder: Encoder, arrays: list[np.ndarray], returned: Any
) -> tuple[Any | None, int, Any]:
    """Return what an encoder returns for some rows alone, how many these are, and what it returns a second time.

    These are a few rows or, where it fails on so few, half of the batch. None if it fails on both. It is called with
    the batch again only if it does not repeat the few rows, or draws random numbers.
    """
    alone, n_alone, repeats = None, 0, False
    for n_alone in (N_REPEATED_ROWS, len(arrays[0]) // 2):
        if encoder.batch_size is not None or not 0 < n_alone < len(arrays[0]):
            break
        some, states = last_rows(arrays, n_alone), random_states()
        with suppress(Exception):  # it may take batches of one size only
            alone = call(*some)
            repeats = same_arrays(alone, call(*some)) and random_states() == states
            break
    return alone, n_alone, returned if repeats else call(*arrays)


def _infer_outputs(
    call: ForeignFunction,
    module_calls: list[ModuleCall],
    arrays: list[np.ndarray],
    returned: Any,
    again: Any,
    probe: ReconstructionProbe | None,
) -> OutputSpec:
    """Infer what the outputs for a batch are, with all that is known about the encoder."""
    samples, *conditions = arrays
    outputs = infer_outputs(
        returned,
        n_rows=len(samples),
        again=again,
        samples=samples,
        bottleneck=find_bottleneck(
            call.function, module_calls, len(samples), conditions[0][0].size if conditions else None
        ),
        probe=probe,
        named_spread=named_spread(call),
    )
    _check_not_discrete(outputs.read(returned)[0].dtype)
    return outputs


def _check_not_discrete(dtype: np.dtype) -> None:
    """Raise for integer outputs, which are usually codebook indices or class labels."""
    if dtype.kind == "f":
        return
    raise InputError(
        f"The encoder returned codes of type {dtype}, which are discrete and not points of a latent space.",
        got=str(dtype),
        expected="floating-point codes (N, D)",
        fix=advise(
            ("If they are indices", Fix("Return the embeddings (N, D) that they index.")),
            ("If they are continuous", declare("Encoder", returns="mean")),
        ),
    )


def _read_codes(
    outputs: OutputSpec, returned: Any, n_rows: int, first_row: int = 0
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return mean and standard deviation of a batch as float32, checked."""
    mean, std = outputs.read(returned)
    check_row_count(mean, n_rows)
    if mean.ndim == 1:
        mean, std = mean[:, None], None if std is None else np.asarray(std)[:, None]
    if std is not None and std.shape != mean.shape:
        lengths = np.linalg.norm(mean.reshape(len(mean), -1), axis=1)
        is_concentration = std.size == len(mean) and lengths.max() <= MAX_DIRECTION_LENGTH
        first, second = declare("Encoder", returns="mean,other"), declare("Encoder", returns="other,mean")
        either = advise(("If the first holds the codes", first), ("If the second does", second))
        raise InputError(
            f"The encoder returned a mean of shape {mean.shape} and a spread of shape {std.shape}, expected one shape.",
            got=str(std.shape),
            expected=str(mean.shape),
            fix=declare("Encoder", returns="mean,concentration") if is_concentration else either,
        )
    for name, values in (("mean", mean), ("spread", std)):
        if values is None:
            continue
        is_finite = np.abs(values) <= np.finfo(np.float32).max
        if not is_finite.all():
            row = first_row + int(np.argwhere(~is_finite)[0][0])
            fix = "Clamp the log-variance in the encoder." if outputs.spread in ("log_var", "log_std") else ""
            raise InputError(
                f"The encoder returned a posterior {name} with NaN or infinite values, first in row {row}.",
                got="NaN or infinite values",
                expected="finite values",
                fix=fix if name == "spread" else "",
            )
    return mean.astype(np.float32), None if std is None else std.astype(np.float32)  # copies, which do not hold x


def _join_batches(
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]], encoder: Encoder, traces: list[EncodingTrace]
) -> Posterior:
    """Join the codes of all batches. `traces` is filled as they are read."""
    means, stds = RowBuffer(), RowBuffer()
    shape: tuple[int, ...] | None = None
    has_std = False
    for mean, std in batches:
        shape = mean.shape[1:] if shape is None else shape
        if mean.shape[1:] != shape:
            raise InputError(
                f"The codes of encoder {encoder.name} change shape between batches, {shape} and {mean.shape[1:]}.",
                got=str(mean.shape[1:]),
                expected=str(shape),
            )
        means.append(mean.reshape(len(mean), -1))
        if std is not None:
            has_std = True
            stds.append(std.reshape(len(std), -1))
    assert shape is not None
    std = stds.to_array() if has_std else None
    prior: Literal["normal"] | None = "normal" if encoder.prior == "normal" else None
    if encoder.prior is None and std is not None:
        prior = "normal"
        _warn_of_own_prior(encoder)
    code_shape = shape if len(shape) > 1 else ()
    return Posterior(means.to_array(), std, prior, code_shape, traces[0].outputs.family)


def _warn_of_own_prior(encoder: Encoder) -> None:
    """Warn if N(0, I) is assumed, but the model has a prior of its own."""
    kind = None if encoder._whole is None else encoder._whole.other_prior
    if kind is not None:
        normal, other = declare("Encoder", prior="normal"), declare("Encoder", prior="other")
        warn_user(
            GuessWarning(
                f"The model has a prior of its own, a {kind}, but N(0, I) was assumed.",
                fix=advise(("If it is N(0, I)", normal), ("If it is not", other)),
            )
        )


def encode_others(encoder: Any, x: Any, condition: Any = None) -> Posterior:
    """Encode samples other than those of the data set.

    Parameters
    ----------
    encoder : callable, model or Encoder
        Anything that has an encoder, but not a `Posterior`.
    x : array_like, shape (M, ...)
        The samples.
    condition : array_like, shape (M, ...), optional
        Condition of each sample.

    Returns
    -------
    Posterior
        Their posteriors.

    Raises
    ------
    InputError
        If `encoder` is a `Posterior`, whose codes belong to its own samples.
    """
    if isinstance(encoder, Posterior):
        raise _posterior_error()
    return encode(encoder, x, condition)


def cache_encoding(encoder: Any, x: Any, condition: Any = None) -> Encoder:
    """Encode `x` once; later calls with the same array return the cached posterior.

    Any other array is encoded, even an equal one, and so is `x` under another condition. A conditional encoder that
    receives no condition uses that of the cache. `x` is encoded again once parameters of a torch model have changed.

    Parameters
    ----------
    encoder, x, condition : Any
        See `encode`.

    Returns
    -------
    Encoder
        The encoder with the cache.

    Notes
    -----
    At most 4,096 values of each parameter are compared, so a change of a few values in a large parameter may be missed.
    No other changes are noticed, such as those of `x` in place, or of NumPy arrays and of tensors outside of modules
    that the encoder uses: cache the encoding again after them.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> x = np.zeros((5, 4))
    >>> encoder = vaeviz.cache_encoding(lambda x: x[:, :2], x)
    >>> vaeviz.encode(encoder, x) is vaeviz.encode(encoder, x)
    True
    """
    if not isinstance(encoder, Posterior):
        encoder = as_encoder(encoder)
        x, condition = encoder.unpack_samples(x, condition)
    x, condition = as_samples(x, "x"), None if condition is None else as_condition(condition)
    posterior, trace = trace_encoding(encoder, x, condition)
    cached = with_posterior(encoder, x, posterior)
    if trace is None:
        return cached
    if trace.bytes_sent is not None:
        cached = replace(trace.bytes_sent.encoder, _cached=cached._cached)
    modules = tuple(call.module for call in trace.module_calls)
    return replace(cached, _cached_modules=modules, _cached_checksum=_checksum(cached.fn, modules))


def with_posterior(encoder: Any, x: np.ndarray | SampleStream, posterior: Posterior) -> Encoder:
    """Return an encoder with a posterior in its cache.

    Parameters
    ----------
    encoder : callable, model, Encoder or Posterior
        The encoder for other samples. A `Posterior` has none.
    x : ndarray or SampleStream, shape (N, ...)
        The samples.
    posterior : Posterior
        Their posterior.

    Returns
    -------
    Encoder
        The encoder with the cache.
    """
    if isinstance(encoder, Posterior):
        encoder = Encoder(_refuse_samples, prior=posterior.prior, name="Posterior")
    return replace(as_encoder(encoder), _cached=(x, posterior))


def _refuse_samples(x: np.ndarray) -> None:
    raise _posterior_error()


def _posterior_error() -> InputError:
    return InputError(
        "A Posterior holds the codes of its own samples and cannot encode others.",
        got="a Posterior",
        expected="an encoder",
        fix="Pass the encoder itself.",
    )


def _own_posterior(posterior: Posterior, x: np.ndarray | SampleStream, condition: Any) -> Posterior:
    if len(posterior) != len(x):
        raise InputError(
            f"The Posterior has {len(posterior)} rows but x has {len(x)} samples.",
            got=str(len(posterior)),
            expected=str(len(x)),
            fix="Pass the samples that it was computed from.",
        )
    return posterior if condition is None else replace(posterior, condition=as_condition(condition, len(x)))


def _is_cached(encoder: Encoder, x: Any, condition: Any) -> bool:
    """Return True if the cache holds x under this condition, or under the only one that can be meant."""
    if encoder._cached is None or not is_same_source(encoder._cached[0], x):
        return False
    has_own_condition = encoder.condition is not None or encoder.is_conditional or encoder.unpack is not None
    if not (condition is None and has_own_condition) and condition is not encoder._cached[1].condition:
        return False
    return encoder._cached_modules is None or encoder._cached_checksum == _checksum(encoder.fn, encoder._cached_modules)


def _checksum(fn: Any, modules: tuple[Any, ...]) -> int:
    """Return a checksum of the modules that ran and of those that the function loads."""
    return parameter_checksum((*modules, *loaded_modules(fn)))
