"""``explain``: what was inferred about an encoder and a decoder, why, and the line that overrides it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import take_rows
from vaeviz.data.sample_kind import infer_kind
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.conditions import as_condition, fixed_condition_name, summarize_names
from vaeviz.model.decode import decode
from vaeviz.model.decoder import Decoder
from vaeviz.model.encode import encode, prepare_batch, unpack_samples
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import as_decoder, as_encoder, open, open_with_adapter
from vaeviz.model.outputs import infer_outputs, parse_returns, same_up_to_rounding
from vaeviz.model.posterior import Posterior

ROWS = 64
"""How many samples are looked at."""

KNOWN = "declared, or known to its adapter"

OVERRIDES = {
    "returns": 'Encoder(fn, returns="mean,std")',
    "input shape": "Encoder(fn, input_shape=(1, 28, 28))",
    "latent shape": "Decoder(fn, latent_shape=(16,))",
    "samples": "Decoder(fn, sample_shape=(28, 28))",
    "drawn as": 'Dataset(x, kind="table") or --kind table',
    "condition": '{role}(fn, conditions=("first", "second"))',
    "layout": 'Decoder(fn, layout="channels_first")',
    "values": 'Decoder(fn, output="logits")',
    "value range": "{role}(fn, value_range=(-1, 1))",
    "prior": '{role}(fn, prior="normal")',
}
"""What to write where a finding is wrong."""


@dataclass(frozen=True)
class InferredProperty:
    """One thing that is known or was inferred: its value, and the reason."""

    what: str
    value: str
    why: str = ""


@dataclass(frozen=True)
class Inspection:
    """Findings about an encoder and a decoder; prints as a table."""

    encoder: tuple[InferredProperty, ...] = ()
    decoder: tuple[InferredProperty, ...] = ()

    def __str__(self) -> str:
        return "\n".join(line for role in ("encoder", "decoder") for line in _lines(role, getattr(self, role)))

    __repr__ = __str__


def inspect(
    model: Any = None, x: Any = None, condition: Any = None, *, encoder: Any = None, decoder: Any = None
) -> Inspection:
    """What vaeviz infers about a model, or about an encoder and a decoder given apart.

    x: (N, ...) samples; the first 64 are encoded and decoded. Without them only what is declared, or known to an
    adapter, is told. condition: (N, ...) for a conditional model. Nothing is drawn. Problems are findings, too.
    """
    if model is not None:
        opened = open(model)
        encoder = opened.encoder if encoder is None else encoder
        decoder = opened.decoder if decoder is None else decoder
        if x is None:
            x, condition = opened.inputs.get("x"), opened.inputs.get("condition") if condition is None else condition
    if encoder is not None and x is not None:
        with suppress(NotApplicable):  # that there is no encoder is told among the findings
            x, condition = unpack_samples(as_encoder(encoder), x, condition)
    x = None if x is None else take_rows(check_samples(x, "x"), slice(ROWS))
    condition = None if condition is None else as_condition(condition)[:ROWS]
    findings, posterior = ((), None) if encoder is None else _of_encoder(encoder, x, condition)
    return Inspection(findings, () if decoder is None else _of_decoder(decoder, posterior, x))


def _of_encoder(
    given: Any, x: np.ndarray | None, condition: Any
) -> tuple[tuple[InferredProperty, ...], Posterior | None]:
    try:
        encoder = as_encoder(given)
    except NotApplicable as reason:
        return (InferredProperty("none", "", str(reason)),), None
    findings = [_known_as(encoder, given), *_conditions(encoder)]
    posterior, returned = None, None
    with _noting(findings):
        posterior, returned = (None, None) if x is None else _tried(encoder, x, condition, findings)
    findings += [
        _returns(encoder, returned, None if x is None else prepare_batch(encoder, x).shape[1:]),
        _latent(posterior),
        _input(encoder, x),
        _range(encoder.value_range, x),
        *([] if returned is None else [_determinism(findings)]),
        _prior("encoder", encoder.prior, posterior),
    ]
    return tuple(findings), posterior


def _tried(
    encoder: Encoder, x: np.ndarray, condition: Any, findings: list[InferredProperty]
) -> tuple[Posterior | None, tuple | None]:
    """(posterior, what the callable returned the first two times)."""
    returned: list[Any] = []
    try:
        posterior = encode(replace(encoder, fn=_recorded(encoder.fn, returned), remembered=None), x, condition)
    except NotApplicable as reason:
        findings.append(InferredProperty("not tried", str(reason)))
        return None, None
    except InputError as error:
        findings.append(InferredProperty("problem", str(error)))
        return None, None
    return posterior, tuple(returned[:2])


def _recorded(fn: Callable, returned: list[Any]) -> Callable:
    """The function itself, which also leaves what it returned in the list."""

    def recorded(*arrays: Any) -> Any:
        result = fn(*arrays)
        returned.append(result)
        return result

    recorded.__wrapped__ = fn  # where its torch modules are looked for
    return recorded


def _of_decoder(given: Any, posterior: Posterior | None, x: np.ndarray | None) -> tuple[InferredProperty, ...]:
    try:
        decoder = as_decoder(given)
    except NotApplicable as reason:
        return (InferredProperty("none", "", str(reason)),)
    findings = [_known_as(decoder, given), *_conditions(decoder)]
    shape = decoder.latent_shape or (posterior and (posterior.code_shape or (posterior.size,)))
    why = KNOWN if decoder.latent_shape else "that of the encoder's codes" if shape else ""
    findings.append(InferredProperty("latent shape", str(shape or "not known"), why))
    if shape:
        codes = np.zeros((1, math.prod(shape)), np.float32) if posterior is None else posterior
        with _noting(findings):
            findings += _decoded(decoder, codes, x)
    return (*findings, _range(decoder.value_range, None), _prior("decoder", decoder.prior, posterior))


def _decoded(decoder: Decoder, codes: Any, x: np.ndarray | None) -> list[InferredProperty]:
    known = decoder.is_conditional and getattr(codes, "condition", None) is None and decoder.conditions
    condition = [next(iter(known))] * len(codes) if known else None
    try:
        values, again = (decode(decoder, codes, condition, reference=x) for _ in range(2))
    except NotApplicable as reason:
        return [InferredProperty("not tried", str(reason))]
    except InputError as error:
        return [InferredProperty("problem", str(error))]
    output = "after a sigmoid" if decoder.output == "logits" else "taken as they come, in the range below"
    return [
        InferredProperty("samples", str(values.shape[1:])),
        InferredProperty(
            "drawn as", infer_kind(values.shape[1:]) or "nothing", "told by their shape, where the data say no more"
        ),
        InferredProperty("layout", decoder.layout or "told by the shapes"),
        InferredProperty("values", f"{values.min():.3g} to {values.max():.3g}", output),
        InferredProperty(
            "deterministic", "yes" if same_up_to_rounding(values, again) else "no", "the same codes were decoded twice"
        ),
    ]


def _known_as(part: Encoder | Decoder, given: Any) -> InferredProperty:
    adapter = None if isinstance(given, (Encoder, Decoder)) else open_with_adapter(given)[0]
    batch = f", {part.batch_size} rows at a time" if part.batch_size else ""
    return InferredProperty("callable", f"{part.name}{batch}", f"opened by {adapter}" if adapter else "")


def _conditions(part: Encoder | Decoder) -> list[InferredProperty]:
    """What is known of the condition; nothing of a plain part."""
    if part.condition is not None:
        return [InferredProperty("condition", f"y = {fixed_condition_name(part)}", "fixed, for every row")]
    if not part.is_conditional:
        return []
    if part.conditions:
        return [InferredProperty("condition", f"y one of {summarize_names(part.conditions)}", KNOWN)]
    return [InferredProperty("condition", "y of values that are not known", "it takes two arguments")]


def _returns(encoder: Encoder, returned: tuple | None, sample_shape: tuple[int, ...] | None) -> InferredProperty:
    if encoder.returns:
        return InferredProperty("returns", str(parse_returns(encoder.returns)), KNOWN)
    if not returned:
        return InferredProperty("returns", "not known", "give x to see what comes back")
    first, again = returned
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reading = infer_outputs(first, again=again, sample_shape=sample_shape)
    if not isinstance(first, (tuple, list)):
        return InferredProperty("returns", str(reading), f"inferred from one {type(first).__name__}")
    why = f"inferred from {len(first)} outputs: mean at {reading.mean}"
    return InferredProperty(
        "returns", str(reading), why + (f", spread at {reading.spread_at}" if reading.spread else "")
    )


def _latent(posterior: Posterior | None) -> InferredProperty:
    if posterior is None:
        return InferredProperty("latent size", "not known", "give x to see what comes back")
    shape = f", of shape {posterior.code_shape}" if posterior.code_shape else ""
    return InferredProperty("latent size", f"{posterior.size}{shape}", "that of the means")


def _input(encoder: Encoder, x: np.ndarray | None) -> InferredProperty:
    if x is None:
        return InferredProperty("input shape", str(encoder.input_shape or "not known"))
    try:
        sent = prepare_batch(encoder, x[:1]).shape[1:]
    except InputError as error:
        return InferredProperty("input shape", str(encoder.input_shape), str(error))
    if sent == x.shape[1:]:
        return InferredProperty("input shape", str(sent), "as the samples are")
    why = KNOWN if encoder.input_shape or encoder.layout else "told by its first layer"
    return InferredProperty("input shape", str(sent), f"samples are {x.shape[1:]}; {why}")


def _range(declared: tuple[float, float] | None, x: np.ndarray | None) -> InferredProperty:
    lie = [] if x is None else [f"samples lie in [{x.min():.3g}, {x.max():.3g}]"]
    if declared is None:
        return InferredProperty("value range", "that of the data", "; ".join([*lie, "nothing is rescaled"]))
    return InferredProperty(
        "value range", f"{declared[0]:g} to {declared[1]:g}", "; ".join([*lie, f"stands for [0, 1], {KNOWN}"])
    )


def _determinism(findings: list[InferredProperty]) -> InferredProperty:
    samples = any(finding.what == "warning" and "it samples" in finding.value for finding in findings)
    return InferredProperty("deterministic", "no: it samples" if samples else "yes", "the same batch was encoded twice")


def _prior(role: str, declared: str | None, posterior: Posterior | None) -> InferredProperty:
    if declared:
        return InferredProperty("prior", "N(0, I)", KNOWN)
    if role == "decoder":
        implied = posterior is not None and posterior.prior
        return InferredProperty(
            "prior", "N(0, I)" if implied else "not known", "that of the encoder" if implied else ""
        )
    if posterior is not None and posterior.prior:
        return InferredProperty("prior", "N(0, I)", "implied by the spread that comes back")
    return InferredProperty("prior", "not known", "no spread comes back" if posterior is not None else "")


@contextmanager
def _noting(findings: list[InferredProperty]) -> Iterator[None]:
    """Warnings become findings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = dict.fromkeys(str(warning.message) for warning in caught if issubclass(warning.category, UserWarning))
    findings += [InferredProperty("warning", text) for text in texts]


def _lines(role: str, findings: tuple[InferredProperty, ...]) -> Iterator[str]:
    if not findings:
        return
    yield role
    for finding in findings:
        why = f"({finding.why})" if finding.why else ""
        yield f"  {finding.what:<14} {finding.value:<18} {why}".rstrip()
        if finding.what in OVERRIDES:
            yield f"  {'':<14}   else write {OVERRIDES[finding.what].format(role=role.capitalize())}"
