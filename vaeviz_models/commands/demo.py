"""``vaeviz demo``: train on built-in data and draw every plot."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from vaeviz.cli.paths import PathName


class Demo(NamedTuple):
    """A figure set: a model, its data and options, and the settings of its training."""

    model: str
    data: str
    model_options: dict[str, Any]
    training: dict[str, Any]
    shows_factors: bool = False  # one set with scores of known factors is enough


DEMOS = {
    "demo": Demo("mlp", "glyphs", {"latent_dim": 2, "hidden": (512, 256)}, {"epochs": 15, "learning_rate": 2e-3}),
    "demo-10d": Demo("mlp", "glyphs", {"latent_dim": 10}, {"epochs": 15}),
    "demo-shapes": Demo(
        "conv",
        "shapes",
        {"latent_dim": 3, "channels": (8, 16, 32, 32)},
        {"epochs": 6, "batch_size": 32, "learning_rate": 3e-3, "beta": 4.0},
        shows_factors=True,
    ),
}
MAX_JOBS = 2  # more processes would start for longer than they draw


@click.command()
@click.option(
    "--out",
    type=PathName(),
    default="figures",
    show_default=True,
    help="Folder for the figure sets; the runs are written to its subfolder runs.",
)
@click.option("--epochs", type=click.IntRange(1), help="[default: 15 for glyphs, 6 for shapes]")
@click.pass_context
def demo(ctx: click.Context, out: Path, epochs: int | None) -> None:
    """Train on built-in data and draw every plot. Needs no network.

    Trains three VAEs: two of printed digits, with 2 and with 10 latent dimensions, and a convolutional one of shapes
    whose true factors are known.
    """
    from vaeviz_models.commands.train import print_epoch
    from vaeviz_models.runs.train_run import train_run
    from vaeviz_models.training.config import TrainConfig

    for name, (model, data, options, training, _) in DEMOS.items():
        click.secho(f"{name}: {model} on {data}, with {options['latent_dim']} latent dimensions", bold=True)
        config = TrainConfig(**training | {"threads": "auto"} | ({"epochs": epochs} if epochs else {}))
        train_run(
            model,
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

    entry = DEMOS[name]
    data = load_data(entry.data)
    runs = {other: out / "runs" / other for other in DEMOS if DEMOS[other].data == entry.data}
    second = next((run for other, run in runs.items() if other != name), None)
    inputs: dict[str, Any] = {"runs": runs, "other_encoder": second} if second else {}
    click.secho(name, bold=True)
    records = export_figures(
        out / name,
        model=out / "runs" / name,
        data=data if entry.shows_factors else replace(data, factors=None, factor_names=()),
        title=f"{name} · {entry.data}",
        source=[str(out / "runs" / name)],
        jobs=min(MAX_JOBS, os.cpu_count() or 1),
        on_record=echo_record,
        on_report=echo_report,
        **inputs,
    )
    return exit_code(records, by_name=False)
