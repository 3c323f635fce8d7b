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
    from vaeviz_models.runs import open_run, read_history

    model, config = open_run(run)
    described = config["model"]
    sizes = ", ".join(f"{key} {_plain(value)}" for key, value in described["options"].items())
    parameters = sum(p.numel() for p in model.parameters())
    click.echo(f"model     {described['name']}, samples of {_plain(described['sample_shape'])}, {sizes}")
    click.echo(f"          {parameters:,} parameters")
    click.echo("data      " + ", ".join(f"{key} {value}" for key, value in config["data"].items() if value is not None))
    click.echo(
        "training  " + ", ".join(f"{key} {value}" for key, value in config["training"].items() if value is not None)
    )
    try:
        history = read_history(run)
    except InputError:
        history = {}
    epochs = len(history.get("epoch", []))
    click.echo(f"epochs    {epochs} of {config['training']['epochs']}")
    if epochs:
        last = ", ".join(
            f"{name} {values[-1]:.2f}" for name, values in history.items() if name not in ("epoch", "beta")
        )
        click.echo(f"last      {last} (nats a sample)")


def _plain(value: object) -> str:
    return " × ".join(map(str, value)) if isinstance(value, list) else str(value)
