"""The one door to any model: what an encoder and a decoder are, and how a model is opened as a pair."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from vaeviz.data.batches import told
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.model.calling import name_of
from vaeviz.model.conditions import is_conditional, known_conditions, read_value
from vaeviz.model.outputs import declared_reading
from vaeviz.model.posterior import Posterior
from vaeviz.plugins import registry

Prior = Literal["normal"]
Layout = Literal["channels_first", "channels_last"]
Role = Literal["encoder", "decoder"]


@dataclass(frozen=True, eq=False)
class Encoder:
    """A callable that maps samples to codes, and what is declared about it. Undeclared is None.

    fn: takes a batch (n, *input_shape), and the condition (n, ...) if there is one. Returns a mean (n, D),
        ``(mean, log_var)``, ``(mean, log_var, z)``, a mapping of names to those, or a distribution.
    returns: names the outputs: any of ``mean``, ``log_var``, ``var``, ``std``, and other names for the rest.
    input_shape: the shape of one sample that fn takes, ``(-1,)`` for flat.
    layout: where fn wants the channels of an image.
    value_range: the range that fn wants for data in [0, 1], e.g. ``(-1, 1)``.
    preprocess: applied to each batch (n, ...) before all else.
    prior: ``"normal"`` if the model assumes p(z) = N(0, I).
    batch_size: how many samples fn is sent at once.
    pad: whether fn takes exactly that many: the last batch is filled up, and what comes back for the filling dropped.
    conditions: the values that the condition of a conditional model may take: ``range(10)``, names of classes that fn
        takes by their places, or names with what fn takes for each, ``{"cat": [1, 0], "dog": [0, 1]}``.
    condition: given to fn with every sample, see :func:`given`.
    unpack: for an x that holds more than samples, as an AnnData does: (x, condition) to (samples (N, ...), condition).
    """

    fn: Callable
    _: KW_ONLY
    returns: str | None = None
    input_shape: tuple[int, ...] | None = None
    layout: Layout | None = None
    value_range: tuple[float, float] | None = None
    preprocess: Callable | None = None
    prior: Prior | None = None
    batch_size: int | None = None
    pad: bool | None = None
    conditions: Any = None
    condition: np.ndarray | None = None
    unpack: Callable[[Any, Any], tuple[Any, Any]] | None = None
    name: str | None = None
    remembered: tuple[Any, Posterior] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.returns is not None:
            declared_reading(self.returns)
        _check_and_name(self)

    @property
    def is_conditional(self) -> bool:
        """Whether fn wants a condition beside x that is not fixed."""
        return is_conditional(self)


@dataclass(frozen=True, eq=False)
class Decoder:
    """A callable that maps codes to samples, and what is declared about it. Undeclared is None.

    fn: takes a batch of codes (n, *latent_shape), and the condition (n, ...) if there is one. Returns samples
        (n, ...): the means of p(x | z), or logits.
    output: ``"logits"`` if a sigmoid is still to be applied.
    latent_shape: the shape of one code, ``(D,)`` or e.g. ``(4, 8, 8)``.
    layout: where fn puts the channels of an image.
    value_range: the range of fn's output that stands for [0, 1], e.g. ``(-1, 1)`` after a tanh.
    sample_shape: the shape of one sample, e.g. ``(28, 28)`` where fn returns (n, 784).
    prior: ``"normal"`` if the model assumes p(z) = N(0, I).
    batch_size: how many codes fn is sent at once.
    pad: whether fn takes exactly that many, see `Encoder`.
    conditions: the values that the condition of a conditional model may take, see `Encoder`.
    condition: given to fn with every code, see :func:`given`.
    """

    fn: Callable
    _: KW_ONLY
    output: Literal["values", "logits"] | None = None
    latent_shape: tuple[int, ...] | None = None
    layout: Layout | None = None
    value_range: tuple[float, float] | None = None
    sample_shape: tuple[int, ...] | None = None
    prior: Prior | None = None
    batch_size: int | None = None
    pad: bool | None = None
    conditions: Any = None
    condition: np.ndarray | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check_and_name(self)

    @property
    def is_conditional(self) -> bool:
        """Whether fn wants a condition beside z that is not fixed."""
        return is_conditional(self)

    @property
    def latent_size(self) -> int | None:
        """D, the number of latent dimensions, where it is declared."""
        return None if self.latent_shape is None else math.prod(self.latent_shape)


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


def given(model: Any, condition: Any) -> Any:
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
        return replace(model, **{role: given(part, condition) for role, part in fixed.items()})
    part = as_encoder(model) if isinstance(model, Encoder) else as_decoder(model)
    return replace(part, condition=read_value(condition, part.conditions))


def _adapted(model: Any) -> Model | None:
    """`model` as the first adapter that knows it opens it, strangers' adapters before our own."""
    return opened_by(model)[1]


def opened_by(model: Any) -> tuple[str | None, Model | None]:
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
            warnings.warn(f"adapter {name!r} failed, and is passed over: {told(error)}", stacklevel=2)
            continue
        if opened is not None:
            return name, opened
    return None, _native(model)


def _adapters() -> Iterator[tuple[str, Callable[[Any], Model | None]]]:
    """The adapters by name, strangers' before our own. One that cannot be imported is passed over with a warning."""
    named = registry.entries("vaeviz.adapters")
    for name in sorted(named, key=lambda name: named[name][0].distribution == registry.OWN):
        try:
            yield name, registry.load("vaeviz.adapters", name)
        except InputError as error:
            warnings.warn(f"adapter {error}", stacklevel=2)


def _native(model: Any) -> Model | None:
    """What needs no adapter: an object with `encode` and `decode`, or `encoder` and `decoder`, or a bare callable."""
    if isinstance(model, (str, bytes)):  # whose encode and decode are others
        return None
    name = name_of(model)
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


def _check_and_name(declared: Encoder | Decoder) -> None:
    _check_choices(declared)
    object.__setattr__(declared, "conditions", known_conditions(declared.conditions))
    if declared.batch_size is not None and declared.batch_size < 1:
        raise InputError(f"batch_size = {declared.batch_size}: expected 1 or more")
    if declared.pad and declared.batch_size is None:
        kind = type(declared).__name__
        raise InputError(f"pad=True: say how many rows fn takes, {kind}(fn, batch_size=N, pad=True)")
    if declared.name is None:
        object.__setattr__(declared, "name", name_of(declared.fn))


CHOICES = {
    "output": ("values", "logits"),
    "layout": get_args(Layout),
    "prior": get_args(Prior),
}


def _check_choices(declared: Encoder | Decoder) -> None:
    """`InputError` for a declaration that means nothing, which would be taken for another."""
    for name, known in CHOICES.items():
        value = getattr(declared, name, None)
        if value is not None and value not in known:
            raise UnknownName(name, str(value), known)
    if declared.value_range is not None and not declared.value_range[0] < declared.value_range[1]:
        raise InputError(f"value_range = {declared.value_range}: expected (low, high) with low < high")
    for name in ("input_shape", "latent_shape", "sample_shape"):
        shape = getattr(declared, name, None)
        if shape is not None and not (isinstance(shape, tuple) and all(isinstance(side, Integral) for side in shape)):
            raise InputError(f"{name} = {shape!r}: expected a tuple of integers, e.g. (16,)")


def _told(model: Any) -> str:
    if isinstance(model, (str, Path)) and not Path(model).exists():
        return f"got {str(model)!r}, which does not exist"
    if isinstance(model, (str, Path)):
        return f"got {str(model)!r}, which is not a folder or file that an adapter knows"
    return f"got {type(model).__name__}"
