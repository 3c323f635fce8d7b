"""Inspect a model: what is inferred about its encoder and decoder, from what evidence, and how to declare it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import Batches, SampleStream, StoredArray, take_rows
from vaeviz.data.sample_kind import infer_kind
from vaeviz.data.value_ranges import BYTE_RANGE
from vaeviz.errors import Fix, GuessWarning, InputError, NotApplicable, declare
from vaeviz.model.calling import callable_name
from vaeviz.model.conditions import as_condition, condition_names, summarize_names
from vaeviz.model.decode import DecodingTrace, trace_decoding
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import BytesSent, EncodingTrace, trace_encoding
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import as_decoder, as_encoder, open, open_with_adapter, with_decoder
from vaeviz.model.output_tree import Part, Path, same_up_to_rounding
from vaeviz.model.part import ModelPart, describe_conditions
from vaeviz.model.posterior import Posterior
from vaeviz.model.torch_probe import ModuleCall

MAX_INSPECTED_SAMPLES = 64  # show what a model returns
MAX_LISTED_MODULES = 12  # longer lists are abbreviated

Samples = np.ndarray | StoredArray

DECLARED = "declared, or known to its adapter"

FINDINGS = ("warning", "problem", "not tried")  # properties whose declaration is what to do, not an example


@dataclass(frozen=True)
class InferredProperty:
    """One property of an encoder or a decoder.

    Parameters
    ----------
    name : str
        What it is, e.g. ``"input shape"``.
    value : str
        What was inferred or declared.
    evidence : str, default ""
        Why.
    declaration : Fix, optional
        An example of how to declare another value.
    """

    name: str
    value: str
    evidence: str = ""
    declaration: Fix = field(default_factory=lambda: Fix(""))


@dataclass(frozen=True)
class Inspection:
    """What is known and inferred about an encoder and a decoder. It prints as a table.

    Parameters
    ----------
    encoder, decoder : tuple of InferredProperty
        Their properties. Empty for a missing part.
    declarations : mapping of str to Fix, optional
        How to declare all that was inferred, by role.
    """

    encoder: tuple[InferredProperty, ...] = ()
    decoder: tuple[InferredProperty, ...] = ()
    declarations: dict[str, Fix] = field(default_factory=dict)

    @property
    def encoder_declaration(self) -> str:
        """Python expression that declares all that was inferred about the encoder. Empty if nothing was."""
        return _expression(self.declarations.get("encoder"))

    @property
    def decoder_declaration(self) -> str:
        """Python expression that declares all that was inferred about the decoder. Empty if nothing was."""
        return _expression(self.declarations.get("decoder"))

    @property
    def encoder_flags(self) -> str:
        """Command-line options that declare all that was inferred about the encoder."""
        return _flags(self.declarations.get("encoder"))

    @property
    def decoder_flags(self) -> str:
        """Command-line options that declare all that was inferred about the decoder."""
        return _flags(self.declarations.get("decoder"))

    def __str__(self) -> str:
        return "\n".join(self._lines(is_command_line=False))

    __repr__ = __str__

    def for_command_line(self) -> str:
        """Return the table with all declarations as command-line options.

        Returns
        -------
        str
            The table.
        """
        return "\n".join(self._lines(is_command_line=True))

    def _lines(self, *, is_command_line: bool) -> Iterator[str]:
        for role, properties in (("encoder", self.encoder), ("decoder", self.decoder)):
            if properties:
                yield role
            for one in properties:
                evidence = f"({one.evidence})" if one.evidence else ""
                yield f"  {one.name:<14} {one.value:<18} {evidence}".rstrip()
                if one.name in FINDINGS:  # whose advice may be several sentences
                    label, fix = "what to do", one.declaration
                    advice = (fix.command_line if is_command_line else "") or fix.python
                else:
                    label = "to declare it" if one.value == "unknown" else "if that is wrong"
                    advice = _flags(one.declaration) if is_command_line else _expression(one.declaration)
                if advice:
                    yield f"  {'':<14}   {label}: {advice}"
            declaration = self.declarations.get(role)
            if declaration is not None:
                yield f"  declare all:   {_flags(declaration) if is_command_line else _expression(declaration)}"


def inspect(
    model: Any = None, x: Any = None, condition: Any = None, *, encoder: Any = None, decoder: Any = None
) -> Inspection:
    """Inspect a model, or an encoder and a decoder, and return what is inferred about them.

    Nothing is drawn. If the model fails on the samples, the error is listed as a problem, not raised.

    Parameters
    ----------
    model : Any, optional
        Anything that `vaeviz.open` accepts. With samples, a bare callable is inspected as an encoder, as plots use it.
    x : array_like, shape (N, ...), optional
        Samples. The first 64 are encoded and decoded. Without them only what is declared is listed.
    condition : array_like, shape (N, ...), optional
        Condition of each sample, for a conditional model.
    encoder, decoder : Any, optional
        The parts, if they are not those of `model`.

    Returns
    -------
    Inspection
        The properties of both, with evidence, and the declarations to paste.

    Raises
    ------
    InputError
        If no adapter knows the model, a bare callable comes without samples, or the samples cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> inspection = vaeviz.inspect(encoder=lambda x: x[:, :2], x=np.ones((5, 4)))
    >>> inspection.encoder_declaration
    'vaeviz.Encoder(fn, returns="mean", input_shape=(4,))'
    """
    if model is not None:
        known = open_with_adapter(model)[1]
        is_used_as_encoder = x is not None and known is not None and known.either and known.likely is None
        opened = open(model, role="encoder" if is_used_as_encoder else None)
        encoder = opened.encoder if encoder is None else encoder
        decoder = opened.decoder if decoder is None else decoder
        if x is None:
            x, condition = opened.inputs.get("x"), opened.inputs.get("condition") if condition is None else condition
    if encoder is not None and x is not None:
        with suppress(NotApplicable):  # a missing encoder is listed below
            x, condition = as_encoder(encoder).unpack_samples(x, condition)
    x = None if x is None else _first_samples(check_samples(x, "x"))
    condition = None if condition is None else as_condition(condition)[:MAX_INSPECTED_SAMPLES]
    declarations: dict[str, Fix] = {}
    of_encoder: tuple[InferredProperty, ...] = ()
    of_decoder: tuple[InferredProperty, ...] = ()
    posterior: Posterior | None = None
    if encoder is not None:
        of_encoder, posterior = _inspect_encoder(encoder, decoder, x, condition, declarations)
    if decoder is not None:
        of_decoder = _inspect_decoder(decoder, posterior, x, declarations)
    return Inspection(of_encoder, of_decoder, declarations)


def _inspect_encoder(
    given: Any, decoder: Any, x: Samples | None, condition: Any, declarations: dict[str, Fix]
) -> tuple[tuple[InferredProperty, ...], Posterior | None]:
    try:
        encoder = as_encoder(given)
    except NotApplicable as reason:
        return (InferredProperty("missing", "", str(reason)),), None
    with suppress(NotApplicable):  # a missing decoder is listed with the decoder
        encoder = with_decoder(encoder, decoder)
    properties = [_describe_callable(encoder, given), *_describe_condition(encoder, condition)]
    posterior: Posterior | None = None
    trace: EncodingTrace | None = None
    if x is not None:
        with _reporting(properties):
            posterior, trace = trace_encoding(replace(encoder, _cached=None), x, condition)
    properties += [
        _describe_returns(encoder, x, trace),
        _describe_latent_size(posterior, x),
        _describe_input_shape(encoder, x, trace),
        _describe_value_range(encoder, x, None if trace is None else trace.bytes_sent),
    ]
    if encoder.preprocess is not None:
        properties.append(InferredProperty("preprocess", callable_name(encoder.preprocess), DECLARED))
    if trace is not None and x is not None:
        steady = "yes" if trace.is_steady else "no: it samples"
        properties.append(InferredProperty("deterministic", steady, "the same batch was encoded twice"))
        if encoder._whole is not None and encoder._whole.reconstruct is None:
            evidence = "no whole model to compare with: a step between the parts, such as a quantizer, is skipped"
            properties.append(InferredProperty("then", "unknown", evidence))
        if trace.step_name is not None:
            evidence = "decoding its codes is the model's own reconstruction"
            properties.append(InferredProperty("then", trace.step_name, evidence))
        properties += _describe_modules(trace.module_calls)
        declarations["encoder"] = declare("Encoder", **_encoder_settings(encoder, x, trace, posterior))
    properties.append(_describe_prior(encoder, posterior))
    return tuple(properties), posterior


def _inspect_decoder(
    given: Any, posterior: Posterior | None, x: Samples | None, declarations: dict[str, Fix]
) -> tuple[InferredProperty, ...]:
    try:
        decoder = as_decoder(given)
    except NotApplicable as reason:
        return (InferredProperty("missing", "", str(reason)),)
    condition = None if posterior is None else posterior.condition
    properties = [_describe_callable(decoder, given), *_describe_condition(decoder, condition)]
    shape = decoder.latent_shape or (posterior and (posterior.code_shape or (posterior.size,)))
    evidence = DECLARED if decoder.latent_shape else "that of the encoder's codes" if shape else ""
    declaration = Fix("") if shape else declare("Decoder", latent_shape=(16,))
    properties.append(InferredProperty("latent shape", str(shape or "unknown"), evidence, declaration))
    if shape:
        codes: Any = np.zeros((1, math.prod(shape)), np.float32) if posterior is None else posterior
        with _reporting(properties):
            trace, is_steady = _trace_twice(decoder, codes, x)
            properties += _describe_samples(decoder, trace, x, is_steady=is_steady)
            properties += _describe_modules(trace.module_calls)
            declarations["decoder"] = declare("Decoder", **_decoder_settings(decoder, trace, shape, posterior))
    properties += [_describe_value_range(decoder, None), _describe_prior(decoder, posterior)]
    return tuple(properties)


def _trace_twice(decoder: Decoder, codes: Any, x: Samples | None) -> tuple[DecodingTrace, bool]:
    """Decode codes twice, and return what it showed and whether the samples were the same."""
    known = decoder.known_conditions
    needs_condition = decoder.is_conditional and getattr(codes, "condition", None) is None
    condition = [next(iter(known))] * len(codes) if needs_condition and known else None
    trace = trace_decoding(decoder, codes, condition, reference=x)
    again = trace_decoding(decoder, codes, condition, reference=x)
    return trace, same_up_to_rounding(trace.samples, again.samples)


def _first_samples(x: np.ndarray | SampleStream) -> Samples:
    """Return the first samples. Bytes stay bytes, so that the encoder is known to receive them divided."""
    rows = slice(MAX_INSPECTED_SAMPLES)
    if not (isinstance(x, (StoredArray, Batches)) and x.divides_bytes):
        return take_rows(x, rows)
    stored = Batches(x.source) if isinstance(x, Batches) else StoredArray(x.source)
    first = StoredArray(take_rows(stored, rows), x.value_range)
    first.divides_bytes = True
    return first


@contextmanager
def _reporting(properties: list[InferredProperty]) -> Iterator[None]:
    """List warnings, and errors of the model, as properties."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except NotApplicable as reason:
            properties.append(InferredProperty("not tried", reason.message, declaration=reason.fix))
        except InputError as error:
            properties.append(InferredProperty("problem", error.message, declaration=error.fix))
    messages = {str(one.message): one.message for one in caught if issubclass(one.category, UserWarning)}
    for text, warning in messages.items():
        if isinstance(warning, GuessWarning):
            properties.append(InferredProperty("warning", warning.message, declaration=warning.fix))
        else:
            properties.append(InferredProperty("warning", text))


