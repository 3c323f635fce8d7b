"""``explain``: what was inferred about an encoder and a decoder, why, and the line that overrides it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vaeviz.batches import samples
from vaeviz.decoding import decode
from vaeviz.encoding import encode, prepared
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model import Decoder, Encoder, as_decoder, as_encoder, open, opened_by
from vaeviz.posterior import Posterior, alike, declared_reading, inferred_reading

ROWS = 64
"""How many samples are looked at."""


@dataclass(frozen=True)
class Finding:
    """One thing that is known or was inferred: its value, the reason, and what to write to say otherwise."""

    what: str
    value: str
    why: str = ""
    override: str = ""


@dataclass(frozen=True)
class Explanation:
    """Findings about an encoder and a decoder; prints as a table."""

    encoder: tuple[Finding, ...] = ()
    decoder: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return "\n".join(line for role in ("encoder", "decoder") for line in _lines(role, getattr(self, role)))

    __repr__ = __str__


def explain(model: Any = None, x: Any = None, *, encoder: Any = None, decoder: Any = None) -> Explanation:
    """What vaeviz infers about a model, or about an encoder and a decoder given apart.

    x: (N, ...) samples; the first 64 are encoded and decoded. Without them only what is declared, or known to an
    adapter, is told. Nothing is drawn. Problems are findings, too.
    """
    if model is not None:
        opened = open(model)
        encoder = opened.encoder if encoder is None else encoder
        decoder = opened.decoder if decoder is None else decoder
        x = opened.inputs.get("x") if x is None else x
    x = None if x is None else samples(x, "x")[:ROWS]
    findings, posterior = ((), None) if encoder is None else _of_encoder(encoder, x)
    return Explanation(findings, () if decoder is None else _of_decoder(decoder, posterior, x))


def _of_encoder(given: Any, x: np.ndarray | None) -> tuple[tuple[Finding, ...], Posterior | None]:
    try:
        encoder = as_encoder(given)
    except NotApplicable as reason:
        return (Finding("none", "", str(reason)),), None
    findings = [_known_as(encoder, given)]
    posterior, returned = None, None
    with _noting(findings):
        posterior, returned = (None, None) if x is None else _tried(encoder, x, findings)
    findings += [
        _returns(encoder, returned, None if x is None else prepared(encoder, x).shape[1:]),
        _latent(posterior),
        _input(encoder, x),
        _range("Encoder", encoder.value_range, x),
        *([] if returned is None else [_determinism(findings)]),
        _prior("Encoder", encoder.prior, posterior),
    ]
    return tuple(findings), posterior


def _tried(encoder: Encoder, x: np.ndarray, findings: list[Finding]) -> tuple[Posterior | None, tuple | None]:
    """(posterior, what the callable returned the first two times)."""
    returned: list[Any] = []
    try:
        posterior = encode(replace(encoder, fn=_recorded(encoder.fn, returned), remembered=None), x)
    except InputError as error:
        findings.append(Finding("problem", str(error)))
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


def _of_decoder(given: Any, posterior: Posterior | None, x: np.ndarray | None) -> tuple[Finding, ...]:
    try:
        decoder = as_decoder(given)
    except NotApplicable as reason:
        return (Finding("none", "", str(reason)),)
    findings = [_known_as(decoder, given)]
    shape = decoder.latent_shape or (posterior and (posterior.code_shape or (posterior.size,)))
    why = (
        "declared, or known to its adapter" if decoder.latent_shape else "that of the encoder's codes" if shape else ""
    )
    findings.append(
        Finding("latent shape", str(shape or "not known"), why, "Decoder(fn, latent_shape=(D,)) or --latent-shape D")
    )
    if shape:
        codes = np.zeros((1, int(np.prod(shape))), np.float32) if posterior is None else posterior
        with _noting(findings):
            findings += _decoded(decoder, codes, x)
    findings.append(_range("Decoder", decoder.value_range, None))
    findings.append(_prior("Decoder", decoder.prior, posterior))
    return tuple(findings)


def _decoded(decoder: Decoder, codes: Any, x: np.ndarray | None) -> list[Finding]:
    raw: list[Any] = []
    try:
        values = decode(replace(decoder, fn=_recorded(decoder.fn, raw)), codes, like=x)
        again = decode(decoder, codes, like=x)
    except InputError as error:
        return [Finding("problem", str(error))]
    low, high = float(values.min()), float(values.max())
    output = "a sigmoid is applied" if decoder.output == "logits" else "taken as they are, but for the range below"
    return [
        Finding("samples", str(values.shape[1:]), "", "Decoder(fn, sample_shape=(28, 28))"),
        Finding(
            "layout",
            decoder.layout or "told by the shapes",
            "",
            'Decoder(fn, layout="channels_first") or --layout channels_first',
        ),
        Finding("values", f"{low:.3g} to {high:.3g}", output, 'Decoder(fn, output="logits") or --output logits'),
        Finding("deterministic", "yes" if alike(values, again) else "no", "decoded twice"),
    ]


def _known_as(part: Encoder | Decoder, given: Any) -> Finding:
    adapter = opened_by(given.fn if isinstance(given, (Encoder, Decoder)) else given)[0]
    batch = f", {part.batch_size} rows at a time" if part.batch_size else ""
    return Finding("callable", f"{part.name}{batch}", f"opened by {adapter}" if adapter else "called as it is")


def _returns(encoder: Encoder, returned: tuple | None, sample_shape: tuple[int, ...] | None) -> Finding:
    override = 'Encoder(fn, returns="mean,std") or --returns mean,std'
    if encoder.returns:
        return Finding("returns", str(declared_reading(encoder.returns)), "declared, or known to its adapter", override)
    if not returned:
        return Finding("returns", "not known", "give x to see what comes back", override)
    first, again = returned
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reading = inferred_reading(first, again=again, sample_shape=sample_shape)
    several = isinstance(first, (tuple, list))
    why = f"inferred from {len(first)} outputs" if several else f"inferred from a {type(first).__name__}"
    if several and reading.mean is not None:
        why += f": mean in place {reading.mean}" + (f", spread in place {reading.spread_at}" if reading.spread else "")
    return Finding("returns", str(reading), why, override)


def _latent(posterior: Posterior | None) -> Finding:
    if posterior is None:
        return Finding("latent size", "not known", "give x to see what comes back")
    shape = f", of shape {posterior.code_shape}" if posterior.code_shape else ""
    return Finding("latent size", f"{posterior.size}{shape}", "that of the means")


def _input(encoder: Encoder, x: np.ndarray | None) -> Finding:
    override = "Encoder(fn, input_shape=(1, 28, 28)) or --input-shape 1,28,28"
    if x is None:
        return Finding("input shape", str(encoder.input_shape or "not known"), "", override)
    try:
        sent = prepared(encoder, x[:1]).shape[1:]
    except InputError as error:
        return Finding("input shape", str(encoder.input_shape), str(error), override)
    if sent == x.shape[1:]:
        return Finding("input shape", str(sent), "as the samples are", override)
    known = encoder.input_shape or encoder.layout
    why = "declared, or known to its adapter" if known else "told by its first layer"
    return Finding("input shape", str(sent), f"samples are {x.shape[1:]}; {why}", override)


def _range(kind: str, declared: tuple[float, float] | None, x: np.ndarray | None) -> Finding:
    told = f"samples lie in [{x.min():.3g}, {x.max():.3g}]" if x is not None else ""
    override = f"{kind}(fn, value_range=(-1, 1)) or --value-range -1,1"
    if declared is None:
        return Finding("value range", "that of the data", told or "nothing is rescaled", override)
    return Finding(
        "value range", f"{declared[0]:g} to {declared[1]:g}", f"stands for [0, 1]; {told}".rstrip("; "), override
    )


def _determinism(findings: list[Finding]) -> Finding:
    samples = any(finding.what == "warning" and "it samples" in finding.value for finding in findings)
    return Finding("deterministic", "no: it samples" if samples else "yes", "the same batch was encoded twice")


def _prior(kind: str, declared: str | None, posterior: Posterior | None) -> Finding:
    override = f'{kind}(fn, prior="normal")'
    if declared:
        return Finding("prior", "N(0, I)", "declared, or known to its adapter", override)
    if posterior is not None and posterior.prior and kind == "Encoder":
        return Finding("prior", "N(0, I)", "implied by the spread that comes back", override)
    return Finding("prior", "not known", "no spread comes back" if kind == "Encoder" else "", override)


@contextmanager
def _noting(findings: list[Finding]) -> Iterator[None]:
    """Warnings become findings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = dict.fromkeys(str(warning.message) for warning in caught)
    findings += [Finding("warning", text) for text in texts]


def _lines(role: str, findings: tuple[Finding, ...]) -> Iterator[str]:
    if not findings:
        return
    yield role
    for finding in findings:
        why = f"({finding.why})" if finding.why else ""
        yield f"  {finding.what:<14} {finding.value:<22} {why}".rstrip()
        if finding.override:
            yield f"  {'':<14} override: {finding.override}"
