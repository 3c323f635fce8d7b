from __future__ import annotations

import click

from vaeviz.cli_options import Source, model_and_data


@click.command()
@model_and_data
def explain(source: Source) -> None:
    """Say what is inferred about a model.

    For the encoder and the decoder of MODEL: latent size, kind of spread, ranges, layout, determinism and prior, each
    with its reason and the line that overrides it. On the command line the same names are options, e.g. --returns.

    Exit code 0, or 1 where the encoder or the decoder failed on the data.
    """
    from vaeviz.explaining import explain as explanation

    if source.is_empty:
        raise click.UsageError("nothing to explain: give MODEL, --encoder, --decoder or --input")
    model, data, supplied = source.opened()
    parts = {name: supplied[name] for name in ("encoder", "decoder") if name in supplied}
    found = explanation(model, data and data.x, **parts)
    click.echo(str(found))
    failed = any(finding.what == "problem" for finding in (*found.encoder, *found.decoder))
    click.get_current_context().exit(int(failed))