def _describe_callable(part: ModelPart, given: Any) -> InferredProperty:
    adapter = None if isinstance(given, ModelPart) else open_with_adapter(given)[0]
    batch = f", {part.batch_size} rows per call" if part.batch_size else ""
    return InferredProperty("callable", f"{part.name}{batch}", f"opened by adapter {adapter}" if adapter else "")


def _describe_condition(part: ModelPart, condition: Any) -> list[InferredProperty]:
    if part.condition is not None:
        return [InferredProperty("condition", f"y = {part.condition_name}", "fixed for every row")]
    if not part.is_conditional:
        is_optional = part.names_condition and condition is None
        return [InferredProperty("condition", "optional", "fn received none")] if is_optional else []
    if part.known_conditions:
        return [InferredProperty("condition", f"y one of {summarize_names(part.known_conditions)}", DECLARED)]
    names = () if condition is None else tuple(dict.fromkeys(condition_names(condition, None)))
    declaration = declare(type(part).__name__, conditions=names or ("first", "second"))
    return [InferredProperty("condition", "y of unknown values", "fn takes two arguments", declaration)]


def _describe_returns(encoder: Encoder, x: Samples | None, trace: EncodingTrace | None) -> InferredProperty:
    if trace is None:
        value, evidence = (encoder.returns, DECLARED) if encoder.returns else ("unknown", _why_unknown(x))
        return InferredProperty("returns", value, evidence)
    value, declaration = str(trace.outputs), Fix("")
    if encoder.returns:
        return InferredProperty("returns", value, DECLARED)
    if trace.outputs.declaration is not None and trace.outputs.spread is not None:
        other = "std" if trace.outputs.spread == "log_var" else "log_var"
        declaration = declare("Encoder", returns=trace.outputs.declaration.replace(trace.outputs.spread, other))
    places = [
        f"{name} is {_place_of(path)}"
        for name, path in (("mean", trace.outputs.mean), ("spread", trace.outputs.spread_at))
        if path
    ]
    found = [", ".join(places) or f"one {type(trace.returned).__name__}", trace.outputs.evidence]
    return InferredProperty("returns", value, "; ".join(filter(None, found)), declaration)


