"""``vaeviz encode``: write the codes of samples to a file."""

from __future__ import annotations

from pathlib import Path

import click

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.errors import InputError, list_words
from vaeviz.plugins.inputs import describe_missing


@click.command()
@model_and_data_options
@click.option(
    "--out",
    type=OutputFile(".npz", ".csv", ".h5ad", ".parquet"),
    required=True,
    help="File to write: a table .csv or .parquet with columns z1, ..., std1, ... and label; arrays x, std and y in "
    ".npz; or an AnnData .h5ad.",
)
def encode(source: ModelAndDataSpec, out: Path) -> None:
    """Write the codes of samples: posterior means, standard deviations and labels.

    The file can be drawn without the model: vaeviz plot latent_pairs --data codes.csv --labels label --codes
    """
    from vaeviz.export.codes import write_codes
    from vaeviz.model.collect_inputs import collect_inputs
    from vaeviz.model.encode import encode as encode_samples

    inputs = collect_inputs(*source.open())
    missing = [name for name in ("encoder", "x") if name not in inputs]
    if missing:
        names = list_words(missing)
        raise InputError(f"encode needs {names}.", expected=names, fix=describe_missing(missing))
    posterior = encode_samples(inputs["encoder"], inputs["x"], inputs.get("condition"))
    write_codes(out, posterior, inputs.get("labels"))
    spread = "" if posterior.std is None else ", with their standard deviations"
    click.echo(f"{len(posterior):,} codes of {posterior.size} dimensions{spread}, in {out}")
