"""Open any model as an encoder and a decoder."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from vaeviz.data.batches import one_line
from vaeviz.errors import Fix, InputError, NotApplicable, warn_user
from vaeviz.model.calling import callable_name
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.posterior import Posterior
from vaeviz.model.whole_model import WholeModel, whole_model
from vaeviz.plugins import registry

Role = Literal["encoder", "decoder"]
Adapter = Callable[..., "Model | None"]
Part = TypeVar("Part", Encoder, Decoder)

ROUTES = {
    (".ckpt", ".bin"): Fix(
        "It may be a checkpoint: write vaeviz.load_weights(YourModule, path), and pass what it returns.",
        "It may be a checkpoint: name the class as MODEL and the file as --weights FILE.",
    ),
    (".pkl", ".pickle", ".joblib"): Fix(
        "Loading it can run any code. If you trust whoever made it, load it with the library that wrote it, and pass "
        "the object.",
        "Loading it can run any code. If you trust whoever made it, load it in a module of your own, and name the "
        "object as package.module:attribute.",
    ),
    (".h5", ".hdf5"): Fix(
        "If it holds weights of Keras, write vaeviz.load_weights(model, path). If it holds a Keras model, load it with "
        "keras.saving.load_model(path), and pass the model.",
        "If it holds weights of Keras, name the class as MODEL and the file as --weights FILE. If it holds a model, "
        "save it as a .keras file, and name that file.",
    ),
}
"""What to do with files that no adapter opens, by suffix."""

COUNTERPARTS = {"encode": "decode", "decode": "encode", "encoder": "decoder", "decoder": "encoder"}
"""Names of functions that say which part they are, and of the other part."""


@dataclass(frozen=True)
class Model:
    """An opened model: ``encoder, decoder = model``.

    Parameters
    ----------
    encoder : Encoder, optional
        Its encoder. None if it has none.
    decoder : Decoder, optional
        Its decoder. None if it has none.
    inputs : mapping, optional
        Other inputs of plots that it supplies, by name, e.g. ``history`` and ``likelihood``.
    data : mapping, optional
        The data set that it was trained on, as arguments of `vaeviz.load_data`.
    name : str, default "model"
        Name in messages and titles.
    either : bool, default False
        True for a callable that may be an encoder or a decoder.
    likely : {"encoder", "decoder"}, optional
        The role of such a callable, if the sizes of its input and output tell.
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

    def __repr__(self) -> str:
        return f"Model(encoder={self.encoder!r}, decoder={self.decoder!r}, name={self.name!r})"


def open(model: Any, *, role: Role | None = None, trust: bool = False) -> Model:
    """Open a model or the folder of a run.

    Parameters
    ----------
    model : Any
        A run folder, a model file, a model of a library that an adapter knows, an object with ``encode`` and
        ``decode``, or an `Encoder`, `Decoder` or `Model`.
    role : {"encoder", "decoder"}, optional
        Take this part alone. Needed for a bare callable, or a file that holds one, which may be either.
    trust : bool, default False
        Load files that can run code when they are loaded (``.pt2``, TorchScript, ``.keras`` with Lambda layers, Pythae
        folders with pickles). Trust a file as you would trust a program from the same person.

    Returns
    -------
    Model
        The encoder and the decoder. A part that the model does not have is None.

    Raises
    ------
    InputError
        If no adapter knows the model, or it may be an encoder or a decoder.

    Examples
    --------
    >>> import vaeviz
    >>> from sklearn.decomposition import PCA
    >>> encoder, decoder = vaeviz.open(PCA(2))
    >>> encoder.name
    'PCA.transform'
    """
    opened = open_with_adapter(model, trust=trust)[1]
    if opened is None:
        raise _unknown_model_error(model, "a run folder, or a model with an encoder and a decoder")
    role = role or (opened.likely if opened.either else None)
    if opened.either and role is None:
        raise InputError(
            f"{opened.name} may be an encoder or a decoder.",
            got=opened.name,
            expected="an encoder and a decoder",
            fix=Fix(
                'Write vaeviz.open(model, role="encoder"), or role="decoder". If it is both, pass its parts as a tuple '
                "(encoder, decoder).",
                "Name it with --encoder or --decoder. If it is both, call its parts encode and decode.",
            ),
        )
    if role == "encoder":
        return replace(opened, either=False, decoder=None)
    if role == "decoder":
        return replace(opened, either=False, encoder=None)
    return opened


