"""Options: the keyword-only parameters of a function, read as settings that a person can write.

One reading serves plots, models, data sets and training: ``--dims 0,2``, ``--set latent_scatter.dims=0,2``,
a TOML key and a Python value are all validated against the same annotation.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from vaeviz.errors import InputError, UnknownName

PLACES = ("ax", "figure")  # where to draw: given by the caller, never a setting
SCALARS = (bool, int, float, str, Path)


@dataclass(frozen=True)
class Option:
    """A keyword-only parameter: its name, what it may be, and its default."""

    name: str
    annotation: Any
    default: Any

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Any:
        """The value that `text` spells; `InputError` if it spells none."""
        return self._checked(_parse(self.annotation, text), text)

    def check(self, value: Any) -> Any:
        """`value` if the annotation allows it (lists count as tuples); else `InputError`."""
        return self._checked(_check(self.annotation, value), value)

    def _checked(self, value: Any, got: Any) -> Any:
        if value is _WRONG:
            raise InputError(f"{self.name} = {got!r}: expected {describe_annotation(self.annotation)}")
        return value


def options_of(function: Callable) -> dict[str, Option]:
    """The options of a function: its keyword-only parameters, but for the place to draw in.

    Their annotations alone are read: those of inputs, of the place and of what is returned may name what is imported
    for type checkers only. Raises `InputError` for an option whose annotation names what is not there at run time.
    """
    return {
        parameter.name: Option(parameter.name, _annotation(function, parameter), parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in PLACES
    }


def is_text_serializable(annotation: Any) -> bool:
    """Whether a person can write every value that the annotation allows: in a command line and in a TOML file."""
    parts = get_args(annotation)
    if _is_union(annotation):
        return all(map(is_text_serializable, parts))
    if get_origin(annotation) is tuple:
        return all(map(_fits_between_commas, parts[:1] if parts[1:] == (Ellipsis,) else parts or (tuple,)))
    return get_origin(annotation) in (Literal, dict) or annotation in (*SCALARS, dict, type(None))


def validate_settings(function: Callable, settings: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """`settings` validated against the options of `function`; strings are parsed, other values checked."""
    options = options_of(function)
    checked = {}
    for name, value in settings.items():
        option = options.get(name.replace("-", "_"))
        if option is None:
            raise UnknownName(f"option of {owner}", name, options)
        try:
            checked[option.name] = option.parse(value) if isinstance(value, str) else option.check(value)
        except InputError as error:
            raise InputError(f"{owner}.{error}") from None
    return checked


def describe_annotation(annotation: Any) -> str:
    """The annotation as a person would write its values: ``int,int or none``."""
    if annotation is Any:
        return "anything"
    if _is_union(annotation):
        return " or ".join(describe_annotation(part) for part in get_args(annotation))
    if annotation is type(None):
        return "none"
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    if get_origin(annotation) is tuple:
        parts = get_args(annotation)
        return (
            f"{describe_annotation(parts[0])},..."
            if parts[-1] is Ellipsis
            else ",".join(map(describe_annotation, parts))
        )
    if annotation is dict or get_origin(annotation) is dict:
        return "key=value,..."
    return {str: "text", bool: "true|false", Path: "path"}.get(annotation, annotation.__name__)


def _annotation(function: Callable, parameter: inspect.Parameter) -> Any:
    if parameter.annotation is parameter.empty:
        return Any
    inner = inspect.unwrap(function)
    names = getattr(inner, "__globals__", None) or vars(sys.modules[inner.__module__])
    alone = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(alone, globalns=names)[parameter.name]
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        whose = f"{getattr(inner, '__name__', inner)}: option {parameter.name!r}"
        raise InputError(
            f"{whose} is annotated {parameter.annotation!r}, which cannot be read ({error}); options need types "
            "that are there at run time, outside of `if TYPE_CHECKING`"
        ) from None


def _fits_between_commas(annotation: Any) -> bool:
    return is_text_serializable(annotation) and not any(
        part is dict or get_origin(part) in (tuple, dict) for part in (annotation, *get_args(annotation))
    )


_WRONG = object()
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _parse(annotation: Any, text: str) -> Any:
    if _is_union(annotation):
        parsed = (_parse(part, text) for part in sorted(get_args(annotation), key=lambda part: part is str))
        return next((value for value in parsed if value is not _WRONG), _WRONG)
    if annotation is type(None):
        return None if text.strip().lower() == "none" else _WRONG
    if annotation is bool:
        return _BOOLS.get(text.strip().lower(), _WRONG)
    if annotation in (int, float):
        return _number(annotation, text)
    if get_origin(annotation) is Literal:
        return next((choice for choice in get_args(annotation) if str(choice) == text), _WRONG)
    if get_origin(annotation) is tuple:
        return _each(annotation, [part.strip() for part in text.split(",") if part.strip()], _parse)
    if annotation is dict or get_origin(annotation) is dict:
        return _parse_dict(text)
    return text if annotation is Any else annotation(text)


def _number(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        return _WRONG


def _parse_dict(text: str) -> Any:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if not all(key and sign for key, sign, _ in pairs):
        return _WRONG
    return {key.strip(): _parse(int | float | bool | str, value.strip()) for key, _, value in pairs}


def _check(annotation: Any, value: Any) -> Any:
    if annotation is Any:
        return value
    if _is_union(annotation):
        checked = (_check(part, value) for part in get_args(annotation))
        return next((found for found in checked if found is not _WRONG), _WRONG)
    if get_origin(annotation) is Literal:
        return value if value in get_args(annotation) else _WRONG
    if get_origin(annotation) is tuple:
        return _each(annotation, value, _check) if isinstance(value, (list, tuple)) else _WRONG
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if annotation is int and isinstance(value, bool):
        return _WRONG
    kind = get_origin(annotation) or annotation
    return value if isinstance(value, kind) else _WRONG


def _each(annotation: Any, values: list | tuple, convert: Callable) -> Any:
    parts = get_args(annotation)
    if parts[-1] is Ellipsis:
        parts = parts[:1] * len(values)
    if len(values) != len(parts):
        return _WRONG
    converted = tuple(convert(part, value) for part, value in zip(parts, values))
    return _WRONG if any(value is _WRONG for value in converted) else converted
