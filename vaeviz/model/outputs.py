"""Interpret the return value of an encoder as a mean and a spread."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.data.arrays import as_array
from vaeviz.errors import Fix, GuessWarning, InputError, advise, declare, warn_user
from vaeviz.model.output_names import (
    SPREAD_KINDS,
    code_name,
    is_of_data,
    kind_of_name,
    main_name,
    names_other_spread,
    parse_returns,
    sounds_like_a_spread,
)
from vaeviz.model.output_tree import (
    Output,
    Part,
    Path,
    divide,
    get_output,
    get_value,
    is_distribution,
    list_outputs,
    same_up_to_rounding,
    spread_attributes,
)
from vaeviz.model.whole_model import ReconstructionProbe

SPREADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_var": lambda value: np.exp(0.5 * value.astype(np.float64)),
    "var": lambda value: np.sqrt(value.astype(np.float64)),
    "std": lambda value: value,
    "log_std": lambda value: np.exp(value.astype(np.float64)),
}
"""How each kind of second output becomes a standard deviation."""

KIND_WORDS = {
    "log_var": "a log-variance",
    "var": "a variance",
    "std": "a standard deviation",
    "log_std": "a log-standard deviation",
}

MAX_LOG_SPREAD = {"log_var": 60.0, "log_std": 30.0}  # exp(±30) is a standard deviation beyond any data's precision

MAX_STANDARD_ERRORS = 4.0  # a sampled z strays farther from its own mean and spread once in 16,000 times

DECISIVE_NATS = 5.0  # one interpretation is proven if all others are 150 times less likely

LARGE_VALUE = 10.0  # samples beyond it are not scaled to about [-1, 1], as most models expect

MIN_NEGATIVE_SHARE = 0.8  # of log-variances: a trained encoder is surer than its prior

MIN_JUDGED_ROWS = 8  # signs of fewer samples say nothing

MAX_UNEXPLAINED_SHARE = 0.5  # of the variance of samples: codes that leave less of it are reconstructions

BY_NAME = "by its name"
BY_RECONSTRUCTION = "so the model itself decodes them"

MAX_LISTED_READINGS = 3  # in the advice of an error

WRAPPING_DISTRIBUTIONS = {"Independent", "ExpandedDistribution", "MaskedDistribution"}  # `base_dist` says the rest


@dataclass(frozen=True)
class Bottleneck:
    """The layer of a model that receives the fewest values per sample.

    Parameters
    ----------
    n_values : int
        The number of values.
    fix : Fix, optional
        How to divide the model there.
    """

    n_values: int
    fix: Fix | None = None


@dataclass(frozen=True)
class OutputSpec:
    """Where the mean and the spread are in the return value of an encoder.

    Parameters
    ----------
    mean : tuple of int or str, default ()
        Keys that lead to the mean.
    spread_at : tuple of int or str, default ()
        Keys that lead to the spread.
    spread : {"log_var", "var", "std", "log_std"}, optional
        Kind of the spread. None for a mean alone.
    family : str, optional
        Name of the distribution if it is not a Gaussian with independent dimensions.
    evidence : str, default ""
        Why it is read so. Empty if the outputs are a mean, or (mean, log_var), as most encoders return them.
    declaration : str, optional
        The value of ``Encoder(fn, returns=...)`` that means the same. None if no declaration is needed.
    """

    mean: Path = ()
    spread_at: Path = ()
    spread: str | None = None
    family: str | None = None
    evidence: str = ""
    declaration: str | None = None

    def read(self, returned: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the mean and the standard deviation as arrays.

        Parameters
        ----------
        returned : Any
            What the encoder returned.

        Returns
        -------
        mean : ndarray
            The mean, in the shape that the encoder gave it.
        std : ndarray or None
            The standard deviation. None for a mean alone.
        """
        mean = as_array(get_output(returned, self.mean))
        if self.spread is None:
            return mean, None
        spread = as_array(get_output(returned, self.spread_at))
        if self.spread in ("var", "std") and (spread < 0).any():
            raise InputError(
                f"The encoder returned {self.spread} with negative values ({spread.min():.3g}).",
                got=f"{spread.min():.3g}",
                expected="0 or more",
                fix=declare("Encoder", returns="mean,log_var"),
            )
        with np.errstate(over="ignore"):
            return mean, SPREADS[self.spread](spread)

    def warn_of_extreme_spread(self, returned: Any, first_row: int, batch: np.ndarray) -> None:
        """Warn if a log-variance is too large or too small to be one.

        Parameters
        ----------
        returned : Any
            What the encoder returned.
        first_row : int
            Number of the first sample of the batch.
        batch : ndarray, shape (n, ...)
            What the encoder received.
        """
        limit = MAX_LOG_SPREAD.get(self.spread or "")
        if limit is None:
            return
        values = as_array(get_output(returned, self.spread_at))
        extreme = np.argwhere(np.abs(values) > limit)
        if not len(extreme):
            return
        row, *dimension = extreme[0]
        other_kind = (self.declaration or "mean,log_var").replace(str(self.spread), "var")
        warn_user(
            GuessWarning(
                f"The encoder returned {self.spread} = {values[tuple(extreme[0])]:.3g} in row {first_row + row}, "
                f"dimension {', '.join(str(index + 1) for index in dimension) or '1'}; "
                f"{len(extreme)} of {values.size} values are beyond ±{limit:g}.",
                fix=advise(
                    *advice_for_large_samples(float(np.abs(batch).max())),
                    (f"If it is a {self.spread}", Fix("Clamp it in the encoder.")),
                    ("If it is a variance", declare("Encoder", returns=other_kind)),
                ),
            )
        )

    def __str__(self) -> str:
        mean = f"mean of a {self.family}" if self.family else "mean"
        return mean if self.spread is None else f"{mean},{self.spread}"


