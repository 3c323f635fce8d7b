"""What commands share: the model and data on a command line, and options read from a function's signature."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from vaeviz.cli.readers import INPUT_OPTIONS, fix_condition, is_condition_value, read_inputs
from vaeviz.errors import InputError
from vaeviz.plugins import registry
from vaeviz.plugins.object_refs import import_object, is_object_ref, resolve_model
from vaeviz.plugins.options import Option, describe_annotation


class OptionType(click.ParamType):
    """A command-line value that is validated against an option's annotation."""

    def __init__(self, option: Option):
        self.option = option
        self.name = describe_annotation(option.annotation)

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


def click_option(option: Option, help: str = "", *, flags: tuple[str, ...] = ()) -> click.Option:
    """The click option of a keyword-only parameter. It is None unless it was given."""
    default = f"[default: {format_default(option.default)}]" if option.default is not None else ""
    told = "  ".join(part for part in (help, default) if part)
    return click.Option([*(flags or (option.flag,))], type=OptionType(option), default=None, help=told)


def broken_command(name: str, error: InputError) -> click.Command:
    """What stands for a command that cannot be imported: it is listed with the reason, and fails with it."""

    def fail(**_: object) -> None:
        raise error

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=fail, short_help=f"(broken) {error}", context_settings=settings)


def load_command(name: str) -> click.Command:
    """The command registered under `name`; `InputError` with the reason if it is broken."""
    entry = registry.find("vaeviz.commands", name)
    command = entry.load()
    if not isinstance(command, click.Command):
        got = f"{entry.module}:{entry.attribute} is of type {type(command).__name__}"
        raise InputError(f"{name!r} of {entry.distribution} is no command: {got}; decorate it with @click.command()")
    return command


def _register_from(ctx: click.Context, param: click.Parameter, scripts: tuple[Path, ...]) -> None:
    from vaeviz.plugins.user_scripts import registered_script

    for script in scripts:
        ctx.with_resource(registered_script(script))


with_scripts = click.option(
    "--with",
    "scripts",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE.py",
    is_eager=True,
    expose_value=False,
    callback=_register_from,
    help="Import a script that registers plots of your own, for this call. Repeatable.",
)


def model_and_data_options(command: Callable) -> Callable:
    """MODEL, and the options that say what is known of it and on what data to look at it.

    The command is given all of them as one `source`.
    """

    @functools.wraps(command)
    def with_source(*args: Any, **given: Any) -> Any:
        said = {field.name: given.pop(field.name) for field in fields(ModelAndDataSpec)}
        return command(*args, source=ModelAndDataSpec(**said), **given)

    for decorate in reversed(MODEL_AND_DATA_OPTIONS):
        with_source = decorate(with_source)
    return with_source


class Sizes(click.ParamType):
    """Whole numbers, as 28,28 or 28x28."""

    name = "N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        parts = value.lower().replace("x", ",").split(",") if isinstance(value, str) else value
        try:
            return tuple(int(part) for part in parts if part != "")
        except ValueError:
            self.fail(f"{value!r}: expected whole numbers, e.g. 4,8,8", param, ctx)


class Range(click.ParamType):
    """Two numbers, low,high."""

    name = "LOW,HIGH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        try:
            low, high = (float(part) for part in (value.split(",") if isinstance(value, str) else value))
        except ValueError:
            self.fail(f"{value!r}: expected two numbers, e.g. -1,1", param, ctx)
        if not low < high:
            self.fail(f"{value!r}: expected the lower number first", param, ctx)
        return low, high


class Values(click.ParamType):
    """Numbers, or names, as 0,1,2 or cat,dog."""

    name = "VALUE,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple:
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        for kind in (int, float):
            with suppress(ValueError):
                return tuple(kind(part) for part in parts)
        return tuple(parts)