def as_encoder(model: Any) -> Encoder:
    """Return the encoder of a model.

    Parameters
    ----------
    model : Any
        An encoder, or anything that has one.

    Returns
    -------
    Encoder
        The encoder. The declarations of an `Encoder` are completed with what an adapter knows about its ``fn``.

    Raises
    ------
    InputError
        If no adapter knows the model.
    NotApplicable
        If it has no encoder.
    """
    if isinstance(model, Encoder):
        opened = open_with_adapter(model.fn)[1]
        return _complete(model, None if opened is None else opened.encoder)
    opened = open_with_adapter(model)[1]
    if opened is None:
        raise _unknown_model_error(model, "a callable, a model or a Posterior", "encoder")
    if opened.encoder is None:
        raise _missing_part_error(model, opened, "encoder")
    return opened.encoder


def as_decoder(model: Any) -> Decoder:
    """Return the decoder of a model.

    Parameters
    ----------
    model : Any
        A decoder, or anything that has one.

    Returns
    -------
    Decoder
        The decoder. The declarations of a `Decoder` are completed with what an adapter knows about its ``fn``.

    Raises
    ------
    InputError
        If no adapter knows the model.
    NotApplicable
        If it has no decoder.
    """
    if isinstance(model, Decoder):
        opened = open_with_adapter(model.fn)[1]
        return _complete(model, None if opened is None else opened.decoder)
    opened = open_with_adapter(model)[1]
    if opened is None:
        raise _unknown_model_error(model, "a callable or a model", "decoder")
    if opened.decoder is None:
        raise _missing_part_error(model, opened, "decoder")
    return opened.decoder


def check_columns(encoder: Any, x: Any) -> None:
    """Raise if `x` is a table with other columns than its encoder was fitted on.

    Parameters
    ----------
    encoder : callable, model, Encoder, Posterior or None
        The encoder.
    x : array_like, shape (N, ...), or None
        The samples, as they were given: arrays have no names of columns.

    Raises
    ------
    InputError
        If it has others, or has them in another order.
    """
    if encoder is not None and not isinstance(encoder, Posterior):
        as_encoder(encoder).check_columns(x)


def both_parts(encoder: Any, decoder: Any) -> tuple[Any, Any]:
    """Return an encoder and a decoder, of which one may be missing because the other is a whole model.

    Parameters
    ----------
    encoder : callable, model, Posterior or None
        The encoder.
    decoder : callable, model or None
        The decoder.

    Returns
    -------
    tuple
        The encoder and the decoder.

    Raises
    ------
    InputError
        If one is missing, and the other is not a model that has both.
    """
    if encoder is not None and decoder is not None:
        return encoder, decoder
    model, missing = (encoder, "decoder") if decoder is None else (decoder, "encoder")
    opened = None if model is None or isinstance(model, Posterior) else open_with_adapter(model)[1]
    if opened is None or opened.either or opened.encoder is None or opened.decoder is None:
        raise InputError(
            f"The {missing} is missing, and {callable_name(model)} is not known to have one.",
            got=callable_name(model),
            expected="an encoder and a decoder, or a model that has both",
            fix=f"Pass {missing}=... as well.",
        )
    return model, model


def with_decoder(encoder: Any, decoder: Any) -> Any:
    """Return an encoder that knows the decoder which is used with it, as the encoder of a whole model does.

    Parameters
    ----------
    encoder : callable, model, Encoder, Posterior or None
        The encoder. None for that of `decoder`, if this is a whole model whose encoder takes x alone.
    decoder : callable, model, Decoder or None
        The decoder.

    Returns
    -------
    Encoder, Posterior or None
        The encoder with this decoder in place of the model's own, which shows how its outputs are to be read. None for
        a decoder alone.
    """
    if encoder is None and decoder is not None:
        opened = open_with_adapter(decoder)[1]
        own = None if opened is None or opened.either else opened.encoder
        return None if own is None or own.is_conditional else own
    if decoder is None or isinstance(encoder, Posterior):
        return encoder
    part, given = as_encoder(encoder), as_decoder(decoder)
    if part._whole is None:
        return replace(part, _whole=WholeModel(given))
    return part if part._whole.decoder.fn == given.fn else replace(part, _whole=replace(part._whole, decoder=given))


def condition_on(model: Any, condition: Any) -> Any:
    """Fix the condition of a conditional decoder, so that it decodes z alone.

    Parameters
    ----------
    model : Any
        Anything that has a decoder. An `Encoder`, and a function named ``encode``, is fixed as an encoder, and a
        `Model` in each of its parts that is conditional.
    condition : Any
        One value for all codes: a class or its name if the model declares its `conditions`, else the number or vector
        that it receives.

    Returns
    -------
    Decoder, Encoder or Model
        The model with its condition fixed.

    Raises
    ------
    UnknownName
        For a class that the model does not know.

    Examples
    --------
    >>> import numpy as np
    >>> import vaeviz
    >>> decoder = vaeviz.condition_on(lambda z, y: z + y[:, None], 3)
    >>> vaeviz.decode(decoder, np.zeros((1, 2)))
    array([[3., 3.]], dtype=float32)
    """
    if isinstance(model, Model):
        parts = [part for part in (model.encoder, model.decoder) if part is not None]
        if any(part.is_conditional for part in parts):  # a part of x or z alone stays as it is
            parts = [part for part in parts if part.is_conditional]
        for part in parts:
            model = replace(model, **{part.role: condition_on(part, condition)})
        return model
    opened = None if isinstance(model, Decoder) else open_with_adapter(model)[1]
    has_decoder = opened is None or opened.decoder is not None
    part = as_decoder(model) if has_decoder else as_encoder(model)
    return replace(part, condition=part.fix_condition(condition))