def advice_for_large_samples(max_input: float) -> list[tuple[str, Fix]]:
    """Return the advice to rescale samples that are beyond what most models expect.

    Parameters
    ----------
    max_input : float
        Largest absolute value that the encoder received.

    Returns
    -------
    list of tuple
        Cases for `vaeviz.errors.advise`. Empty for samples of usual size.
    """
    if max_input <= LARGE_VALUE:
        return []
    scale = 255 if LARGE_VALUE < max_input <= 255 else math.ceil(max_input)
    return [(f"If the model expects values in [0, 1], not up to {max_input:.3g}", Fix(f"Pass x / {scale}."))]


def declared_outputs(returns: str, returned: Any, n_rows: int) -> OutputSpec:
    """Return where the declared outputs are.

    Parameters
    ----------
    returns : str
        Names of the outputs in their order, e.g. ``"mean,std"``. Outputs inside others count one by one. An array that
        is alone is divided into as many parts as there are names.
    returned : Any
        What the encoder returned for the first batch.
    n_rows : int
        Number of samples in the batch.

    Returns
    -------
    OutputSpec
        The interpretation.

    Raises
    ------
    InputError
        If the encoder returned fewer outputs.
    """
    names, outputs = parse_returns(returns), list_outputs(returned)
    paths = [output.path for output in outputs]
    if len(outputs) == 1 < len(names):
        parts = None if is_distribution(outputs[0].value) else divide(as_array(outputs[0].value), len(names), n_rows)
        if parts is None:
            kind = type(outputs[0].value).__name__
            raise InputError(
                f"The encoder returned one {kind}, which does not hold {len(names)} outputs of equal size.",
                got=kind,
                expected=f"{len(names)} outputs",
                fix=declare("Encoder", returns="mean"),
            )
        paths = [(*paths[0], part) for part in parts]
    if len(paths) < len(names) or (len(names) == 1 < len(paths)):
        as_returned = ",".join([*names, *["other"] * len(paths)][: len(paths)])
        raise InputError(
            f"The encoder returned {len(paths)} outputs, but returns={returns!r} names {len(names)}.",
            got=f"{len(paths)} outputs",
            expected=f"{len(names)} outputs",
            fix=declare("Encoder", returns=as_returned if "mean" in as_returned.split(",") else "mean"),
        )
    mean = names.index("mean")
    spread = next((name for name in names if name in SPREAD_KINDS), None)
    if len(outputs) > mean and is_distribution(outputs[mean].value):
        return _spec_of_distribution(outputs[mean])
    return OutputSpec(paths[mean], paths[names.index(spread)] if spread else (), spread, declaration=returns)


def infer_outputs(
    returned: Any,
    *,
    n_rows: int,
    again: Any = None,
    samples: np.ndarray | None = None,
    bottleneck: Bottleneck | None = None,
    probe: ReconstructionProbe | None = None,
    named_spread: tuple[str, str] | None = None,
) -> OutputSpec:
    """Infer what an encoder returned from names, from its decoder, or from numbers that allow one interpretation only.

    Parameters
    ----------
    returned : Any
        What the encoder returned.
    n_rows : int
        Number of samples that it received.
    again : Any, optional
        What it returned for the same batch a second time. Outputs that differ were sampled.
    samples : ndarray, shape (n_rows, ...), optional
        The samples. Outputs of their size are reconstructions if there are others.
    bottleneck : Bottleneck, optional
        Where the encoder holds the fewest values per sample. Outputs of the size of a sample are decoded from them.
    probe : ReconstructionProbe, optional
        The decoder of the same model.
    named_spread : tuple of str, optional
        A name in the encoder's code, and the kind of spread that it says, see `vaeviz.model.code_names`.

    Returns
    -------
    OutputSpec
        The interpretation.

    Raises
    ------
    InputError
        If nothing proves one. Its fix is the declaration to write.

    Warns
    -----
    GuessWarning
        If the kind of spread is likely but not proven.
    """
    outputs = list_outputs(returned)
    if samples is not None:
        _check_for_codes(returned, samples, bottleneck)
    if any(is_distribution(output.value) for output in outputs):
        return _spec_of_distribution(_posterior_among(outputs, samples))
    if any(output.name for output in _without_state(outputs, n_rows, samples)):
        return _spec_of_names(outputs)
    return _ArrayReader(outputs, n_rows, list_outputs(again), samples, probe, named_spread).read()


