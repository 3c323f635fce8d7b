"""What commands share: the model and data on a command line, and options read from a function's signature."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vaeviz.errors import InputError
from vaeviz.options import Option, describe


class Setting(click.ParamType):
    """A command-line value that is validated against an option's annotation."""

    def __init__(self, option: Option):
        self.option = option
        self.name = describe(option.annotation)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        name = self.name.removesuffix(" or none") if self.option.default is None else self.name
        return name.upper() if "|" not in name else f"[{name}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.option.parse(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


def option_of(option: Option, help: str = "") -> click.Option:
    """The click option of a keyword-only parameter. It is None unless it was given."""
    default = f"[default: {_written(option.default)}]" if option.default is not None else ""
    told = "  ".join(part for part in (help, default) if part)
    return click.Option([option.flag], type=Setting(option), default=None, help=told)


def broken_command(name: str, error: InputError) -> click.Command:
    """What stands for a command that cannot be imported: it is listed with the reason, and fails with it."""

    def fail(**_: object) -> None:
        raise error

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=fail, short_help=f"(broken) {error}", context_settings=settings)


def model_and_data(command: Callable) -> Callable:
    """MODEL, and the options that say on what data to look at it."""
    for decorate in reversed(
        (
            click.argument("model", required=False),
            click.option(
                "--data",
                metavar="NAME",
                help="Data set: a name from `vaeviz list`, npz:FILE or images:FOLDER. "
                "By default the one that the run was trained on.",
            ),
            click.option(
                "--split",
                type=click.Choice(["train", "test", "all"]),
                help="[default: test, or all where there is no test split]",
            ),
            click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the data set's files."),
            click.option("--labels", metavar="NAME", help="Which array of the file holds the labels."),
            click.option(
                "--input",
                "inputs",
                multiple=True,
                metavar="NAME=MODULE:ATTRIBUTE",
                help="Supply an input of a plot, e.g. encoder=my_package.model:encode. Imports that module.",
            ),
        )
    ):
        command = decorate(command)
    return command


def opened(
    model: str | None,
    data: str | None,
    split: str | None,
    data_dir: Path | None,
    labels: str | None,
    inputs: tuple[str, ...],
) -> tuple[Any, Any, dict[str, Any]]:
    """(model, data set, inputs by name) of a command line; each may be None or empty."""
    from vaeviz.data import load_data
    from vaeviz.model import open

    supplied = dict(_supplied(text) for text in inputs)
    model = None if model is None else open(named_object(model) if is_object_name(model) else model)
    if data is None and model is not None and model.data is not None:
        data, data_dir = model.data["name"], data_dir or model.data["data_dir"]
        labels = labels or model.data["labels"]
    if data is None:
        return model, None, supplied
    return model, load_data(data, split=split, data_dir=data_dir, labels=labels), supplied


def is_object_name(text: str) -> bool:
    """Whether `text` spells ``package.module:attribute``, and no path that exists."""
    module, colon, attribute = text.partition(":")
    return bool(colon) and not Path(text).exists() and all(map(str.isidentifier, f"{module}.{attribute}".split(".")))


def named_object(text: str) -> Any:
    """The object that ``package.module:attribute`` names. Imports the module, from the working folder too."""
    import sys

    module, _, attribute = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{text!r}: {error}; expected package.module:attribute") from error
    return found


def _supplied(text: str) -> tuple[str, Any]:
    name, sign, target = text.partition("=")
    if not sign or not name.isidentifier() or not is_object_name(target):
        raise InputError(f"--input {text!r}: expected NAME=package.module:attribute")
    return name, named_object(target)


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