def open_with_adapter(model: Any, *, trust: bool = False) -> tuple[str | None, Model | None]:
    """Open a model with the first adapter that knows it. Third-party adapters are tried first.

    Parameters
    ----------
    model : Any
        The model.
    trust : bool, default False
        Passed to adapters that have a parameter ``trust``.

    Returns
    -------
    name : str or None
        Name of the adapter. None if none was needed, or none knows the model.
    opened : Model or None
        The opened model. None if nothing knows it.

    Raises
    ------
    InputError
        For a class instead of an object, and if an adapter refuses the model.
    """
    if isinstance(model, type) and not _has_static_parts(model):
        name = model.__name__
        raise InputError(
            f"{name} is a class.", got=name, expected="an object", fix=f"Pass an object, such as {name}(...)."
        )
    if isinstance(model, Model):
        return None, model
    if isinstance(model, Encoder):
        return None, Model(encoder=as_encoder(model), name=model.name)
    if isinstance(model, Decoder):
        return None, Model(decoder=as_decoder(model), name=model.name)
    for name, adapter in _load_adapters():
        try:
            opened = adapter(model, trust=True) if trust and _has_trust(adapter) else adapter(model)
        except (InputError, NotApplicable):
            raise
        except Exception as error:
            warn_user(UserWarning(f"adapter {name!r} failed and is skipped: {one_line(error)}"))
            continue
        if opened is not None:
            return name, _with_whole_model(opened, model)
    opened = _open_without_adapter(model)
    return None, None if opened is None else _with_whole_model(opened, model)


def _with_whole_model(opened: Model, model: Any) -> Model:
    """Return an opened model whose encoder knows the decoder, and what the model itself does, unless it knows it."""
    encoder, decoder = opened.encoder, opened.decoder
    if opened.either or encoder is None or decoder is None or encoder._whole is not None:
        return opened
    return replace(opened, encoder=replace(encoder, _whole=whole_model(model, decoder)))


def _load_adapters() -> Iterator[tuple[str, Adapter]]:
    """Yield the adapters by name, third-party ones first. One that cannot be imported is skipped with a warning."""
    entries = registry.entries("vaeviz.adapters")
    for name in sorted(entries, key=lambda name: entries[name][0].distribution == registry.OWN_DISTRIBUTION):
        try:
            yield name, cast(Adapter, registry.load("vaeviz.adapters", name))
        except InputError as error:
            warn_user(UserWarning(f"adapter {error}"))


def _has_trust(adapter: Adapter) -> bool:
    try:
        return "trust" in inspect.signature(adapter).parameters
    except (TypeError, ValueError):
        return False


def _has_static_parts(model: type) -> bool:
    """Return True if a class can be used without an object: its encoder or decoder is a static or class method."""
    parts = (inspect.getattr_static(model, name, None) for name in ("encode", "decode", "encoder", "decoder"))
    return any(isinstance(part, (staticmethod, classmethod)) for part in parts)


def _open_without_adapter(model: Any) -> Model | None:
    """Open an object with ``encode`` and ``decode``, or ``encoder`` and ``decoder``, or a bare callable."""
    if isinstance(model, (str, bytes)):  # whose encode and decode mean something else
        return None
    if isinstance(model, tuple) and len(model) == 2:
        model = {"encoder": model[0], "decoder": model[1]}
    if isinstance(model, Mapping):
        parts = {role: open_part(model[role]) for role, open_part in _PARTS.items() if model.get(role) is not None}
        return Model(**parts) if parts else None
    name = callable_name(model)
    encoder, decoder = _part_attribute(model, "encode"), _part_attribute(model, "decode")
    if encoder or decoder:
        return Model(
            replace(as_encoder(getattr(model, encoder)), name=f"{name}.{encoder}") if encoder else None,
            replace(as_decoder(getattr(model, decoder)), name=f"{name}.{decoder}") if decoder else None,
            name=name,
        )
    return _open_callable(model, name) if callable(model) else None