def _place_of(path: Path) -> str:
    """Return in words where an output is."""

    def words(key: int | str | Part) -> str:
        if isinstance(key, Part):
            return (
                f"value {key.index + 1} of every {key.n_parts}"
                if key.alternates
                else f"part {key.index + 1} of {key.n_parts}"
            )
        return f"output {key + 1}" if isinstance(key, int) else repr(key)

    return ", ".join(map(words, path))


def _why_unknown(x: Samples | None) -> str:
    return "pass x to see what is returned" if x is None else "the call failed"


def _describe_latent_size(posterior: Posterior | None, x: Samples | None) -> InferredProperty:
    if posterior is None:
        return InferredProperty("latent size", "unknown", _why_unknown(x))
    shape = f", of shape {posterior.code_shape}" if posterior.code_shape else ""
    return InferredProperty("latent size", f"{posterior.size}{shape}", "that of the means")


def _describe_input_shape(encoder: Encoder, x: Samples | None, trace: EncodingTrace | None) -> InferredProperty:
    if x is None:
        declaration = declare("Encoder", input_shape=(-1,))
        return InferredProperty("input shape", str(encoder.input_shape or "unknown"), declaration=declaration)
    own = x.shape[1:]
    sent = (encoder.input_shape or own) if trace is None else _sent_shape(encoder, x, trace)
    other = own if sent != own else (1, *own) if len(own) == 1 else (-1,)
    declaration = declare("Encoder", input_shape=other)
    if trace is None:
        return InferredProperty("input shape", str(encoder.input_shape or "unknown"), _why_unknown(x), declaration)
    evidence = trace.layout.evidence if sent == own else f"samples are {own}; {trace.layout.evidence}"
    return InferredProperty("input shape", str(sent), evidence, declaration)


