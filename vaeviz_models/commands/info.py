from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def info(run: Path) -> None:
    """Tell what a run folder holds.

    Its model, data and training, and how far it came.
    """
    from vaeviz.errors import InputError
    from vaeviz_models.runs.folder import open_run, read_history

    model, config = open_run(run)
    described = config["model"]
    sizes = ", ".join(f"{key} {_as_text(value)}" for key, value in described["options"].items())
    parameters = sum(p.numel() for p in model.parameters())
    click.echo(f"model     {described['name']}, samples of {_as_text(described['sample_shape'])}, {sizes}")
    click.echo(f"          {parameters:,} parameters")
    for part in ("data", "training"):
        parts = (f"{key} {_as_text(value)}" for key, value in config[part].items() if value is not None)
        click.echo(f"{part:10}{', '.join(parts) or 'in a script'}")
    try:
        history = read_history(run)
    except InputError:
        history = {}
    epochs = len(history.get("epoch", []))
    planned = config["training"].get("epochs")
    click.echo(f"epochs    {epochs}" + (f" of {planned}" if planned else ""))
    if epochs:
        last = ", ".join(
            f"{name} {values[-1]:.2f}" for name, values in history.items() if name not in ("epoch", "beta")
        )
        click.echo(f"last      {last} (nats a sample)")


def _as_text(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    return (" / " if all(isinstance(part, str) for part in value) else " × ").join(map(str, value))
