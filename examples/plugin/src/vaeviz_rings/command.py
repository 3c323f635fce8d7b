"""A command with a model and data on its command line, as vaeviz's own commands have them."""

from __future__ import annotations

import click

from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options


@click.command()
@model_and_data_options
def radii(source: ModelAndDataSpec) -> None:
    """Print how long the codes are, by label."""
    import numpy as np

    import vaeviz

    model, data, _ = source.open()
    if model is None or model.encoder is None or data is None:
        raise click.UsageError("give MODEL with an encoder, and --data")
    lengths = np.linalg.norm(vaeviz.encode(model.encoder, data.x).mean, axis=1)
    labels = np.full(len(lengths), "all") if data.labels is None else np.asarray(data.named_labels())
    for label in np.unique(labels):
        part = lengths[labels == label]
        click.echo(f"{label!s:<10} {len(part):>6,} codes, mean length {part.mean():.2f}")
