"""Options: the keyword-only parameters of a function, read as settings that a person can write.

Plots, models, data sets and training share them: ``--dims 0,2``, ``--set latent_scatter.dims=0,2``, a TOML key and a
Python value are validated against the same annotation, by pydantic.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from vaeviz.errors import Fix, InputError, UnknownName

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_SHOWN = 60  # characters of a value in a message
PLACES = ("ax", "figure")  # parameters for the Axes or Figure to draw into; they are not settings
SCALAR_TYPES = (bool, int, float, str, Path)
MAX_PERMUTATIONS = 100_000  # resolve p-values of 1e-5; each takes a column of all samples
MAX_SEED = 2**32 - 1  # the largest that scikit-learn takes
BOUNDS = {  # of numbers, by the names that options and arguments have everywhere: lowest, highest
    "alpha": (0, 1),
    "batch_size": (1, math.inf),
    "beta": (0, math.inf),
    "dpi": (1, math.inf),
    "jobs": (1, math.inf),
    "latent_dim": (1, math.inf),
    "level": (0, 1),
    "max_points": (2, math.inf),
    "n_permutations": (1, MAX_PERMUTATIONS),
    "seed": (0, MAX_SEED),
    "tolerance": (0, 1),
}
COUNT_BOUNDS = (1, math.inf)  # of every n_...
POSITIVE = ("aspect", "length", "marker_size", "noise", "perplexity")  # which 0 is not
SCALAR_WORDS = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Option:
    """A keyword-only parameter.

    Parameters
    ----------
    name : str
        Name of the parameter.
    annotation : type
        What its values may be.
    default : object
        Its default.
    """

    name: str
    annotation: Any
    default: Any

    @property
    def flag(self) -> str:
        """Command-line option of the same name."""
        return "--" + self.name.replace("_", "-")

    @property
    def expected(self) -> str:
        """What its values may be, for messages."""
        lowest, highest = self._bounds
        if self.name in POSITIVE:
            limits = " above 0"
        elif lowest == -math.inf:
            limits = ""
        else:
            limits = f", {lowest} or more" if highest == math.inf else f" from {lowest} to {highest}"
        return describe_annotation(self.annotation) + limits

    @property
    def _bounds(self) -> tuple[float, float]:
        if not {int, float} & {self.annotation, *(get_args(self.annotation) if _is_union(self.annotation) else ())}:
            return -math.inf, math.inf
        default = COUNT_BOUNDS if self.name.startswith("n_") else (-math.inf, math.inf)
        return BOUNDS.get(self.name, default)

    def parse(self, text: str) -> Any:
        """Return the value of a text.

        Parameters
        ----------
        text : str
            The value as a person writes it: ``0,2``, ``none``, ``true``, ``key=value,...``.

        Returns
        -------
        object
            The value.

        Raises
        ------
        InputError
            If the annotation does not allow it.

        Examples
        --------
        >>> Option("dims", tuple[int, int] | None, None).parse("0,2")
        (0, 2)
        """
        if self.annotation is Any:
            return text
        for reading in _readings(text):
            with suppress(ValueError):
                return self._check_bounds(_adapter(self.annotation).validate_python(reading, strict=True))
        for reading in (text, _split(text)):  # pydantic converts the texts
            with suppress(ValueError):
                return self._check_bounds(_adapter(self.annotation).validate_python(reading, strict=False))
        raise self._error(text)

    def check(self, value: Any) -> Any:
        """Return a value that is not a text, validated.

        Parameters
        ----------
        value : object
            The value. NumPy scalars count as numbers, and lists and arrays as tuples.

        Returns
        -------
        object
            The value as the annotation has it.

        Raises
        ------
        InputError
            If the annotation does not allow it.
        """
        if self.annotation is Any or (_is_own_class(self.annotation) and isinstance(value, self.annotation)):
            return value
        if _is_own_class(self.annotation):
            raise self._error(value)
        plain = _builtin(value)
        try:
            checked = self._check_bounds(_adapter(self.annotation).validate_python(plain, strict=True))
        except ValueError:
            raise self._error(value) from None
        if isinstance(checked, float) and not isinstance(plain, Real):  # pydantic reads tensors, plots do not
            raise self._error(value)
        return checked

    def _check_bounds(self, value: Any) -> Any:
        """Return a value. Raise ValueError for a number that is NaN or out of bounds."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            lowest, highest = self._bounds
            if not lowest <= value <= highest or (self.name in POSITIVE and not value > 0):
                raise ValueError(value)
        return value

    def _error(self, got: Any) -> InputError:
        expected = self.expected
        fix: str | Fix = ""
        has_default = self.default is not inspect.Parameter.empty
        if has_default and (self.default is not None or describe_annotation(self.annotation).endswith("none")):
            default = format_value(self.default)
            fix = Fix(f"The default is {self.name}={self.default!r}.", f"The default is {default}.")
        stop = "" if expected.endswith(".") else "."
        shown = _short_repr(got)
        message = f"{self.name} is {shown}, expected {expected}{stop}"
        return InputError(message, got=shown, expected=expected, fix=fix)


