"""The inputs of plots that neither MODEL nor --data supplies, each with an option of its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vaeviz.errors import InputError
from vaeviz.plugins.object_refs import import_object, is_object_ref, load_array, resolve_model

SPELLINGS = {
    "encoder": "MODEL or --encoder",
    "decoder": "MODEL or --decoder",
    "x": "--data",
    "labels": "--data that has labels, or --labels",
    "condition": "--condition",
    "factors": "--factors",
    "history": "--history",
    "likelihood": "--likelihood",
    "other_x": "--other-data",
    "other_encoder": "--other-encoder",
    "runs": "--runs",
    "feature_names": "--feature-names",
    "factor_names": "--factor-names",
}
"""How each input of the vocabulary is given on a command line."""

INPUT_OPTIONS = (
    click.option(
        "--condition",
        metavar="VALUE",
        help="Fix the condition of a conditional model, by name or value, and look at the samples that have it. Or "
        "what it is given beside each sample: FILE.npy, package.module:attribute, or labels, which is the default.",
    ),
    click.option("--factors", metavar="ARRAY", help="Known factors (N, K): FILE.npy or package.module:attribute."),
    click.option(
        "--history", metavar="FILE.csv", help="Of the training: a table, a run folder, or package.module:attribute."
    ),
    click.option("--likelihood", metavar="MODULE:FUNCTION", help="ln p(x|z) in nats, a function of batches x and z."),
    click.option("--other-data", metavar="NAME", help="To tell from --data, and spelled as it is."),
    click.option("--other-data-dir", type=click.Path(path_type=Path), help="Folder with the files of --other-data."),
    click.option("--other-encoder", metavar="MODEL", help="To compare with the encoder; spelled as MODEL is."),
    click.option(
        "--runs", metavar="RUN", multiple=True, help="One of several runs, or models, to compare. Repeatable."
    ),
    click.option("--feature-names", metavar="NAME,...", help="Of the values of a sample, or package.module:attribute."),
    click.option("--factor-names", metavar="NAME,...", help="Of the factors, or package.module:attribute."),
)


def describe_missing_inputs(names: Iterable[str]) -> str:
    """What to write on the command line for inputs that a plot needs."""
    return " and ".join(SPELLINGS.get(name, f"--input {name}=package.module:attribute") for name in names)


def read_inputs(said: Mapping[str, Any], labels: Any) -> dict[str, Any]:
    """The inputs by name that a command line gives by these options. labels: the data's own, or None."""
    found = {name: read(said[name]) for name, read in READERS.items() if said[name]}
    if said["condition"] and not is_condition_value(said["condition"]):
        found["condition"] = _condition(said["condition"], labels)
    if said["other_data"]:
        found["other_x"] = _samples_of(said["other_data"], said["other_data_dir"])
    return found


def is_condition_value(text: str) -> bool:
    """Whether --condition spells one value, and no array or the data's labels."""
    return text != "labels" and not is_object_ref(text) and Path(text).suffix.lower() != ".npy"


def fix_condition(text: str, model: Any, data: Any, supplied: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The same model, data set and inputs with the condition fixed that `text` spells, and those samples that have it.

    Samples whose labels say nothing of the condition all stay, as if they had it.
    """
    import numpy as np

    from vaeviz.errors import GuessWarning
    from vaeviz.model.opening import Model, as_decoder, as_encoder, condition_on

    parts = {name: as_part for name, as_part in (("encoder", as_encoder), ("decoder", as_decoder)) if name in supplied}
    model = replace(model or Model(), **{name: as_part(supplied[name]) for name, as_part in parts.items()})
    conditional = [part for part in model if part is not None and part.is_conditional]
    if not conditional:
        expected = "expected FILE.npy or package.module:attribute"
        raise InputError(f"--condition {text}: {expected}; {model.name} takes no condition that a value could fix")
    known = next((part.conditions for part in conditional if part.conditions), None)
    model = condition_on(model, text if known and text in known else _numbers(text))
    name = next(part.condition_name for part in model if part is not None and part.condition_name)
    rows = None if data is None else _rows_with(name, data.named_labels(), known)
    if rows is not None and not len(rows):
        raise InputError(f"--condition {text}: no sample of {data.name} has it")
    inputs = {key: value for key, value in supplied.items() if key not in parts}
    model = replace(model, name=f"{model.name} given {name}")
    if rows is None:
        if data is not None:
            told = f"{len(data)} samples are all taken to have it, since no labels tell"
            warnings.warn(f"--condition {text}: {told}; --labels names them", GuessWarning, stacklevel=2)
        return model, data, inputs
    of_each = {key: inputs[key] for key in ("labels", "factors") if key in inputs and len(inputs[key]) == len(data)}
    return model, data[rows], inputs | {key: np.asarray(value)[rows] for key, value in of_each.items()}


def _rows_with(name: str, labels: Any, known: Any) -> Any:
    """Which samples have the condition of that name, or None where labels are something else."""
    import numpy as np

    from vaeviz.data.labels import check_labels, has_classes
    from vaeviz.model.conditions import condition_names

    if labels is None or not has_classes(check_labels(labels, len(labels))):
        return None
    try:
        names = condition_names(labels, known)
    except InputError:
        return None
    return np.flatnonzero(np.array(names) == name) if known or name in names else None


def _numbers(text: str) -> Any:
    """A number, or several of them, a vector; else the text."""
    try:
        numbers = [int(part) if part.strip().lstrip("+-").isdigit() else float(part) for part in text.split(",")]
    except ValueError:
        return text
    return numbers[0] if len(numbers) == 1 else numbers


def _condition(text: str, labels: Any) -> Any:
    if text != "labels":
        return load_array(text, "--condition")
    if labels is None:
        raise click.UsageError("--condition labels: the data have none")
    return labels


def _samples_of(name: str, data_dir: Path | None) -> Any:
    from vaeviz.data.loading import load_data

    return load_data(name, data_dir=data_dir).x


def _encoder(text: str) -> Any:
    from vaeviz.model.opening import as_encoder

    return as_encoder(resolve_model(text))


def _runs(texts: tuple[str, ...]) -> list[Any]:
    from vaeviz.model.opening import open

    return [open(resolve_model(text)) for text in texts]


def _history(text: str) -> Any:
    from vaeviz.data.history import read_history

    if is_object_ref(text):
        return import_object(text)
    return read_history(Path(text) / "history.csv" if Path(text).is_dir() else text)


def _names(text: str) -> Any:
    return import_object(text) if is_object_ref(text) else tuple(name.strip() for name in text.split(","))


READERS: Mapping[str, Callable[[Any], Any]] = {
    "factors": lambda text: load_array(text, "--factors"),
    "history": _history,
    "likelihood": import_object,
    "other_encoder": _encoder,
    "runs": _runs,
    "feature_names": _names,
    "factor_names": _names,
}