def _without_state(outputs: list[Output], n_rows: int, samples: np.ndarray | None) -> list[Output]:
    """Drop states and losses if unnamed outputs with a row per sample remain."""
    of_rows = [one for one in outputs if not _is_loss(one, n_rows)]
    codes = [one for one in of_rows if not one.name and (samples is None or _differs_in_size(one, samples))]
    return of_rows if codes else outputs


def has_codes(returned: Any, samples: Any) -> bool:
    """Return False if a whole model returned nothing for each sample but its reconstruction, and perhaps the sample.

    Parameters
    ----------
    returned : Any
        What the model returned.
    samples : array_like, shape (N, ...)
        What it received.

    Returns
    -------
    bool
        True if there are other outputs, and if the names of the outputs say so.
    """
    samples = as_array(samples)
    outputs = [one for one in list_outputs(returned) if not _is_loss(one, len(samples))]
    others = [one for one in outputs if not np.array_equal(_mean_of(one), samples)]
    return (
        any(map(_is_code_by_name, outputs)) or len(others) > 1 or any(_differs_in_size(one, samples) for one in others)
    )


def _check_for_codes(returned: Any, samples: np.ndarray, bottleneck: Bottleneck | None) -> None:
    """Raise if all that was returned for each sample is its reconstruction, and warn if it looks like one."""
    all_outputs = list_outputs(returned)
    outputs = [one for one in all_outputs if not _is_loss(one, len(samples))]
    if not outputs or any(_is_code_by_name(one) or _differs_in_size(one, samples) for one in outputs):
        return
    size = samples[0].size
    is_decoded = bottleneck is not None and bottleneck.n_values < size
    is_input_first = np.array_equal(_mean_of(outputs[0]), samples)  # as for a mean that is the sample itself
    is_whole_model = len(all_outputs) > 1 and not is_input_first and not has_codes(returned, samples)
    is_alone = len(all_outputs) == 1
    if not (is_decoded or is_whole_model or (is_alone and _resembles(_mean_of(outputs[0]), samples))):
        return
    split = Fix("Pass a function of x that returns its codes as the encoder.")
    as_codes = _declaration({"mean": all_outputs.index(outputs[0])}, len(all_outputs))
    fix = advise(
        ("If this is the whole model", (bottleneck.fix if is_decoded and bottleneck else None) or split),
        ("If these are the codes", declare("Encoder", returns=as_codes)),
    )
    message = f"The encoder returned {size} values for samples of {size}"
    if is_decoded or is_whole_model:
        raise InputError(f"{message}: reconstructions, not codes.", got="reconstructions", expected="codes", fix=fix)
    warn_user(GuessWarning(f"{message}, and they resemble the samples, as reconstructions do.", fix=fix))


def _is_code_by_name(output: Output) -> bool:
    return kind_of_name(output.name) == "mean" or code_name([output.name]) is not None


def _differs_in_size(output: Output, samples: np.ndarray) -> bool:
    return math.prod(_mean_of(output).shape[1:]) != math.prod(samples.shape[1:])


def _is_loss(output: Output, n_rows: int) -> bool:
    """Return True for one number, for one number per sample, and for what has other rows than the samples."""
    values = _mean_of(output)
    return values.ndim < 2 or len(values) != n_rows


def _mean_of(output: Output) -> np.ndarray:
    """Return an output as an array: of a distribution its mean, which may be missing."""
    if not is_distribution(output.value):
        return as_array(output.value)
    mean = get_value(output.value, "mean")
    return np.empty(0) if mean is None else as_array(mean)


def _resembles(values: np.ndarray, samples: np.ndarray) -> bool:
    """Return True if values explain most of the variance of samples of the same size, but are not the samples."""
    values, samples = (array.reshape(len(array), -1).astype(np.float64) for array in (values, samples))
    if len(samples) < MIN_JUDGED_ROWS or np.array_equal(values, samples):
        return False
    unexplained, variance = np.sum((samples - values) ** 2), np.sum((samples - samples.mean(axis=0)) ** 2)
    return bool(0 < unexplained < MAX_UNEXPLAINED_SHARE * variance)


