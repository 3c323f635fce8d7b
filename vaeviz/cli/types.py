"""Values on a command line: parameter types, and options generated from a function's signature."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.options import Option, describe_annotation, format_value


def parse_shape(text: str) -> tuple[int, ...]:
    """Return the integers of a text such as ``28,28`` or ``28x28``.

    Parameters
    ----------
    text : str
        Integers joined by commas or ``x``.

    Returns
    -------
    tuple of int
        The shape.

    Raises
    ------
    click.BadParameter
        If a part is not an integer.

    Examples
    --------
    >>> parse_shape("28x28"), parse_shape("4,8,8")
    ((28, 28), (4, 8, 8))
    """
    try:
        return tuple(int(part) for part in text.lower().replace("x", ",").split(",") if part)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a shape. Write integers, e.g. 4,8,8.") from None


def parse_range(text: str) -> tuple[float, float]:
    """Return the two numbers of a text such as ``-1,1``.

    Parameters
    ----------
    text : str
        Two numbers joined by a comma, the lower one first.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Raises
    ------
    click.BadParameter
        If there are not two numbers, or the first is not lower.

    Examples
    --------
    >>> parse_range("-1,1")
    (-1.0, 1.0)
    """
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a range. Write two numbers, e.g. -1,1.") from None
    if not low < high:
        raise click.BadParameter(f"{text!r} is not a range. Write the lower number first.")
    return low, high


def parse_values(text: str) -> tuple[Any, ...]:
    """Return the numbers or names of a text such as ``0,1,2`` or ``cat,dog``.

    Parameters
    ----------
    text : str
        Numbers or names joined by commas.

    Returns
    -------
    tuple
        Integers if all parts are integers, else floats if all are numbers, else texts.

    Examples
    --------
    >>> parse_values("0,1,2"), parse_values("cat, dog")
    ((0, 1, 2), ('cat', 'dog'))
    """
    parts = [part.strip() for part in text.split(",")]
    for number in (int, float):
        with suppress(ValueError):
            return tuple(map(number, parts))
    return tuple(parts)


def click_option(option: Option, help: str = "", *, flags: tuple[str, ...] = ()) -> click.Option:
    """Return the command-line option of a keyword-only parameter.

    Parameters
    ----------
    option : Option
        The parameter. Its annotation validates the value.
    help : str, default ""
        Help text; the default is added.
    flags : tuple of str, optional
        Declaration of the option, by default its own flag.

    Returns
    -------
    click.Option
        An option whose value is None unless it is given.
    """

    def convert(text: str) -> Any:
        try:
            return option.parse(text)
        except InputError as error:
            raise click.BadParameter(error.for_command_line()) from None

    default = f"[default: {format_value(option.default)}]" if option.default is not None else ""
    text = "  ".join(part for part in (help, default) if part)
    return click.Option([*(flags or (option.flag,))], type=convert, metavar=_metavar(option), default=None, help=text)


def parse_settings(texts: Iterable[str], target: str, example: str) -> dict[str, dict[str, str]]:
    """Return the options of plots or checks by name, from the values of ``--set NAME.OPTION=VALUE``.

    Parameters
    ----------
    texts : iterable of str
        The values of ``--set``.
    target : str
        What NAME names, for messages: "PLOT" or "CHECK".
    example : str
        A valid value, for messages.

    Returns
    -------
    dict of str to dict
        Texts of options by name of the plot or check.

    Raises
    ------
    InputError
        If a value has another form.
    """
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        left, sign, value = text.partition("=")
        name, dot, option = left.partition(".")
        if not (sign and dot and name and option):
            expected = f"{target}.OPTION=VALUE"
            raise InputError(
                f"--set {text!r} is not of the form {expected}.",
                got=text,
                expected=expected,
                fix=f"Write --set {example}.",
            )
        settings.setdefault(name.replace("-", "_"), {})[option] = value
    return settings


def repeat_options(args: Iterable[str]) -> list[str]:
    """Write a repeatable input before each of its values, e.g. those that a shell makes of ``--runs runs/b*``.

    Parameters
    ----------
    args : iterable of str
        Arguments of a command line.

    Returns
    -------
    list of str
        The arguments, in which what follows ``--runs`` up to the next option is given by one ``--runs`` each.

    Examples
    --------
    >>> repeat_options(["export", "m", "--runs", "a", "b", "--out", "o"])
    ['export', 'm', '--runs', 'a', '--runs', 'b', '--out', 'o']
    """
    flags = {spec.flag for spec in INPUTS.values() if spec.repeatable}
    repeated: list[str] = []
    flag, n_values = "", 0
    for arg in args:
        if arg.startswith("-"):
            flag, n_values = (arg, 0) if arg in flags else ("", 0)
        elif flag:
            n_values += 1
            if n_values > 1:
                repeated.append(flag)
        repeated.append(arg)
    return repeated


def complete_data(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the data sets that begin with a text, for a shell; files if there are none.

    A single one comes with its variants, such as ``glyphs:letters``.

    Parameters
    ----------
    ctx : click.Context
        Not used.
    param : click.Parameter
        Not used.
    incomplete : str
        What was typed.

    Returns
    -------
    list of CompletionItem
        Names, or the request to complete the name of a file.
    """
    loaders = [name for name in registry.entries("vaeviz.datasets") if name.startswith(incomplete.partition(":")[0])]
    variants = _data_variants(loaders[0]) if len(loaders) == 1 else []
    names = [name for name in loaders + variants if name.startswith(incomplete)]
    return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


def _data_variants(name: str) -> list[str]:
    """Return ``name:value`` for each value that the first argument of a loader may have, if they are listed."""
    with suppress(InputError, NameError):  # a shell shows completions, not errors
        signature = inspect.signature(registry.load("vaeviz.datasets", name), eval_str=True)
        first = next(iter(signature.parameters.values()), None)
        if first is not None and first.kind is not first.KEYWORD_ONLY and get_origin(first.annotation) is Literal:
            return [f"{name}:{value}" for value in get_args(first.annotation) if value != first.default]
    return []


def split_list(text: str | None) -> list[str] | None:
    """Return the parts of a comma-separated value.

    Parameters
    ----------
    text : str, optional
        The value, or None if the option was not given.

    Returns
    -------
    list of str or None
        The parts without spaces around them; None for None.
    """
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _metavar(option: Option) -> str:
    name = describe_annotation(option.annotation)
    name = name.removesuffix(" or none") if option.default is None else name
    return f"[{name}]" if "|" in name else name.upper()
