"""The inputs of plots that neither MODEL nor --data supplies, each with an option of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from vaeviz.naming import is_object_name, named_array, named_model, named_object

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
        metavar="ARRAY",
        help="What a conditional model is given beside each sample: FILE.npy, package.module:attribute, or labels for "
        "the data's own.",
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


def missing_inputs(names: Iterable[str]) -> str:
    """What to write on the command line for inputs that a plot needs."""
    return " and ".join(SPELLINGS.get(name, f"--input {name}=package.module:attribute") for name in names)


def read_inputs(said: Mapping[str, Any], labels: Any) -> dict[str, Any]:
    """The inputs by name that a command line gives by these options. labels: the data's own, or None."""
    found = {name: read(said[name]) for name, read in READERS.items() if said[name]}
    if said["condition"]:
        found["condition"] = _condition(said["condition"], labels)
    if said["other_data"]:
        found["other_x"] = _samples_of(said["other_data"], said["other_data_dir"])
    return found


def _condition(text: str, labels: Any) -> Any:
    if text != "labels":
        return named_array(text, "--condition")
    if labels is None:
        raise click.UsageError("--condition labels: the data have none")
    return labels


def _samples_of(name: str, data_dir: Path | None) -> Any:
    from vaeviz.data import load_data

    return load_data(name, data_dir=data_dir).x


def _encoder(text: str) -> Any:
    from vaeviz.model import as_encoder

    return as_encoder(named_model(text))


def _runs(texts: tuple[str, ...]) -> list[Any]:
    from vaeviz.model import open

    return [open(named_model(text)) for text in texts]


def _history(text: str) -> Any:
    from vaeviz.history import read_history

    if is_object_name(text):
        return named_object(text)
    return read_history(Path(text) / "history.csv" if Path(text).is_dir() else text)


def _names(text: str) -> Any:
    return named_object(text) if is_object_name(text) else tuple(name.strip() for name in text.split(","))


READERS: Mapping[str, Callable[[Any], Any]] = {
    "factors": lambda text: named_array(text, "--factors"),
    "history": _history,
    "likelihood": named_object,
    "other_encoder": _encoder,
    "runs": _runs,
    "feature_names": _names,
    "factor_names": _names,
}