@dataclass(frozen=True, eq=False)
class _Array:
    """An output without a name, in two calls for the same batch."""

    path: Path
    position: int
    values: np.ndarray
    again: np.ndarray

    @property
    def is_sampled(self) -> bool:
        return not same_up_to_rounding(self.values, self.again)


class _ArrayReader:
    """Infer which of several arrays without names are the mean and the spread."""

    def __init__(
        self,
        outputs: list[Output],
        n_rows: int,
        again: list[Output],
        samples: np.ndarray | None,
        probe: ReconstructionProbe | None,
        named_spread: tuple[str, str] | None,
    ) -> None:
        repeats = again if len(again) == len(outputs) else outputs
        self.arrays = [
            _Array(one.path, position, as_array(one.value), as_array(repeat.value))
            for position, (one, repeat) in enumerate(zip(outputs, repeats))
        ]
        self.n_rows, self.samples, self.probe, self.named_spread = n_rows, samples, probe, named_spread

    def read(self) -> OutputSpec:
        """Return the interpretation, or raise an error that shows what to declare."""
        if len(self.arrays) == 1:
            return self._read_one_array()
        codes = self._possible_codes()
        spec = self._read_by_decoder(codes)
        if spec is not None:
            return spec
        if len(codes) == 1:
            return self._spec(codes[0])
        if len(codes) == 2:
            return self._read_pair(*codes)
        spec = self._read_three(codes) if len(codes) == 3 else None
        if spec is not None:
            return spec
        pair = [one for one in codes if len(one.path) == max(len(code.path) for code in codes)]
        if len(pair) == 2:  # a tuple (mean, log_var) inside a tuple
            return self._read_pair(*pair)
        raise self._unclear_error(codes)

    def _read_one_array(self) -> OutputSpec:
        """Return an array as the mean, unless its shape or the decoder proves that it holds mean and spread."""
        (array,) = self.arrays
        parts = divide(array.values, 2, self.n_rows)
        is_proven = parts is not None and len(array.values) != self.n_rows
        if parts is not None and self.probe is not None and not is_proven:
            mean, _ = self._take_parts(array, parts)
            is_proven = not self.probe.accepts(array.values) and self.probe.accepts(mean.values)
        if parts is not None and is_proven:
            spec = self._read_by_decoder(self._take_parts(array, parts)) or self._read_alternating(array, parts)
            return spec or self._read_unproven_halves(array, parts)
        if self.probe is None:
            self._warn_of_halves(array, parts)
        return self._spec(array)

    def _warn_of_halves(self, array: _Array, parts: list[Part] | None) -> None:
        """Warn if one half of an array that is read as codes looks like log-variances."""
        for halves in (parts, _alternating(parts or []), _stacked_last(array.values)):
            mean, spread = self._take_parts(array, halves) if halves else (array, array)
            if halves and mean.values[0].size > 1 and _are_log_variances(spread.values, mean.values):
                self._warn_of_kind(
                    f"The encoder returned one array of shape {array.values.shape}. It was read as codes, but half of "
                    "it looks like log-variances.",
                    ("If it is (mean, log_var) in one array", {"mean": mean, "log_var": spread}),
                    ("If all of them are codes", {"mean": array}),
                )
                return

    def _read_unproven_halves(self, array: _Array, parts: list[Part]) -> OutputSpec:
        """Return the halves of an array as (mean, log_var), since the decoder takes one of them."""
        mean, spread = self._take_parts(array, parts)
        if len(array.values) != self.n_rows or self.probe is None:
            return self._read_pair(mean, spread)
        turns = dict(zip(("mean", "log_var"), self._take_parts(array, _alternating(parts))))
        self._warn_of_kind(
            f"The encoder returned one array of shape {array.values.shape}, and the decoder takes half of it. Its "
            "first half was read as the mean, its second as the log-variance.",
            *_cases_of_spread(mean, spread),
            *([("If they take turns", turns)] if turns else []),
        )
        return self._spec(mean, spread, "log_var", evidence="the decoder takes half of the array")

    def _read_alternating(self, array: _Array, parts: list[Part]) -> OutputSpec | None:
        """Return every second value as the mean if it decodes to the model's own reconstruction."""
        alternating = _alternating(parts)
        spec = self._read_by_decoder(self._take_parts(array, alternating)) if alternating else None
        return None if spec is None else replace(spec, declaration=None)  # `returns` names values that are together

    def _take_parts(self, array: _Array, parts: list[Part]) -> list[_Array]:
        return [
            _Array((*array.path, part), part.index, part.take(array.values), part.take(array.again)) for part in parts
        ]

    def _possible_codes(self) -> list[_Array]:
        """Return the arrays that may be codes: not losses, and no reconstructions if there are others."""
        of_rows = [one for one in self.arrays if one.values.ndim > 0 and len(one.values) == self.n_rows]
        vectors = [one for one in of_rows if one.values.ndim > 1]
        codes = vectors or of_rows  # one number per sample is a loss, if others are vectors
        if self.samples is None:
            return codes or self.arrays
        size = self.samples[0].size
        others = [one for one in codes if one.values[0].size != size]
        if len(others) == 1 < len(codes) and others[0].values[0].size == 1:
            raise self._unclear_error(codes)  # a code of one dimension, or a loss such as ln q(z | x)
        return others or codes or self.arrays

    def _read_by_decoder(self, codes: list[_Array]) -> OutputSpec | None:
        """Return the reading under which the decoder gives the model's own reconstruction, if there is only one."""
        probe = self.probe
        if probe is None:
            return None
        means = [one for one in codes if probe.reconstructs(one.values)]
        if not means or any(not np.array_equal(one.values, means[0].values) for one in means):
            return None  # a decoder that ignores its codes reconstructs from all of them
        mean = means[0]
        spreads = [
            one
            for one in codes
            if one.values.shape == mean.values.shape
            and not (one in means or one.is_sampled or probe.is_reconstruction(one.values))
        ]
        proven = [
            (spread, kind)
            for spread in spreads
            for kind, std in _possible_stds(spread.values).items()
            if probe.reconstructs(mean.values + std, noise=1.0)
        ]
        if len(proven) == 1:
            return self._spec(mean, *proven[0], evidence=BY_RECONSTRUCTION)
        if len(spreads) != 1:
            return None if spreads else self._spec(mean, evidence=BY_RECONSTRUCTION)
        if proven or not probe.draws_noise():
            return self._read_pair(mean, spreads[0], is_mean_known=True)
        warn_user(
            GuessWarning(
                f"An output of the encoder is not used: read as {', '.join(SPREADS)}, it does not explain the samples "
                "that the model draws.",
                fix="Write a function that returns (mean, log_var), and pass it as the encoder.",
            )
        )
        return self._spec(mean)

    def _read_pair(self, first: _Array, second: _Array, *, is_mean_known: bool = False) -> OutputSpec:
        """Return two arrays as a mean and the spread that a name in the encoder's code says, else a log-variance.

        Only a name of a log-variance causes no warning, since ln sigma may be short for either.
        """
        if first.values.shape != second.values.shape:
            return self._spec(first, second, "log_var")
        if first.is_sampled != second.is_sampled:
            return self._read_sample_and_mean(*((first, second) if first.is_sampled else (second, first)))
        name, kind = self.named_spread or ("", "")
        reason, read = "", "log_var"
        if (second.values >= 0).all():
            reason = ", but it is nowhere negative"
        elif not kind:
            reason = ", but nothing proves that it is not a log-standard deviation"
        elif kind == "log_std":
            reason, read = f" because of the name {name!r} in its code", kind
        if not is_mean_known and _are_log_variances(first.values, second.values):
            self._warn_of_kind(
                f"The outputs of the encoder were read as (mean, {read}), but the first looks like log-variances.",
                ("If they are (log_var, mean)", {"log_var": first, "mean": second}),
                *_cases_of_spread(first, second),
            )
        elif reason:
            self._warn_of_kind(
                f"The second output of the encoder was read as {KIND_WORDS[read]}{reason}.",
                *_cases_of_spread(first, second),
            )
        return self._spec(first, second, read, evidence=f"{name!r} in its code says so" if kind == read else "")

    def _read_sample_and_mean(self, z: _Array, mean: _Array) -> OutputSpec:
        """Return the steady one of two arrays as the mean about which the other scatters."""
        residuals = np.concatenate([z.values - mean.values, z.again - mean.values]).astype(np.float64)
        if abs(residuals.mean()) > MAX_STANDARD_ERRORS * residuals.std() / np.sqrt(residuals.size):
            raise self._unclear_error([mean, z])
        self._warn_of_kind(
            "The encoder returned two outputs without names. One was read as the mean, because the other scatters "
            "about it, and there is no spread.",
            ("To confirm the reading", {"z": z, "mean": mean}),
        )
        return self._spec(mean)

    def _read_three(self, codes: list[_Array]) -> OutputSpec | None:
        """Return mean and spread if the third output is the spread once more or their sum, or is a sampled z.

        A sampled z is the output that differs between two calls, and scatters about the mean as the spread says.
        """
        for mean, other, log_var in itertools.permutations(codes):
            if mean.is_sampled or mean.values.shape != other.values.shape:
                continue
            if _is_std_of(other.values, log_var.values):
                return self._spec(mean, log_var, "log_var", evidence="the other output is its standard deviation")
            if _is_std_of(other.values - mean.values, log_var.values):  # a z of noise 1, as in MONAI
                return self._spec(mean, log_var, "log_var", evidence="the other output is mean + standard deviation")
        sampled = [one for one in codes if one.is_sampled]
        readings: list[tuple[float, _Array, _Array, str]] = []
        if len(sampled) == 1 and len({one.values.shape for one in codes}) == 1:
            draws = np.stack([sampled[0].values, sampled[0].again]).astype(np.float64)
            for mean, spread in itertools.permutations([one for one in codes if not one.is_sampled]):
                fits = _log_likelihoods(draws, mean.values, spread.values)
                readings += [(value, mean, spread, kind) for kind, value in fits.items()]
        readings.sort(key=lambda reading: -reading[0])
        rivals = [one for one in readings[1:] if one[0] > readings[0][0] - DECISIVE_NATS]
        if not readings or any(one[1] is not readings[0][1] for one in rivals):
            return None
        _, mean, spread, kind = readings[0]
        if kind != "log_var" or rivals:
            named = {"mean": mean, kind: spread, "z": sampled[0]}
            self._warn_of_kind(
                f"The outputs of the encoder were read as {self._declaration(named)}, because z scatters so.",
                ("To confirm the reading", named),
            )
        return self._spec(mean, spread, kind, evidence="z scatters about the mean as the spread says")

    def _unclear_error(self, codes: list[_Array]) -> InputError:
        """Return the error for outputs whose numbers prove nothing, with every likely reading."""
        return InputError(
            f"The encoder returned {len(self.arrays)} outputs without names, and their numbers do not prove which are "
            "the mean and the spread.",
            got=f"{len(self.arrays)} outputs",
            expected="a mean, (mean, log_var), or names",
            fix=advise(*((when, self._declare(named)) for when, named in _likely_readings(codes))),
        )

    def _warn_of_kind(self, message: str, *readings: tuple[str, dict[str, _Array]]) -> None:
        """Warn that a reading is a guess, with what to declare in each case."""
        warn_user(GuessWarning(message, fix=advise(*((when, self._declare(named)) for when, named in readings))))

    def _spec(self, mean: _Array, spread: _Array | None = None, kind: str = "", evidence: str = "") -> OutputSpec:
        if spread is None:
            return OutputSpec(mean.path, evidence=evidence, declaration=self._declaration({"mean": mean}))
        declaration = self._declaration({"mean": mean, kind: spread})
        return OutputSpec(mean.path, spread.path, kind, evidence=evidence, declaration=declaration)

    def _declare(self, named: dict[str, _Array]) -> Fix:
        returns = self._declaration(named)
        parts = [key for one in named.values() for key in one.path if isinstance(key, Part)]
        if any(part.alternates or part.axis > 1 for part in parts):
            halves = ("[:, ::2]", "[:, 1::2]") if parts[0].alternates else ("[..., 0]", "[..., 1]")
            pair = f'lambda x: (fn(x){halves[0]}, fn(x){halves[1]}), returns="{returns}"'
            return Fix(f"Write vaeviz.Encoder({pair}).", f"Name a function that returns ({returns}).")
        return declare("Encoder", returns=returns)

    def _declaration(self, named: dict[str, _Array]) -> str:
        n_outputs = max(len(self.arrays), 1 + max(one.position for one in named.values()))  # parts of one array
        return _declaration({name: one.position for name, one in named.items()}, n_outputs)


