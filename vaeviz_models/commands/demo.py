"""``vaeviz demo``: train on built-in data and draw every plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click

from vaeviz.cli.paths import PathName


class Demo(NamedTuple):
    """A figure set: its data, the options of its model, and the epochs to train."""

    data: str
    model_options: dict[str, Any]
    epochs: int


GAUSSIAN = {"likelihood": "gaussian-learned", "std": 0.3}
DEMOS = {
    "demo": Demo("digits", {"latent_dim": 2, **GAUSSIAN}, 150),
    "demo-8d": Demo("digits", {"latent_dim": 8, **GAUSSIAN}, 150),
    "demo-factors": Demo("squares", {"latent_dim": 6}, 15),
}


@click.command()
@click.option(
    "--out",
    type=PathName(),
    default="figures",
    show_default=True,
    help="Folder for the figure sets; the runs are written to its subfolder runs.",
)
@click.option("--epochs", type=click.IntRange(1), help="[default: 150 for digits, 15 for squares]")
@click.pass_context
def demo(ctx: click.Context, out: Path, epochs: int | None) -> None:
    """Train on built-in data and draw every plot. Needs no network.

    Trains three VAEs: two of handwritten digits, with 2 and with 8 latent dimensions, and one of squares whose true
    factors are known.
    """
    from vaeviz_models.commands.train import print_epoch
    from vaeviz_models.runs.train_run import train_run
    from vaeviz_models.training.config import TrainConfig

    for name, (data, options, default_epochs) in DEMOS.items():
        click.secho(f"{name}: a VAE of {data} with {options['latent_dim']} latent dimensions", bold=True)
        config = TrainConfig(epochs=epochs or default_epochs, threads="auto")
        train_run(
            "mlp",
            data,
            out / "runs" / name,
            model_options=options,
            config=config,
            overwrite=True,
            after_epoch=print_epoch(config.epochs),
        )
    codes = [_export(name, out) for name in DEMOS]
    for name in DEMOS:
        click.echo(f"Open {(out / name / 'index.html').resolve()}")
    ctx.exit(max(codes))


def _export(name: str, out: Path) -> int:
    """Draw one figure set, with the other run of the same data if there is one, and return the exit code."""
    from vaeviz.cli.commands.export import echo_record, echo_report, exit_code
    from vaeviz.data.loading import load_data
    from vaeviz.export.figure_set import export_figures

    data = DEMOS[name].data
    runs = {other: out / "runs" / other for other, entry in DEMOS.items() if entry.data == data}
    second = next((run for other, run in runs.items() if other != name), None)
    inputs: dict[str, Any] = {"runs": runs, "other_encoder": second} if second else {}
    click.secho(name, bold=True)
    records = export_figures(
        out / name,
        model=out / "runs" / name,
        data=load_data(data),
        title=f"{name} · {data}",
        on_record=echo_record,
        on_report=echo_report,
        **inputs,
    )
    return exit_code(records, by_name=False)