def options_of(function: Callable[..., Any]) -> dict[str, Option]:
    """Return the options of a function: its keyword-only parameters, without the place to draw in.

    Parameters
    ----------
    function : callable
        A function or a class. Only the annotations of options are read; the others may name what is imported for
        type checkers only.

    Returns
    -------
    dict of str to Option
        Options by name, in the order of the signature.

    Raises
    ------
    InputError
        If the annotation of an option names something that does not exist at run time.
    """
    return {
        parameter.name: Option(parameter.name, _annotation(function, parameter), parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in PLACES
    }


def check_arguments(function: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Raise InputError for an argument that the annotation of its parameter does not allow.

    Numbers, texts, words and paths are checked, tuples of them, and objects of vaeviz, alone or with None. A public
    function calls this first: ``check_arguments(mmd_test, locals())``.

    Parameters
    ----------
    function : callable
        The function that was called.
    values : mapping
        Its arguments by name.

    Raises
    ------
    InputError
        Naming the first argument whose value is wrong.

    Examples
    --------
    >>> def draw(x, *, n_samples: int = 3, seed: int = 0): check_arguments(draw, locals())
    >>> draw(None, seed=-1)
    Traceback (most recent call last):
    vaeviz.errors.InputError: seed is -1, expected int from 0 to 4294967295. The default is seed=0.
    """
    for name, option in _checked_parameters(function).items():
        option.check(values[name])


def check_options(function: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Raise InputError for an argument that a plot does not have, or that its annotation does not allow.

    Options that can be a dictionary are left out, since the plot accepts more in a script: lists and colormaps as a
    palette, integers as keys.

    Parameters
    ----------
    function : callable
        The plot.
    values : mapping
        Some of its arguments by name.

    Raises
    ------
    UnknownName
        For an argument that the plot does not have.
    InputError
        Naming the first option whose value is wrong.
    """
    known = {*inspect.signature(function).parameters, "title", "legend", "ax"}  # the last three from `register_plot`
    for name in values:
        if name not in known:
            raise UnknownName(f"argument of {function.__name__}", name, known)
    for name, option in _checked_parameters(function).items():
        if name in values and not _takes_dictionary(option.annotation):
            option.check(values[name])


def check_names(argument: str, names: Any) -> list[str]:
    """Return names that are given as one text or as several.

    Parameters
    ----------
    argument : str
        Name of the argument, for messages.
    names : str or iterable of str
        The names.

    Returns
    -------
    list of str
        The names, each once.

    Raises
    ------
    InputError
        If they are neither a text nor texts.

    Examples
    --------
    >>> check_names("formats", "png"), check_names("formats", ("png", "pdf", "png"))
    (['png'], ['png', 'pdf'])
    """
    try:
        listed = [names] if isinstance(names, str) else list(names)
    except TypeError:
        listed = [names]
    for name in listed:
        if not isinstance(name, str):
            fix = f"Write {argument}=[{getattr(name, '__name__', 'NAME')!r}]."
            got = _short_repr(name)
            raise InputError(f"{argument} holds {got}, expected names.", got=got, expected="names", fix=fix)
    return list(dict.fromkeys(listed))


def check_settings(settings: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return options by name of a plot or check, empty for None.

    Parameters
    ----------
    settings : mapping or None
        A mapping of options for each name.

    Returns
    -------
    mapping
        The settings.

    Raises
    ------
    InputError
        If it is not a mapping of mappings by text.
    """
    if settings is None:
        return {}
    for part in (settings, *settings.values()) if isinstance(settings, Mapping) else (settings,):
        if not isinstance(part, Mapping):
            expected = "a dictionary of options by name"
            fix = 'Write settings={"latent_scatter": {"dims": (0, 2)}}.'
            got = _short_repr(part)
            raise InputError(f"settings holds {got}, expected {expected}.", got=got, expected=expected, fix=fix)
    return cast("Mapping[str, Mapping[str, Any]]", settings)


def is_text_serializable(annotation: Any) -> bool:
    """Return True if a person can write every value of an annotation, on a command line and in a TOML file.

    Parameters
    ----------
    annotation : type
        The annotation of an option.

    Returns
    -------
    bool
        True for bool, int, float, str, Path, Literal, dict, tuples of these with known items, and unions of them.

    Examples
    --------
    >>> is_text_serializable(tuple[int, ...] | None), is_text_serializable(list[int])
    (True, False)
    """
    parts = get_args(annotation)
    if _is_union(annotation):
        return all(map(is_text_serializable, parts))
    if get_origin(annotation) is tuple:
        return all(map(_fits_between_commas, parts[:1] if parts[1:] == (Ellipsis,) else parts or (tuple,)))
    return get_origin(annotation) in (Literal, dict) or annotation in (*SCALAR_TYPES, dict, type(None))


def validate_settings(function: Callable[..., Any], settings: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    """Validate settings against the options of a function.

    Parameters
    ----------
    function : callable
        The function whose options they are.
    settings : mapping
        Values by name; a dash in a name counts as an underscore. Texts are parsed, other values are checked.
    owner : str
        Name of the function in messages.

    Returns
    -------
    dict
        Keyword arguments of the function.

    Raises
    ------
    UnknownName
        If the function has no such option. The message lists the nearest names.
    InputError
        If a value does not fit the annotation.
    """
    options = options_of(function)
    checked = {}
    for name, value in settings.items():
        option = options.get(name.replace("-", "_"))
        if option is None:
            raise UnknownName(f"option of {owner}", name, options)
        try:
            checked[option.name] = option.parse(value) if isinstance(value, str) else option.check(value)
        except InputError as error:
            fix = Fix(f"The default is {option.default!r}.", error.fix.command_line) if error.fix.python else ""
            message = f"{owner}.{error.message}"
            raise InputError(message, got=error.got, expected=error.expected, fix=fix) from None
    return checked


def describe_annotation(annotation: Any) -> str:
    """Return an annotation as a person writes its values.

    Parameters
    ----------
    annotation : type
        The annotation of an option.

    Returns
    -------
    str
        A placeholder for its values.

    Examples
    --------
    >>> describe_annotation(tuple[int, int] | None)
    'int,int or none'
    >>> describe_annotation(tuple[int | str, ...])
    'int|text,...'
    >>> describe_annotation(Literal["full", "column"])
    'full|column'
    """
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
        return ",".join("..." if part is Ellipsis else describe_annotation(part).replace(" or ", "|") for part in parts)
    if annotation is dict or get_origin(annotation) is dict:
        return "key=value,..."
    name = getattr(annotation, "__name__", str(annotation))
    return {str: "text", bool: "true|false", Path: "path"}.get(annotation, name)


def format_value(value: Any) -> str:
    """Return the value of an option as a person writes it.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        The text that `Option.parse` reads as this value.

    Examples
    --------
    >>> format_value((0, 2)), format_value(None), format_value(True)
    ('0,2', 'none', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ",".join(f"{key}={format_value(part)}" for key, part in value.items())
    return ",".join(map(format_value, value)) if isinstance(value, tuple) else str(value)


@functools.cache
def _checked_parameters(function: Callable[..., Any]) -> dict[str, Option]:
    """Return the parameters of a function that `check_arguments` checks, by name."""
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        with suppress(InputError):  # the others may be annotated with types that only type checkers import
            annotation = _annotation(function, parameter)
            if is_text_serializable(annotation) or _is_own_class(annotation):
                found[parameter.name] = Option(parameter.name, annotation, parameter.default)
    return {name: option for name, option in found.items() if option.annotation is not Any}


@functools.cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    config = ConfigDict(arbitrary_types_allowed=True)
    try:
        return TypeAdapter(annotation, config=config)
    except PydanticUserError:  # a dataclass or model has a configuration of its own
        return TypeAdapter(annotation)


def _readings(text: str) -> Iterator[Any]:
    """Yield what a text can mean: a dictionary of scalars, a scalar, or a tuple of scalars."""
    parts = _split(text)
    if all("=" in part[1:] for part in parts):
        pairs = (part.partition("=") for part in parts)
        yield {key.strip(): _scalar(value.strip()) for key, _, value in pairs}
    yield _scalar(text)
    yield tuple(map(_scalar, parts))


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _scalar(text: str) -> Any:
    """Return the number or the word of a text, or else the text."""
    word = text.strip().lower()
    if word in SCALAR_WORDS:
        return SCALAR_WORDS[word]
    for number in (int, float):
        with suppress(ValueError):
            return number(word)
    return text


def _builtin(value: Any) -> Any:
    """Return NumPy scalars as Python numbers, and arrays and lists as tuples."""
    value = value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value
    return tuple(map(_builtin, value)) if isinstance(value, (list, tuple)) else value


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    if parameter.annotation is parameter.empty:
        return Any
    inner = inspect.unwrap(function)
    names = getattr(inner, "__globals__", None) or vars(sys.modules[inner.__module__])
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(holder, globalns=names)[parameter.name]
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise InputError(
            f"Option {parameter.name!r} of {getattr(inner, '__name__', inner)} is annotated "
            f"{parameter.annotation!r}, which cannot be read: {error}.",
            got=str(parameter.annotation),
            expected="a type that exists at run time",
            fix="Import the types of options outside of `if TYPE_CHECKING`.",
        ) from None


def _fits_between_commas(annotation: Any) -> bool:
    return is_text_serializable(annotation) and not any(
        part is dict or get_origin(part) in (tuple, dict) for part in (annotation, *get_args(annotation))
    )


def _is_own_class(annotation: Any) -> bool:
    return isinstance(annotation, type) and annotation.__module__.partition(".")[0] in ("vaeviz", "vaeviz_models")


def _short_repr(value: Any) -> str:
    """Return the representation of a value on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _takes_dictionary(annotation: Any) -> bool:
    parts = get_args(annotation) if _is_union(annotation) else (annotation,)
    return any(part is dict or get_origin(part) is dict for part in parts)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)