def _likely_readings(codes: list[_Array]) -> list[tuple[str, dict[str, _Array]]]:
    """Return the readings to propose: one if shapes or equal values tell, else one for each place of the mean."""
    if len(codes) == 2:
        return [("If the first holds the codes", {"mean": codes[0]}), ("If the second does", {"mean": codes[1]})]
    first, second, third = codes[:3]
    for z, mean, spread in ((third, first, second), (first, second, third), (second, first, third)):
        if np.array_equal(z.values, mean.values):  # many encoders return their mean as z in eval mode
            return _cases_of_spread(mean, spread, z=z)
    for other, mean, spread in ((first, second, third), (second, first, third), (third, first, second)):
        if mean.values.shape == spread.values.shape != other.values.shape:
            if mean.values[0].size == 1 < other.values[0].size:  # log-densities, as flows return them
                return [("If the output of several values holds the codes", {"mean": other})]
            return [("If the two of one shape are these", {"mean": mean, "log_var": spread})]
    if not first.values.shape == second.values.shape == third.values.shape:
        return [(f"If output {one.position + 1} holds the codes", {"mean": one}) for one in (first, second, third)]
    return [
        ("If the mean comes first", {"mean": first, "log_var": second}),
        ("If it comes second", {"mean": second, "log_var": third}),
    ]