_PARTS: dict[str, Callable[[Any], Any]] = {"encoder": as_encoder, "decoder": as_decoder}


def _open_callable(fn: Callable[..., Any], name: str) -> Model:
    """Open a bare callable as what its name says, else as either part. A method knows the model that it belongs to."""
    counterpart = COUNTERPARTS.get(getattr(fn, "__name__", ""))
    if counterpart is None:
        return Model(Encoder(fn), Decoder(fn), name=name, either=True)
    if counterpart.startswith("enc"):
        return Model(decoder=Decoder(fn), name=name)
    owner: Any = getattr(fn, "__self__", None)
    decoder = None if owner is None else _part_attribute(owner, "decode")
    whole = whole_model(owner, as_decoder(getattr(owner, decoder))) if decoder else None
    return Model(Encoder(fn, _whole=whole), name=name)


def _part_attribute(model: Any, verb: str) -> str | None:
    """Return the attribute for "encode" or "decode"; ``encoder`` counts only if its counterpart exists, too."""
    if callable(getattr(model, verb, None)):
        return verb
    counterparts = {"encode": ("decode", "decoder"), "decode": ("encode", "encoder")}[verb]
    is_paired = any(callable(getattr(model, name, None)) for name in counterparts)
    return f"{verb}r" if is_paired and callable(getattr(model, f"{verb}r", None)) else None


def _complete(declared: Part, known: Part | None) -> Part:
    """Return a part with its declarations, completed with what an adapter knows."""
    if known is None:
        return declared
    values = {one.name: getattr(declared, one.name) for one in fields(declared) if one.name not in ("fn", "_")}
    return replace(known, **{name: value for name, value in values.items() if value is not None})


def _missing_part_error(model: Any, opened: Model, role: Role) -> InputError | NotApplicable:
    """Return the error for a model without an encoder or decoder, or for a function whose name says it is the other."""
    counterpart = COUNTERPARTS.get(getattr(model, "__name__", ""))
    if counterpart is None:
        return NotApplicable(f"{opened.name} has no {role}.")
    name, other = callable_name(model), "an encoder" if role == "decoder" else "a decoder"
    has_counterpart = hasattr(getattr(model, "__self__", None), counterpart)
    expected = f"{name.rpartition('.')[0]}.{counterpart}" if has_counterpart else f"the {role}"
    return InputError(
        f"{name} is {other} by its name, but the {role} is expected here.",
        got=name,
        expected=expected,
        fix=f"Pass {expected}. If the function is the {role}, write vaeviz.{role.capitalize()}(fn).",
    )


def _unknown_model_error(model: Any, expected: str, what: str = "model") -> InputError:
    if not isinstance(model, (str, Path)):
        got = type(model).__name__
        message = f"{what} is of type {got}, which is not a known kind of model; expected {expected}."
        holds_samples = hasattr(model, "__array__")
        of_codes = (
            "If it holds codes (N, D), pass vaeviz.Posterior(codes) as the encoder. " if what != "decoder" else ""
        )
        fix = Fix(f"{of_codes}If it holds samples, pass it as x=.") if holds_samples else _route_of_attribute(model)
        return InputError(message, got=got, expected=expected, fix=fix)
    elif not os.path.exists(model):
        got = str(model)
        message = f"{what} is {got!r}, which does not exist; expected {expected}."
    else:
        got = str(model)
        message = f"{what} is {got!r}, neither a run folder nor a model of a known format; expected {expected}."
        return InputError(message, got=got, expected=expected, fix=_route_of_file(Path(model)))
    return InputError(message, got=got, expected=expected)


def _route_of_attribute(model: Any) -> Fix:
    """Return how the networks in an object, such as a detector or a trainer, can be used."""
    found = []
    for name, value in getattr(model, "__dict__", {}).items():
        if name.startswith("_") or isinstance(value, (str, bytes, type)) or inspect.isroutine(value):
            continue
        with suppress(InputError, NotApplicable):
            opened = open_with_adapter(value)[1]
            if opened is not None and (not opened.either or _has_parameters(value)):
                found.append(f"{name} of type {type(value).__name__}")
    if not found:
        return Fix("")
    return Fix(f"Pass its attribute {' or '.join(found)}, and preprocess the samples as {type(model).__name__} does.")


def _has_parameters(value: Any) -> bool:
    """Return True for a torch module that can be trained, unlike a loss."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module) and any(True for _ in value.parameters())


def _route_of_file(path: Path) -> Fix:
    """Return how the model in a file or folder of a known kind can be used, although no adapter opens it."""
    if (path / "saved_model.pb").is_file():
        return Fix('Save the model with model.save("model.keras"), and pass that file.')
    return next((route for suffixes, route in ROUTES.items() if path.suffix.lower() in suffixes), Fix(""))
