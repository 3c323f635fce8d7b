"""The table of inputs that plots and health checks can have.

Command-line options, readers, messages and documentation are generated from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from vaeviz.errors import Fix

BAR = r"\|"  # in a cell of a Markdown table

ReaderKind = Literal[
    "model", "data", "condition", "array", "history", "likelihood", "object", "samples", "encoder", "models", "names"
]
"""How a command line turns the text of an option into an input. ``vaeviz.cli.readers`` has a function for each; those
of kind "model" and "data" are opened together, as one model and one data set."""


@dataclass(frozen=True)
class InputSpec:
    """One input of the table.

    Parameters
    ----------
    name : str
        Name of the parameter that takes it.
    meaning : str
        What to pass in a script, as a phrase.
    flag : str
        Command-line option that supplies it.
    metavar : str
        Placeholder of the option's value.
    help : str
        Help text of the option.
    reader : ReaderKind
        How the option's value is read.
    supplied_by : str, default ""
        What supplies the input when it is not passed by name; empty if nothing does.
    command_line : str, default ""
        What to write on a command line; empty for the flag and its placeholder.
    per_sample : bool, default False
        Whether it has one row per sample of x, so that it does not belong to other samples.
    repeatable : bool, default False
        Whether the option can be given several times.
    """

    name: str
    meaning: str
    flag: str
    metavar: str
    help: str
    reader: ReaderKind
    supplied_by: str = ""
    command_line: str = ""
    per_sample: bool = False
    repeatable: bool = False

    @property
    def usage(self) -> str:
        """What to write on a command line to supply it."""
        return self.command_line or f"{self.flag} {self.metavar}"


INPUTS: Mapping[str, InputSpec] = {
    spec.name: spec
    for spec in (
        InputSpec(
            "encoder",
            "a callable, a model with an encoder, or a Posterior",
            "--encoder",
            "MODEL",
            "The encoder, if it is not part of MODEL. Written like MODEL.",
            "model",
            supplied_by="the model",
            command_line="MODEL or --encoder MODEL",
        ),
        InputSpec(
            "decoder",
            "a callable, or a model with a decoder",
            "--decoder",
            "MODEL",
            "The decoder, if it is not part of MODEL. Written like MODEL.",
            "model",
            supplied_by="the model",
            command_line="MODEL or --decoder MODEL",
        ),
        InputSpec(
            "x",
            "samples, an array of shape (N, ...)",
            "--data",
            "NAME",
            "A name from `vaeviz list data`; a file .npy, .npz, .csv, .parquet or .h5ad; a folder of pictures; "
            "package.module:attribute.  [default: the data set that the run was trained on]",
            "data",
            supplied_by="the data set",
        ),
        InputSpec(
            "labels",
            "a class or number for each sample, an array of shape (N,)",
            "--labels",
            "NAME",
            "Label array (.npz), column (.csv, .parquet, .h5ad) or file (.npy).",
            "data",
            supplied_by="the data set",
            command_line="--data NAME of a data set with labels, or --labels NAME",
            per_sample=True,
        ),
        InputSpec(
            "condition",
            "the condition of each sample, an array of shape (N, ...)",
            "--condition",
            "VALUE",
            "Fix the condition of a conditional model, by class name or value, and keep the samples that have it; or "
            "pass one condition per sample: FILE.npy, package.module:attribute, or labels.  [default: labels]",
            "condition",
            supplied_by="the labels, for a conditional model",
            per_sample=True,
        ),
        InputSpec(
            "factors",
            "known generative factors, an array of shape (N, K)",
            "--factors",
            "ARRAY",
            "Known generative factors (N, K): FILE.npy or package.module:attribute.",
            "array",
            supplied_by="the data set",
            per_sample=True,
        ),
        InputSpec(
            "history",
            "columns of the training history by name, the path of a table or of a run, or several of these by name",
            "--history",
            "PATH",
            "Training history: a table, JSON, a run folder, a folder of Lightning, TensorBoard or MLflow, or "
            "package.module:attribute. Several are overlaid, up to the next option.",
            "history",
            supplied_by="a run",
            repeatable=True,
        ),
        InputSpec(
            "likelihood",
            "the name of the decoder's likelihood, such as bernoulli, or a function of batches x and z that returns "
            "ln p(x | z) in nats",
            "--likelihood",
            "NAME",
            "Likelihood of the decoder: bernoulli, continuous-bernoulli, gaussian, gaussian-fixed:0.1 or categorical; "
            "or package.module:function of batches x and z that returns ln p(x | z) in nats.",
            "likelihood",
            supplied_by="a VAE of vaeviz_models",
        ),
        InputSpec(
            "other_x",
            "samples to compare with x, an array of shape (M, ...)",
            "--other-data",
            "NAME",
            "Second data set, to compare with --data. Written like --data.",
            "samples",
        ),
        InputSpec(
            "other_encoder",
            "a second encoder, to compare with the encoder",
            "--other-encoder",
            "MODEL",
            "Second encoder, to compare with the first. Written like MODEL.",
            "encoder",
        ),
        InputSpec(
            "runs",
            "several runs or models, to compare with each other",
            "--runs",
            "RUN",
            "Runs or models to compare with each other, up to the next option.",
            "models",
            repeatable=True,
        ),
        InputSpec(
            "feature_names",
            "the names of the values of a sample",
            "--feature-names",
            "NAME,...",
            "Names of the values of a sample, or package.module:attribute.",
            "names",
            supplied_by="the data set",
        ),
        InputSpec(
            "factor_names",
            "the names of the factors",
            "--factor-names",
            "NAME,...",
            "Names of the factors, or package.module:attribute.",
            "names",
            supplied_by="the data set",
        ),
    )
}
"""Every input by name, in the order in which plots list them.