def _alternating(parts: list[Part]) -> list[Part]:
    """Return the parts of an array whose values take turns, for those that lie side by side."""
    return [replace(part, alternates=True) for part in parts if part.axis == 1 and not part.is_stacked]


def _stacked_last(values: np.ndarray) -> list[Part]:
    """Return the parts of an array (N, D, 2)."""
    is_stacked = values.ndim == 3 and values.shape[2] == 2
    return [Part(index, 2, axis=2, is_stacked=True) for index in range(2)] if is_stacked else []


def _cases_of_spread(mean: _Array, spread: _Array, **others: _Array) -> list[tuple[str, dict[str, _Array]]]:
    """Return the readings to propose for a spread, by the kinds that its signs allow."""
    kinds = ("std", "var", "log_var", "log_std") if (spread.values >= 0).all() else ("log_var", "log_std")
    return [(f"If the spread is {KIND_WORDS[kind]}", {"mean": mean, kind: spread, **others}) for kind in kinds]


def _possible_stds(spread: np.ndarray) -> dict[str, np.ndarray]:
    """Return the standard deviations under each kind of spread that the values allow."""
    is_positive = bool((spread > 0).all())
    with np.errstate(all="ignore"):
        stds = {kind: to_std(spread) for kind, to_std in SPREADS.items() if is_positive or kind not in ("var", "std")}
    return {kind: std for kind, std in stds.items() if np.isfinite(std).all()}


