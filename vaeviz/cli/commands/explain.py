"""``vaeviz explain``: the properties of a model that vaeviz infers."""

from __future__ import annotations

import click

from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.errors import printable_text


@click.command()
@model_and_data_options
def explain(source: ModelAndDataSpec) -> None:
    """Print what is inferred about a model.

    For the encoder and the decoder of MODEL: latent size, kind of spread, ranges, layout, determinism, prior and
    conditions, each with the evidence and the option that overrides it.

    Exit code 0, or 1 if the encoder or the decoder failed on the data.
    """
    from vaeviz.model.collect_inputs import collect_inputs
    from vaeviz.model.inspect import inspect

    if source.is_empty:
        raise click.UsageError("There is nothing to explain. Name MODEL, --encoder, --decoder or --input.")
    model, data, supplied = source.open()
    parts = {name: supplied[name] for name in ("encoder", "decoder") if name in supplied}
    inputs = collect_inputs(model, data, supplied)
    inspection = inspect(model, inputs.get("x"), inputs.get("condition"), **parts)
    click.echo(printable_text(inspection.for_command_line()))
    failed = any(found.name == "problem" for found in (*inspection.encoder, *inspection.decoder))
    click.get_current_context().exit(int(failed))