MODEL_AND_DATA_OPTIONS = (
    click.argument("model", required=False),
    click.option(
        "--model",
        "model_option",
        metavar="MODEL",
        help="The same as MODEL: a run folder, a registered name, package.module:attribute, or a file: .onnx, .pt2, "
        "TorchScript .pt, .keras, or the folder of a Pythae or diffusers model.",
    ),
    click.option("--encoder", metavar="MODEL", help="The encoder alone, spelled as MODEL is."),
    click.option("--decoder", metavar="MODEL", help="The decoder alone, spelled as MODEL is."),
    click.option("--weights", type=click.Path(path_type=Path), help="A state dict for MODEL, a class of your own."),
    click.option("--returns", metavar="NAME,...", help="What the encoder returns, e.g. mean,std."),
    click.option("--input-shape", type=Sizes(), help="The shape of one sample for the encoder; -1 for flat."),
    click.option("--latent-shape", type=Sizes(), help="The shape of one code for the decoder."),
    click.option("--value-range", type=Range(), help="What stands for [0, 1] in the model, e.g. -1,1 after a tanh."),
    click.option(
        "--layout", type=click.Choice(["channels_first", "channels_last"]), help="Where the model has the channels."
    ),
    click.option("--output", type=click.Choice(["values", "logits"]), help="What the decoder returns."),
    click.option("--sample-shape", type=Sizes(), help="The shape of one decoded sample, e.g. 28,28 where it is flat."),
    click.option(
        "--conditions",
        type=Values(),
        help="The classes that a conditional model is given: their names in order, or the numbers themselves.",
    ),
    click.option("--prior", type=click.Choice(["normal"]), help="What the model assumes of its codes: N(0, I)."),
    click.option(
        "--preprocess", metavar="MODULE:FUNCTION", help="Applied to each batch before the encoder. Imports that module."
    ),
    click.option("--batch-size", type=click.IntRange(1), help="How many samples or codes the model is sent at once."),
    click.option("--pad", is_flag=True, help="The model takes exactly --batch-size rows: fill the last batch up."),
    click.option(
        "--data",
        metavar="NAME",
        help="A name from `vaeviz list`; a file .npy, .npz, .csv or .h5ad; a folder of pictures; "
        "package.module:attribute. By default what the run was trained on.",
    ),
    click.option(
        "--split",
        type=click.Choice(["train", "test", "all"]),
        help="[default: test, or all where there is no test split]",
    ),
    click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the data set's files."),
    click.option(
        "--labels",
        metavar="NAME",
        help="What holds the labels: an array or a column of the file, of .npy another file.",
    ),
    *INPUT_OPTIONS,
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=MODULE:ATTRIBUTE",
        help="Supply an input of a plot, e.g. encoder=my_package.model:encode. Imports that module.",
    ),
    with_scripts,
)


OF_BOTH = ("value_range", "layout", "conditions", "prior", "batch_size", "pad")
OF_ENCODER = ("returns", "input_shape", "preprocess")
OF_DECODER = ("latent_shape", "output", "sample_shape")


