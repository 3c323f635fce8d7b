from __future__ import annotations

import click

from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options


@click.command()
@model_and_data_options
def explain(source: ModelAndDataSpec) -> None:
    """Say what is inferred about a model.

    For the encoder and the decoder of MODEL: latent size, kind of spread, ranges, layout, determinism, prior and what
    a conditional model is conditioned on, each with its reason and the option that overrides it.

    Exit code 0, or 1 where the encoder or the decoder failed on the data.
    """
    from vaeviz.model.collect_inputs import collect_inputs
    from vaeviz.model.inspect import inspect as explanation

    if source.is_empty:
        raise click.UsageError("nothing to explain: give MODEL, --encoder, --decoder or --input")
    model, data, supplied = source.opened()
    parts = {name: supplied[name] for name in ("encoder", "decoder") if name in supplied}
    inputs = collect_inputs(model, data, supplied)
    found = explanation(model, inputs.get("x"), inputs.get("condition"), **parts)
    click.echo(found.for_command_line())
    failed = any(finding.name == "problem" for finding in (*found.encoder, *found.decoder))
    click.get_current_context().exit(int(failed))