A plot may have inputs of other names. They are passed by name in a script, and with ``--input`` on a command line.
"""

PER_SAMPLE_INPUTS = tuple(name for name, spec in INPUTS.items() if spec.per_sample)
"""Inputs that do not belong to other samples than those they were given with."""


def find_input(name: str) -> InputSpec:
    """Return the input of a name.

    Parameters
    ----------
    name : str
        Name of the parameter.

    Returns
    -------
    InputSpec
        The entry of the table, or a general one for a name that is not in it.

    Examples
    --------
    >>> find_input("runs").usage
    '--runs RUN'
    >>> find_input("temperatures").usage
    '--input temperatures=package.module:attribute'
    """
    general = InputSpec(name, "an input of this name", "--input", f"{name}=package.module:attribute", "", "object")
    return INPUTS.get(name, general)


def describe_missing(names: Iterable[str]) -> Fix:
    """Return the advice to supply missing inputs.

    Parameters
    ----------
    names : iterable of str
        Names of the inputs.

    Returns
    -------
    Fix
        What to pass in a script, and what to write on a command line.

    Examples
    --------
    >>> describe_missing(["encoder", "x"]).command_line
    'Add MODEL or --encoder MODEL, and --data NAME.'
    """
    specs = [find_input(name) for name in names]
    python = "; ".join(f"{spec.name}: {spec.meaning}" for spec in specs)
    return Fix(f"Pass {python}.", f"Add {', and '.join(spec.usage for spec in specs)}.")


def input_table() -> str:
    """Return the table of inputs as Markdown, for the documentation.

    Returns
    -------
    str
        One row per input: name, meaning, what supplies it, and the command-line option.
    """
    rows = [("Input", "Meaning", "Supplied by", "Command line"), ("---",) * 4]
    rows += [(f"`{spec.name}`", spec.meaning, spec.supplied_by, f"`{spec.usage}`") for spec in INPUTS.values()]
    return "\n".join(f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in rows) + "\n"