@dataclass(frozen=True)
class ModelAndDataSpec:
    """What a command line says of the model and the data."""

    model: str | None
    model_option: str | None
    encoder: str | None
    decoder: str | None
    weights: Path | None
    returns: str | None
    input_shape: tuple[int, ...] | None
    latent_shape: tuple[int, ...] | None
    value_range: tuple[float, float] | None
    layout: str | None
    output: str | None
    sample_shape: tuple[int, ...] | None
    conditions: tuple | None
    prior: str | None
    preprocess: str | None
    batch_size: int | None
    pad: bool
    data: str | None
    split: str | None
    data_dir: Path | None
    labels: str | None
    condition: str | None
    factors: str | None
    history: str | None
    likelihood: str | None
    other_data: str | None
    other_data_dir: Path | None
    other_encoder: str | None
    runs: tuple[str, ...]
    feature_names: str | None
    factor_names: str | None
    inputs: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether neither a model nor data nor an input was named."""
        named = (self.model, self.model_option, self.encoder, self.decoder, self.data, self.inputs)
        return not any((*named, self.runs, self.history))

    def opened(self) -> tuple[Any, Any, dict[str, Any]]:
        """(model, data set, inputs by name); each may be None or empty."""
        model = self._model()
        data = self._data(model)
        supplied = read_inputs(vars(self), data and data.labels)
        for name, thing in map(_supplied, self.inputs):
            if name in supplied:
                raise InputError(f"{name} was given twice, by --input {name}=... and by an option of its own")
            supplied[name] = thing
        if self.condition and is_condition_value(self.condition):
            return fix_condition(self.condition, model, data, supplied)
        return model, data, supplied

    def _data(self, model: Any) -> Any:
        """The data set that is named, else what the model was trained on, else None."""
        from vaeviz.data.loading import load_data

        data, data_dir, labels = self.data, self.data_dir, self.labels
        if data is None and model is not None and model.data is not None:
            data, data_dir = model.data["name"], data_dir or model.data["data_dir"]
            labels = labels or model.data["labels"]
        return None if data is None else load_data(data, split=self.split, data_dir=data_dir, labels=labels)

    def _model(self) -> Any:
        """The model with its parts exchanged for those that were named apart, and with what was declared."""
        from vaeviz.model.opening import Model, as_decoder, as_encoder, open

        if self.model and self.model_option:
            raise InputError(f"MODEL was given twice, {self.model} and --model {self.model_option}")
        named = self.model or self.model_option
        if not (named or self.encoder or self.decoder):
            self._check_nothing_declared()
            return None
        if self.weights and not named:
            raise InputError("--weights goes with MODEL: name the class that takes them, package.module:Class")
        model = open(self._object(named)) if named else Model(name=Path(self.encoder or self.decoder).name)
        parts = {}
        if self.encoder:
            parts["encoder"] = as_encoder(_part(self.encoder))
        if self.decoder:
            parts["decoder"] = as_decoder(_part(self.decoder))
        return self._declared(replace(model, **parts))

    def _object(self, named: str) -> Any:
        if self.weights is None:
            return resolve_model(named)
        from vaeviz.model.weights import load_weights

        if not is_object_ref(named):
            raise InputError(f"--weights: MODEL must name the class that takes them, package.module:Class; got {named}")
        return load_weights(import_object(named), self.weights)

    def _declared(self, model: Any) -> Any:
        said = {name: getattr(self, name) or None for name in (*OF_BOTH, *OF_ENCODER, *OF_DECODER)}
        if self.preprocess is not None:
            said["preprocess"] = import_object(self.preprocess)
        return replace(
            model,
            encoder=_with(model.encoder, {name: said[name] for name in (*OF_ENCODER, *OF_BOTH)}, "encoder"),
            decoder=_with(model.decoder, {name: said[name] for name in (*OF_DECODER, *OF_BOTH)}, "decoder"),
        )

    def _check_nothing_declared(self) -> None:
        for name in ("weights", *OF_ENCODER, *OF_DECODER, *OF_BOTH):
            if getattr(self, name):
                raise InputError(f"--{name.replace('_', '-')} is said of a model: name MODEL, --encoder or --decoder")


def _part(named: str) -> Any:
    """What --encoder or --decoder names; `InputError` for a class of torch modules, which is no module yet."""
    found = resolve_model(named)
    if isinstance(found, type) and hasattr(found, "state_dict"):
        raise InputError(f"{named}: is a class; name a module, or write it as MODEL, with --weights")
    return found


def _with(part: Any, declared: dict[str, Any], role: str) -> Any:
    """An encoder or decoder with what was declared."""
    said = {name: value for name, value in declared.items() if value is not None}
    if part is None:
        apart = [name for name in said if name not in OF_BOTH]
        if apart:
            raise InputError(f"--{apart[0].replace('_', '-')}: the model has no {role}")
        return None
    return replace(part, **said)


def _supplied(text: str) -> tuple[str, Any]:
    name, sign, target = text.partition("=")
    if not sign or not name.isidentifier() or not is_object_ref(target):
        raise InputError(f"--input {text!r}: expected NAME=package.module:attribute")
    return name, import_object(target)


def format_default(default: Any) -> str:
    """The default of an option as a person would write it."""
    if isinstance(default, bool):
        return str(default).lower()
    if default is None:
        return "none"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def parse_settings(texts: Iterable[str], what: str, example: str) -> dict[str, dict[str, str]]:
    """Options by the name of a plot or a finding, from values of ``--set NAME.OPTION=VALUE``."""
    settings: dict[str, dict[str, str]] = {}
    for text in texts:
        target, sign, value = text.partition("=")
        name, dot, option = target.partition(".")
        if not (sign and dot and name and option):
            raise InputError(f"--set {text!r}: expected {what}.OPTION=VALUE, e.g. {example}")
        settings.setdefault(name.replace("-", "_"), {})[option] = value
    return settings


def split_list(text: str | None) -> list[str] | None:
    """The parts of a comma-separated value; None where it was not given."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
