"""``vaeviz info``: describe a run folder."""

from __future__ import annotations

from pathlib import Path

import click

from vaeviz.cli.paths import PathName
from vaeviz.errors import printable_text


@click.command()
@click.argument("run", type=PathName())
def info(run: Path) -> None:
    """Describe a run folder.

    Shows its model, data and training settings, how many epochs are done, and the scores of the saved weights.
    """
    from vaeviz.data.history import row_of_weights
    from vaeviz.errors import InputError
    from vaeviz_models.runs.folder import open_run, read_header, read_history

    model, config = open_run(run)
    recipe, training = config["model"], config["training"]
    sizes = ", ".join(f"{key} {_format_value(value)}" for key, value in recipe["options"].items())
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    click.echo(f"model     {recipe['name']}, samples of {_format_value(recipe['sample_shape'])}, {sizes}")
    click.echo(f"          {n_parameters:,} parameters")
    for name, part in (("data", config["data"]), ("training", training)):
        values = (f"{key} {_format_value(value)}" for key, value in part.items() if value is not None)
        click.echo(f"{name:10}{', '.join(values) or 'in a script'}")
    try:
        history = read_history(run)
    except InputError:
        history = {}
    checkpoint = run / "checkpoint.safetensors"
    thread_steps = read_header(checkpoint).get("thread_steps", {}) if checkpoint.is_file() else {}
    if thread_steps:
        click.echo(f"threads   {', '.join(f'{count} in {steps:,} steps' for count, steps in thread_steps.items())}")
    epochs = history.get("epoch", [])
    click.echo(f"epochs    {len(epochs)}" + (f" of {training['epochs']}" if "epochs" in training else ""))
    if epochs:
        row = row_of_weights(history)
        scores = (f"{name} {values[row]:.2f}" for name, values in history.items() if "_" in name)
        click.echo(f"weights   of epoch {epochs[row]:.0f}: {', '.join(scores)} (nats per sample)")


def _format_value(value: object) -> str:
    if not isinstance(value, list):
        return printable_text(value)
    return (" / " if all(isinstance(part, str) for part in value) else " × ").join(map(str, value))
