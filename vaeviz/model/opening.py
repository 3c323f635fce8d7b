"""The one door to any model: what an encoder and a decoder are, and how a model is opened as a pair."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from vaeviz.data.batches import one_line
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.calling import callable_name
from vaeviz.model.conditions import condition_value
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.plugins import registry

Role = Literal["encoder", "decoder"]


@dataclass(frozen=True)
class Model:
    """An opened model: ``encoder, decoder = model``.

    inputs: what else it can supply to plots, by name. data: what it was trained on, as arguments of `load_data`.
    either: a bare callable that may be one or the other; where it is given says which.
    likely: which of the two it seems to be, by the sizes of what it takes and returns.
    """

    encoder: Encoder | None = None
    decoder: Decoder | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    name: str = "model"
    either: bool = False
    likely: Role | None = None

    def __iter__(self) -> Iterator[Encoder | Decoder | None]:
        return iter((self.encoder, self.decoder))


def open(model: Any) -> Model:
    """The encoder and decoder of a model or of a run folder: ``encoder, decoder = vaeviz.open(model)``.

    A part that the model does not have is None. Raises `InputError` if nothing here knows such a model.
    """
    opened = _adapted(model)
    if opened is None:
        raise InputError(f"{_told(model)}, expected a run folder, or a model with an encoder and a decoder")
    if opened.either and opened.likely is None:
        raise InputError(
            f"{opened.name} may be an encoder or a decoder: pass it as one of them (encoder=, --encoder); if it is "
            "both, call its parts encode and decode, or encoder and decoder"
        )
    if opened.either:
        other = "decoder" if opened.likely == "encoder" else "encoder"
        return replace(opened, either=False, **{other: None})
    return opened


def as_encoder(model: Any) -> Encoder:
    """`model` as an `Encoder`; `InputError` if it is none, `NotApplicable` if the model has none."""
    if isinstance(model, Encoder):
        return _completed(model, lambda opened: opened.encoder)
    opened = _adapted(model)
    if opened is None:
        raise InputError(f"encoder: {_told(model)}, expected a callable, a model or a Posterior")
    if opened.encoder is None:
        raise NotApplicable(f"{opened.name} has no encoder")
    return opened.encoder


def as_decoder(model: Any) -> Decoder:
    """`model` as a `Decoder`; `InputError` if it is none, `NotApplicable` if the model has none."""
    if isinstance(model, Decoder):
        return _completed(model, lambda opened: opened.decoder)
    opened = _adapted(model)
    if opened is None:
        raise InputError(f"decoder: {_told(model)}, expected a callable or a model")
    if opened.decoder is None:
        raise NotApplicable(f"{opened.name} has no decoder")
    return opened.decoder


def condition_on(model: Any, condition: Any) -> Any:
    """A conditional decoder with its condition fixed, so that it stands where a decoder of z alone is asked.

    model: anything that has a decoder; an `Encoder` is fixed as an encoder, and a `Model` (what `open` returns) in both
        its parts.
    condition: one value, the same for every code: a class or its name where the model knows its `conditions`, else
        the number or vector that it takes. Raises `UnknownName` for a class that it does not know.
    """
    if isinstance(model, Model):
        parts = {role: getattr(model, role) for role in get_args(Role)}
        fixed = {role: part for role, part in parts.items() if part is not None}
        if any(part.is_conditional for part in fixed.values()):  # the other takes none
            fixed = {role: part for role, part in fixed.items() if part.is_conditional}
        return replace(model, **{role: condition_on(part, condition) for role, part in fixed.items()})
    part = as_encoder(model) if isinstance(model, Encoder) else as_decoder(model)
    return replace(part, condition=condition_value(condition, part.conditions))


def _adapted(model: Any) -> Model | None:
    """`model` as the first adapter that knows it opens it, strangers' adapters before our own."""
    return open_with_adapter(model)[1]


def open_with_adapter(model: Any) -> tuple[str | None, Model | None]:
    """(name of the adapter that knows `model`, what it opens): no name where none was needed, or none knows it."""
    if isinstance(model, Model):
        return None, model
    if isinstance(model, Encoder):
        return None, Model(encoder=as_encoder(model), name=model.name)
    if isinstance(model, Decoder):
        return None, Model(decoder=as_decoder(model), name=model.name)
    for name, adapter in _adapters():
        try:
            opened = adapter(model)
        except (InputError, NotApplicable):
            raise
        except Exception as error:
            warnings.warn(f"adapter {name!r} failed, and is passed over: {one_line(error)}", stacklevel=2)
            continue
        if opened is not None:
            return name, opened
    return None, _native(model)


def _adapters() -> Iterator[tuple[str, Callable[[Any], Model | None]]]:
    """The adapters by name, strangers' before our own. One that cannot be imported is passed over with a warning."""
    named = registry.entries("vaeviz.adapters")
    for name in sorted(named, key=lambda name: named[name][0].distribution == registry.OWN_DISTRIBUTION):
        try:
            yield name, registry.load("vaeviz.adapters", name)
        except InputError as error:
            warnings.warn(f"adapter {error}", stacklevel=2)


def _native(model: Any) -> Model | None:
    """What needs no adapter: an object with `encode` and `decode`, or `encoder` and `decoder`, or a bare callable."""
    if isinstance(model, (str, bytes)):  # whose encode and decode are others
        return None
    name = callable_name(model)
    parts = {role: _part_of(model, role) for role in ("encode", "decode")}
    if any(parts.values()):
        encoder, decoder = parts["encode"], parts["decode"]
        return Model(
            encoder and replace(as_encoder(getattr(model, encoder)), name=f"{name}.{encoder}"),
            decoder and replace(as_decoder(getattr(model, decoder)), name=f"{name}.{decoder}"),
            name=name,
        )
    if callable(model):
        return Model(Encoder(model), Decoder(model), name=name, either=True)
    return None


def _part_of(model: Any, role: str) -> str | None:
    """`encode`, else `encoder` (likewise for `decode`); a part alone counts only where its counterpart is there."""
    if callable(getattr(model, role, None)):
        return role
    other = {"encode": ("decode", "decoder"), "decode": ("encode", "encoder")}[role]
    paired = any(callable(getattr(model, name, None)) for name in other)
    return f"{role}r" if paired and callable(getattr(model, f"{role}r", None)) else None


def _completed(declared: Any, part: Callable[[Model], Any]) -> Any:
    """What is declared, and for the rest what an adapter knows about the object that stands as `fn`."""
    opened = _adapted(declared.fn)
    known = opened and part(opened)
    if known is None:
        return declared
    said = {f.name: getattr(declared, f.name) for f in fields(declared) if f.name not in ("fn", "_")}
    return replace(known, **{name: value for name, value in said.items() if value is not None})


def _told(model: Any) -> str:
    if isinstance(model, (str, Path)) and not Path(model).exists():
        return f"got {str(model)!r}, which does not exist"
    if isinstance(model, (str, Path)):
        return f"got {str(model)!r}, which is not a folder or file that an adapter knows"
    return f"got {type(model).__name__}"
