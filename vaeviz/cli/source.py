"""The model and the data that a command line names, and the options that name them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from vaeviz.cli.fixed_condition import fix_condition
from vaeviz.cli.openmp import keep_to_allowed_cpus
from vaeviz.cli.paths import PathName
from vaeviz.cli.readers import ReaderContext, is_condition_value, open_model, read_inputs, resolve_part
from vaeviz.cli.types import complete_data, parse_range, parse_shape, parse_values
from vaeviz.errors import InputError
from vaeviz.plugins.inputs import INPUTS, InputSpec
from vaeviz.plugins.object_refs import import_object, is_object_ref

if TYPE_CHECKING:
    from vaeviz.data.dataset import Dataset
    from vaeviz.model.opening import Model

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

ENCODER_SETTINGS = ("returns", "input_shape", "preprocess")
DECODER_SETTINGS = ("latent_shape", "output", "sample_shape")
SHARED_SETTINGS = ("value_range", "layout", "conditions", "prior", "batch_size", "pad")
"""Parameters of `Encoder` and `Decoder` that have an option, those of both last."""

INPUT_PREFIX = "input_"  # of click's parameter names, so that a command may have parameters named like inputs
TRUST_HELP = (
    "Open files that can run code when they are opened (.pt2, TorchScript, .keras with Lambda layers, Pythae folders "
    "with pickles). Only for files from people you trust."
)


@dataclass(frozen=True)
class ModelAndDataSpec:
    """The model, the data and the inputs that a command line names, as text.

    Parameters
    ----------
    model : str or None
        MODEL.
    weights : Path or None
        Weights for MODEL, which is then a class.
    weights_prefix : str or None
        What their names begin with in the file.
    partial_weights : bool
        Whether weights that do not fit may keep their initial values.
    trust : bool
        Whether to open files that can run code.
    declared : mapping
        Settings of `Encoder` and `Decoder`, without those that were not given.
    inputs : mapping
        Text of each input's option by the name of the input; ``"encoder"``, ``"decoder"``, ``"x"`` and ``"labels"``
        belong to the model and the data set.
    objects : tuple of str
        Further inputs, as ``NAME=package.module:attribute``.
    split : {"train", "test", "all"} or None
        Split of the data set.
    data_dir, other_data_dir : Path or None
        Folders with the files of the data set and of the second one.
    codes : bool
        Whether the data are codes, and not samples to encode.
    """

    model: str | None
    weights: Path | None
    weights_prefix: str | None
    partial_weights: bool
    trust: bool
    declared: Mapping[str, Any]
    inputs: Mapping[str, Any]
    objects: tuple[str, ...]
    split: Literal["train", "test", "all"] | None
    data_dir: Path | None
    other_data_dir: Path | None
    codes: bool

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> ModelAndDataSpec:
        """Take the values of `model_and_data_options` out of the parameters of a command.

        Parameters
        ----------
        parameters : dict
            Values by click's parameter names. Those of the model and the data are removed.

        Returns
        -------
        ModelAndDataSpec
            What they name.

        Raises
        ------
        InputError
            If MODEL was given twice.
        """
        model, model_option = parameters.pop("model"), parameters.pop("model_option")
        if model and model_option:
            message = f"MODEL was given twice: {model} and --model {model_option}."
            raise InputError(message, got=f"{model}, {model_option}", expected="one model", fix="Remove one of them.")
        settings = (*ENCODER_SETTINGS, *DECODER_SETTINGS, *SHARED_SETTINGS)
        declared = {name: parameters.pop(name) for name in settings}
        return cls(
            model=model or model_option,
            declared={name: value for name, value in declared.items() if value},
            inputs={name: parameters.pop(INPUT_PREFIX + name) for name in INPUTS},
            **{name: parameters.pop(name) for name in ("weights", "weights_prefix", "partial_weights", "trust")},
            **{name: parameters.pop(name) for name in ("objects", "split", "data_dir", "other_data_dir", "codes")},
        )

    @property
    def is_empty(self) -> bool:
        """Whether neither a model nor data nor an input that is enough for a plot was named."""
        enough = ("encoder", "decoder", "x", "runs", "history")
        return not (self.model or self.objects or any(self.inputs[name] for name in enough))

    def open(self) -> tuple[Model | None, Dataset | None, dict[str, Any]]:
        """Open the model, the data set and the other inputs.

        Returns
        -------
        model : Model or None
            The model, with its parts replaced and declared as named.
        data : Dataset or None
            The data set; without ``--data`` the one that the model was trained on.
        inputs : dict
            Other inputs by name.

        Raises
        ------
        InputError
            If something cannot be opened, or options contradict each other.
        """
        keep_to_allowed_cpus()
        objects = self._import_objects()
        if self.codes:
            return self._open_codes(objects)
        model = self._open_model()
        data = self._load_data(model)
        labels = None if data is None else data.labels
        context = ReaderContext(labels, self._label_name(model), self.other_data_dir, self.trust)
        inputs = read_inputs(self.inputs, context) | objects
        condition = self.inputs["condition"]
        if condition and is_condition_value(condition):
            return fix_condition(condition, model, data, inputs)
        return model, data, inputs

    def _open_codes(self, objects: dict[str, Any]) -> tuple[None, Dataset, dict[str, Any]]:
        """Load the codes, which take the place of the samples and of an encoder."""
        from vaeviz.export.codes import load_codes

        others = [f"--{name.replace('_', '-')}" for name in self.declared if name != "prior"]
        named = self.model or self.inputs["encoder"] or self.inputs["decoder"] or ", ".join(others)
        if named:
            message = f"--codes takes the place of a model, but {named} describes one."
            raise InputError(message, got=named, fix="Remove one of them.")
        name = self.inputs["x"]
        if name is None:
            raise InputError("--codes needs --data.", got="no data", fix="Add --data FILE, a file of `vaeviz encode`.")
        data, posterior = load_codes(
            name,
            self.inputs["labels"],
            prior="normal" if self.declared.get("prior") == "normal" else None,
            split=self.split,
            data_dir=self.data_dir,
        )
        label_name = self.inputs["labels"] or "label"
        context = ReaderContext(data.labels, label_name, self.other_data_dir, self.trust)
        read = read_inputs(self.inputs, context)
        return None, data, {"encoder": posterior, **read, **objects}

    def _import_objects(self) -> dict[str, Any]:
        """Import the objects of ``--input`` by the name of their input. An input cannot be named twice."""
        objects: dict[str, Any] = {}
        for name, value in map(_named_object, self.objects):
            if name in objects or self.inputs.get(name):
                other = "another --input" if name in objects else INPUTS[name].flag
                message = f"{name} was given twice: by --input {name}=... and by {other}."
                raise InputError(message, got=name, fix="Remove one of them.")
            objects[name] = value
        return objects

    def _load_data(self, model: Model | None) -> Dataset | None:
        """Load the data set that is named, or else the one that the model was trained on."""
        from vaeviz.data.loading import check_names_no_code, load_data

        name, data_dir, labels = self.inputs["x"], self.data_dir, self._label_name(model)
        if name is None and model is not None and model.data is not None:
            name, data_dir = model.data["name"], data_dir or model.data["data_dir"]
            check_names_no_code(name, model.name)
        return None if name is None else load_data(name, split=self.split, data_dir=data_dir, labels=labels)

    def _label_name(self, model: Model | None) -> str | None:
        """Return the name of the labels; of the data that a model was trained on, those it was trained with."""
        labels: str | None = self.inputs["labels"]
        if labels is None and self.inputs["x"] is None and model is not None and model.data is not None:
            labels = model.data["labels"]
        return labels

    def _open_model(self) -> Model | None:
        """Open the model, replace the parts that were named apart, and declare what was declared."""
        from vaeviz.model.opening import Model, as_decoder, as_encoder

        encoder, decoder = self.inputs["encoder"], self.inputs["decoder"]
        if not (self.model or encoder or decoder):
            self._check_nothing_declared()
            return None
        if self.weights is not None:
            model = self._open_class_with_weights(self.weights)
        elif self.weights_prefix or self.partial_weights:
            flag = "--weights-prefix" if self.weights_prefix else "--partial-weights"
            raise InputError(f"{flag} describes weights, but none are named.", got=flag, fix="Add --weights FILE.")
        elif self.model:
            model = open_model(self.model, trust=self.trust)
        else:
            model = Model(name=Path(encoder or decoder).name)
        if encoder:
            model = replace(model, encoder=as_encoder(resolve_part(encoder, "encoder", trust=self.trust)))
        if decoder:
            model = replace(model, decoder=as_decoder(resolve_part(decoder, "decoder", trust=self.trust)))
        return self._declare(model)

    def _open_class_with_weights(self, weights: Path) -> Model:
        from vaeviz.model.opening import open
        from vaeviz.model.weights.load import load_weights

        if self.model is None or not is_object_ref(self.model):
            got = "no MODEL" if self.model is None else f"MODEL {self.model}"
            raise InputError(
                f"--weights needs MODEL to name a class of networks, got {got}.",
                got=got,
                expected="package.module:Class",
                fix="Write package.module:Class --weights FILE.",
            )
        module = import_object(self.model)
        return open(load_weights(module, weights, prefix=self.weights_prefix, strict=not self.partial_weights))

    def _declare(self, model: Model) -> Model:
        declared = dict(self.declared)
        if "preprocess" in declared:
            declared["preprocess"] = import_object(declared["preprocess"])
        return replace(
            model,
            encoder=_declare_part(model.encoder, declared, ENCODER_SETTINGS, "encoder"),
            decoder=_declare_part(model.decoder, declared, DECODER_SETTINGS, "decoder"),
        )

    def _check_nothing_declared(self) -> None:
        given = {
            "weights": self.weights,
            "weights_prefix": self.weights_prefix,
            "partial_weights": self.partial_weights,
        }
        for name in [name for name, value in given.items() if value] + list(self.declared):
            flag = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{flag} describes a model, but no model is named.", fix="Add MODEL, --encoder or --decoder."
            )


def check_input_names(names: Iterable[str], function: Callable[..., Any], command: click.Command) -> None:
    """Raise UsageError for an input of ``--input`` that has the name of another parameter.

    Parameters
    ----------
    names : iterable of str
        Names of the inputs.
    function : callable
        The function that they are passed to.
    command : click.Command
        The command, whose option is named if it has one for the parameter.
    """
    options = [param for param in command.params if isinstance(param, click.Option)]
    for name in sorted(set(names) & set(inspect.signature(function).parameters)):
        flag = next((f" Use the option {option.opts[0]}." for option in options if option.name == name), "")
        raise click.UsageError(f"--input {name}=... does not name an input.{flag}")


def source_arguments(command: click.Command, args: Iterable[str]) -> list[str]:
    """Return those arguments of a command that name the model and the data.

    Parameters
    ----------
    command : click.Command
        A command with `model_and_data_options`.
    args : iterable of str
        Its arguments, as they were typed.

    Returns
    -------
    list of str
        The arguments, which every other command with these options understands.
    """
    texts, _, _ = command.make_parser(click.Context(command)).parse_args(list(args))
    arguments = []
    for param in click.command()(model_and_data_options(lambda source: None)).params:
        typed = texts.get(param.name) if param.name else None
        if isinstance(param, click.Argument):
            arguments += [typed] if isinstance(typed, str) else []
        elif typed is True:
            arguments.append(param.opts[0])
        else:
            values = [typed] if isinstance(typed, str) else typed if isinstance(typed, list) else []
            arguments += [text for value in values for text in (param.opts[0], value)]
    return arguments


def model_and_data_options(command: Command) -> Command:
    """Add MODEL and the options that describe the model and the data to a command.

    Parameters
    ----------
    command : callable
        A function below ``@click.command()``. It receives a `ModelAndDataSpec` as its argument ``source``.

    Returns
    -------
    callable
        The function with the options.
    """

    @functools.wraps(command)
    def with_source(*args: Any, **parameters: Any) -> Any:
        return command(*args, source=ModelAndDataSpec.from_parameters(parameters), **parameters)

    decorated: Command = with_source
    for decorate in reversed(MODEL_AND_DATA_OPTIONS):
        decorated = decorate(decorated)
    return decorated


def _input_option(spec: InputSpec) -> Decorator:
    """Return the option of an input, as a decorator."""
    complete = complete_data if spec.reader in ("data", "samples") and spec.metavar == "NAME" else None
    return click.option(
        spec.flag,
        INPUT_PREFIX + spec.name,
        metavar=spec.metavar,
        multiple=spec.repeatable,
        help=spec.help,
        shell_complete=complete,
    )


def _register_scripts(ctx: click.Context, param: click.Parameter, scripts: tuple[Path, ...]) -> None:
    """Import the scripts of ``--with``, and forget what they register when the command ends."""
    from vaeviz.plugins.user_scripts import registered_script

    for script in scripts:
        ctx.with_resource(registered_script(script))


script_option = click.option(
    "--with",
    "scripts",
    type=PathName(),
    multiple=True,
    metavar="FILE.py",
    is_eager=True,
    expose_value=False,
    callback=_register_scripts,
    help="Import a script that registers plots of your own, for this call. Repeatable.",
)

MODEL_OPTIONS: tuple[Decorator, ...] = (
    click.argument("model", required=False),
    click.option(
        "--model",
        "model_option",
        metavar="MODEL",
        help="The same as MODEL: a run folder, a registered name, package.module:attribute, or a file: .onnx, .pt2, "
        "TorchScript .pt, .keras, or the folder of a Pythae or diffusers model.",
    ),
    *(_input_option(spec) for spec in INPUTS.values() if spec.reader == "model"),
    click.option(
        "--weights",
        type=PathName(),
        help="Weights for MODEL, a class of your own: .ckpt, .pt, .safetensors, .weights.h5, an .index.json of shards, "
        "or a folder of Hugging Face.",
    ),
    click.option("--weights-prefix", metavar="TEXT", help="What the names of the weights begin with in the file."),
    click.option("--partial-weights", is_flag=True, help="Keep initial values where the file does not fit MODEL."),
    click.option("--trust", is_flag=True, help=TRUST_HELP),
    click.option("--returns", metavar="NAME,...", help="What the encoder returns, e.g. mean,std."),
    click.option(
        "--input-shape", type=parse_shape, metavar="N,...", help="Shape of one sample for the encoder; -1 for flat."
    ),
    click.option("--latent-shape", type=parse_shape, metavar="N,...", help="Shape of one code for the decoder."),
    click.option(
        "--value-range",
        type=parse_range,
        metavar="LOW,HIGH",
        help="Value range the model expects, e.g. -1,1 after a tanh; data are rescaled to it.",
    ),
    click.option(
        "--layout", type=click.Choice(["channels_first", "channels_last"]), help="Channel order the model expects."
    ),
    click.option("--output", type=click.Choice(["values", "logits"]), help="What the decoder returns."),
    click.option(
        "--sample-shape",
        type=parse_shape,
        metavar="N,...",
        help="Shape of one decoded sample, e.g. 28,28 if the decoder returns it flat.",
    ),
    click.option(
        "--conditions",
        type=parse_values,
        metavar="VALUE,...",
        help="Classes of a conditional model: their names in order, or the numbers themselves.",
    ),
    click.option("--prior", type=click.Choice(["normal", "other"]), help="Prior of the codes; normal is N(0, I)."),
    click.option("--preprocess", metavar="MODULE:FUNCTION", help="Function applied to each batch before the encoder."),
    click.option("--batch-size", type=click.IntRange(1), help="Number of samples or codes per call of the model."),
    click.option("--pad", is_flag=True, help="Pad the last batch, for a model that takes exactly --batch-size rows."),
)

DATA_OPTIONS: tuple[Decorator, ...] = (
    _input_option(INPUTS["x"]),
    click.option(
        "--split",
        type=click.Choice(["train", "test", "all"]),
        help="[default: test, or all if the data set has no test split]",
    ),
    click.option("--data-dir", type=PathName(), help="Folder with the files of the data set."),
    click.option("--codes", is_flag=True, help="The data are codes, as `vaeviz encode` writes them."),
    *(_input_option(spec) for spec in INPUTS.values() if spec.reader != "model" and spec.name != "x"),
    click.option("--other-data-dir", type=PathName(), help="Folder with the files of --other-data."),
    click.option(
        "--input",
        "objects",
        multiple=True,
        metavar="NAME=MODULE:ATTRIBUTE",
        help="Supply an input by name, e.g. encoder=my_package.model:encode. Repeatable.",
    ),
)

MODEL_AND_DATA_OPTIONS: tuple[Decorator, ...] = (*MODEL_OPTIONS, *DATA_OPTIONS, script_option)


def _declare_part(part: Any, declared: Mapping[str, Any], own: tuple[str, ...], role: str) -> Any:
    """Return an encoder or decoder with its settings and the shared ones; None if the model has no such part."""
    if part is None:
        for name in own:
            if name in declared:
                flag = f"--{name.replace('_', '-')}"
                raise InputError(f"{flag} describes the {role}, but the model has none.", fix=f"Add --{role} MODEL.")
        return None
    return replace(part, **{name: value for name, value in declared.items() if name in own + SHARED_SETTINGS})


def _named_object(text: str) -> tuple[str, Any]:
    """Return the name and the object of ``NAME=package.module:attribute``."""
    name, sign, target = text.partition("=")
    if not sign or not name.isidentifier() or not is_object_ref(target):
        expected = "NAME=package.module:attribute"
        raise InputError(f"--input {text!r} is not of the form {expected}.", got=text, expected=expected)
    return name, import_object(target)