def _sent_shape(encoder: Encoder, x: Samples, trace: EncodingTrace) -> tuple[int, ...]:
    """Return the shape in which the encoder receives one sample."""
    return trace.layout.arrange(encoder.prepare_batch(x[:1])).shape[1:]


def _describe_value_range(part: ModelPart, x: Samples | None, bytes_sent: BytesSent | None = None) -> InferredProperty:
    evidence = [] if x is None else [f"samples are in [{x.min():.3g}, {x.max():.3g}]"]
    if isinstance(x, StoredArray) and x.value_range is not None:
        evidence = ["x holds bytes, which were divided by 255"]
    if bytes_sent is not None:
        low, high = bytes_sent.value_range
        declaration = declare("Encoder", value_range=(0, 1) if high > 1 else BYTE_RANGE)
        kept = ["x holds bytes, which were sent as they are"] if high > 1 else evidence
        return InferredProperty(
            "value range", f"{low:g} to {high:g}", "; ".join([*kept, bytes_sent.evidence]), declaration
        )
    if part.value_range is None:
        declaration = declare(type(part).__name__, value_range=(-1, 1))
        evidence.append("nothing is rescaled")
        return InferredProperty("value range", "that of the data", "; ".join(evidence), declaration)
    low, high = part.value_range
    evidence.append(f"means [0, 1], {DECLARED}")
    return InferredProperty("value range", f"{low:g} to {high:g}", "; ".join(evidence))