def _is_std_of(std: np.ndarray, log_var: np.ndarray) -> bool:
    """Return True if one array is the standard deviation of which another is the log-variance."""
    if std.shape != log_var.shape or not (std > 0).all():
        return False
    return bool(np.allclose(2 * np.log(std.astype(np.float64)), log_var, rtol=1e-4, atol=1e-4) and np.ptp(log_var) > 0)


def _are_log_variances(values: np.ndarray, others: np.ndarray) -> bool:
    """Return True if values look like log-variances, and others of the same shape like means."""
    n_rows = len(values)
    if n_rows < MIN_JUDGED_ROWS:
        return False
    is_negative = values < 0
    share_of_others = (others < 0).mean()
    return bool(
        is_negative.mean() >= MIN_NEGATIVE_SHARE
        and (values.reshape(n_rows, -1).mean(axis=0) < 0).all()
        and 1 - MIN_NEGATIVE_SHARE < share_of_others < MIN_NEGATIVE_SHARE
    )


def _log_likelihoods(draws: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> dict[str, float]:
    """Return the log-likelihood of the draws in nats under each kind of spread that fits.

    A kind fits if (z − mean) / std has mean 0 and variance 1, within standard errors.
    """
    fits = {}
    for kind, std in _possible_stds(spread).items():
        with np.errstate(all="ignore"):
            residuals = (draws - mean) / std
            is_centered = abs(residuals.mean()) < MAX_STANDARD_ERRORS / np.sqrt(residuals.size)
            is_scaled = abs(np.mean(residuals**2) - 1) < MAX_STANDARD_ERRORS * np.sqrt(2 / residuals.size)
            if is_centered and is_scaled:
                fits[kind] = float(-np.sum(0.5 * residuals**2 + np.log(std)))
    return fits


def _declaration(positions: Mapping[str, int], n_outputs: int) -> str:
    """Return the declaration for outputs at these positions."""
    names = ["other"] * n_outputs
    for name, position in positions.items():
        names[position] = name
    return ",".join(names)


def _spec_of_names(outputs: list[Output]) -> OutputSpec:
    """Return the reading that the names of the outputs spell."""
    position = {output.name: place for place, output in enumerate(outputs)}
    kinds: dict[str, list[str]] = {}
    for name in filter(None, position):
        kinds.setdefault(kind_of_name(name) or "", []).append(name)
    mean = main_name(kinds["mean"]) if "mean" in kinds else code_name(list(position))
    if mean is None:
        raise _unknown_names_error(outputs)
    spread = next((kind for kind in SPREADS if kind in kinds), None)
    at = outputs[position[mean]].path
    if spread is not None:
        name = main_name(kinds[spread])
        declaration = _declaration({"mean": position[mean], spread: position[name]}, len(outputs))
        return OutputSpec(at, outputs[position[name]].path, spread, evidence=BY_NAME, declaration=declaration)
    for name in filter(names_other_spread, position):
        warn_user(
            GuessWarning(
                f"The output {name!r} of the encoder is not used: it is not a variance or standard deviation per "
                "dimension.",
                fix='Write a function that returns {"mean": mean, "std": std}, and pass it as the encoder.',
            )
        )
    for name in filter(sounds_like_a_spread, position):
        if names_other_spread(name):
            continue
        possible = ("log_std", "log_var") if "log" in name.lower() else ("std", "var")
        places = [{"mean": position[mean], kind: position[name]} for kind in possible]
        warn_user(
            GuessWarning(
                f"The output {name!r} of the encoder is not used: its name does not say whether it is a log-variance, "
                "a variance or a standard deviation.",
                fix=advise(
                    *(
                        (f"If it is a {kind}", declare("Encoder", returns=_declaration(place, len(outputs))))
                        for kind, place in zip(possible, places)
                    )
                ),
            )
        )
    return OutputSpec(at, evidence=BY_NAME, declaration=_declaration({"mean": position[mean]}, len(outputs)))


def _unknown_names_error(outputs: list[Output]) -> InputError:
    listed = ", ".join(output.name or "one without a name" for output in outputs)
    fixes = [
        (f"If {output.name or 'the other'} holds the codes", declare("Encoder", returns=declaration))
        for place, output in [pair for pair in enumerate(outputs) if _may_be_codes(pair[1])][:MAX_LISTED_READINGS]
        if (declaration := _declaration({"mean": place}, len(outputs)))
    ]
    return InputError(
        f"The encoder returned outputs named {listed}. None of them is known as the posterior mean.",
        got=listed,
        expected="mean",
        fix=advise(*fixes) if fixes else "Pass a function of x that returns the codes as the encoder.",
    )


def _may_be_codes(output: Output) -> bool:
    """Return True for floating-point numbers with a row per sample, which losses, masks and indices are not."""
    value = output.value
    return getattr(value, "ndim", 1) > 1 and "float" in str(getattr(value, "dtype", "float"))


def _posterior_among(outputs: list[Output], samples: np.ndarray | None) -> Output:
    """Return the distribution of the codes: the only one that is neither of the data by name nor by size."""
    distributions = [one for one in outputs if is_distribution(one.value)]
    size = None if samples is None else samples[0].size
    possible = [one for one in distributions if not is_of_data(one.name)] or distributions
    codes = [one for one in possible if _row_size(get_value(one.value, "mean")) != size] or possible
    if len(codes) == 1:
        return codes[0]
    readings = [
        (f"If distribution {index + 1} is that of the codes", {"mean": outputs.index(one)})
        for index, one in enumerate(distributions[:MAX_LISTED_READINGS])
    ]
    fixes = [(when, declare("Encoder", returns=_declaration(at, len(outputs)))) for when, at in readings]
    raise InputError(
        f"The encoder returned {len(distributions)} distributions.",
        got=f"{len(distributions)} distributions",
        expected="one distribution",
        fix=advise(*fixes),
    )


def _row_size(values: Any) -> int | None:
    return None if values is None else math.prod(as_array(values).shape[1:])


def _spec_of_distribution(output: Output) -> OutputSpec:
    path, q = output.path, output.value
    family = _family_name(q)
    mean = get_value(q, "mean")
    if mean is None or (family and np.isnan(as_array(mean)).any()):
        raise InputError(
            f"The encoder returned a {type(q).__name__}, which has no mean, so it is not a point of a latent space.",
            got=type(q).__name__,
            expected="a distribution with a mean",
            fix="Return numbers (N, D) instead, e.g. the embeddings of discrete codes, or their probabilities.",
        )
    spreads = spread_attributes(q)
    if family or not spreads:
        return OutputSpec((*path, "mean"), family=family)
    name, kind = next(iter(spreads.items()))
    return OutputSpec((*path, "mean"), (*path, name), kind)


def _family_name(q: Any) -> str | None:
    """Return the name of a distribution that is not a Gaussian with independent dimensions, else None."""
    while not WRAPPING_DISTRIBUTIONS.isdisjoint(_class_names(q)):
        q = q.base_dist
    class_names = _class_names(q)
    if "Distribution" not in class_names or "Normal" in class_names:
        return None
    covariance = get_value(q, "covariance_matrix")
    if covariance is None:
        return type(q).__name__
    covariance = as_array(covariance)
    is_diagonal = (covariance == covariance * np.eye(covariance.shape[-1])).all()
    return None if is_diagonal else f"{type(q).__name__} with dependent dimensions"


def _class_names(value: Any) -> list[str]:
    return [kind.__name__ for kind in type(value).__mro__]