def _describe_samples(
    decoder: Decoder, trace: DecodingTrace, x: Samples | None, *, is_steady: bool
) -> list[InferredProperty]:
    samples = trace.samples
    shape = samples.shape[1:]
    evidence = DECLARED if decoder.sample_shape else "that of the data" if x is not None else ""
    output = "after a sigmoid" if decoder.output == "logits" else "as returned, in the range below"
    other_output = declare("Decoder", output="values" if decoder.output == "logits" else "logits")
    layout = "channels_first" if trace.layout.moves_channels else decoder.layout or "as returned"
    other_layout = "channels_last" if layout == "channels_first" else "channels_first"
    other_shape = declare("Decoder", sample_shape=(math.prod(shape),)) if len(shape) > 1 else Fix("")
    table = Fix('Write vaeviz.Dataset(x, kind="table").', "Add --kind table.")
    return [
        InferredProperty("samples", str(shape), evidence, other_shape),
        InferredProperty("drawn as", infer_kind(shape) or "nothing", "their shape, if the data do not say it", table),
        InferredProperty(
            "layout", layout, declaration=declare("Decoder", layout=other_layout) if len(shape) == 3 else Fix("")
        ),
        InferredProperty("values", f"{samples.min():.3g} to {samples.max():.3g}", output, other_output),
        InferredProperty("deterministic", "yes" if is_steady else "no", "the same codes were decoded twice"),
    ]


def _describe_modules(module_calls: list[ModuleCall]) -> list[InferredProperty]:
    """Return the list of the innermost torch modules that ran, in order."""
    names = [type(one.module).__name__ for one in module_calls if not any(True for _ in one.module.children())]
    if not names:
        return []
    listed = names if len(names) <= MAX_LISTED_MODULES else [*names[: MAX_LISTED_MODULES - 2], "...", names[-1]]
    return [InferredProperty("modules", ", ".join(listed), f"{len(names)} ran, in eval mode")]


def _describe_prior(part: ModelPart, posterior: Posterior | None) -> InferredProperty:
    if part.prior:
        return InferredProperty("prior", "N(0, I)" if part.prior == "normal" else "not N(0, I)", DECLARED)
    if posterior is None or not posterior.prior:
        evidence = "no spread is returned" if posterior is not None and part.role == "encoder" else ""
        return InferredProperty("prior", "unknown", evidence, declare(type(part).__name__, prior="normal"))
    evidence = "implied by the spread" if part.role == "encoder" else "that of the encoder"
    return InferredProperty("prior", "N(0, I)", evidence)


def _shared_settings(part: ModelPart) -> dict[str, Any]:
    conditions = describe_conditions(part.known_conditions) if part.known_conditions else None
    return {
        "value_range": part.value_range,
        "batch_size": part.batch_size,
        "pad": part.pad,
        "conditions": conditions,
    }


def _encoder_settings(
    encoder: Encoder, x: Samples, trace: EncodingTrace, posterior: Posterior | None
) -> dict[str, Any]:
    """Return the declarations that make the encoder do what it did without them."""
    shape = _sent_shape(encoder, x, trace)
    is_cube = trace.layout.moves_channels and len(set(shape)) == 1  # which input_shape cannot tell
    settings = {
        "returns": encoder.returns or trace.outputs.declaration,
        "input_shape": None if is_cube else shape,
        "layout": "channels_first" if is_cube else None,
        "preprocess": None if encoder.preprocess is None else _CodeName(callable_name(encoder.preprocess)),
        **_shared_settings(encoder),
        **({} if trace.bytes_sent is None else trace.bytes_sent.declaration),
        "prior": encoder.prior or (posterior.prior if posterior is not None else None),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _decoder_settings(
    decoder: Decoder, trace: DecodingTrace, latent_shape: tuple[int, ...], posterior: Posterior | None
) -> dict[str, Any]:
    """Return the declarations that make the decoder do what it did without them."""
    settings = {
        "output": decoder.output or ("values" if decoder.value_range is None else None),
        "latent_shape": tuple(latent_shape),
        "sample_shape": trace.samples.shape[1:],
        "layout": "channels_first" if trace.layout.moves_channels else decoder.layout,
        **_shared_settings(decoder),
        "prior": decoder.prior or (posterior.prior if posterior is not None else None),
    }
    return {name: value for name, value in settings.items() if value is not None}


class _CodeName:
    """A name that a declaration holds without quotes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def _expression(fix: Fix | None) -> str:
    return "" if fix is None else fix.python.removeprefix("Write ").removesuffix(".")


def _flags(fix: Fix | None) -> str:
    return "" if fix is None else (fix.command_line or fix.python).removeprefix("Add ").removesuffix(".")
