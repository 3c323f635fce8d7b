from __future__ import annotations

from pathlib import Path

import click

GAUSSIAN = {"likelihood": "gaussian-learned", "std": 0.3}
SETS = {
    "demo": ("digits", {"latent_dim": 2, **GAUSSIAN}, 150),
    "demo-8d": ("digits", {"latent_dim": 8, **GAUSSIAN}, 150),
    "demo-factors": ("squares", {"latent_dim": 6}, 15),
}
"""Figure set: data set, options of the model, epochs."""


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="figures",
    show_default=True,
    help="Folder for the figure sets; the runs go into its subfolder runs.",
)
@click.option("--epochs", type=click.IntRange(1), help="[default: 150 on digits, 15 on squares]")
@click.pass_context
def demo(ctx: click.Context, out: Path, epochs: int | None) -> None:
    """Train on embedded data and draw everything.

    Three VAEs: of handwritten digits with 2 and with 8 latent dimensions, and of squares whose true factors are known,
    so that every plot is seen. Needs no network.
    """
    from vaeviz_models.commands.train import train_run

    for name, (data, options, default) in SETS.items():
        click.secho(f"{name}: a VAE of {data} with {options['latent_dim']} latent dimensions", bold=True)
        train_run(
            "mlp",
            data=data,
            out=out / "runs" / name,
            overwrite=True,
            model_options=options,
            settings={"epochs": epochs or default},
        )
    codes = [_exported(name, out) for name in SETS]
    for name in SETS:
        click.echo(f"open {(out / name / 'index.html').resolve()}")
    ctx.exit(max(codes))


def _exported(name: str, out: Path) -> int:
    """Draw one set, beside the digits' other run where there is one; the exit code."""
    from vaeviz.cli.commands.export import echo_findings, echo_record, exit_code
    from vaeviz.data.loading import load_data
    from vaeviz.export.figure_set import export_figures

    data = SETS[name][0]
    runs = {other: out / "runs" / other for other in SETS if SETS[other][0] == data}
    beside = next((run for other, run in runs.items() if other != name), None)
    inputs = {"runs": runs, "other_encoder": beside} if beside else {}
    click.secho(name, bold=True)
    records = export_figures(
        out / name,
        model=out / "runs" / name,
        data=load_data(data),
        title=f"{name} · {data}",
        on_record=echo_record,
        on_findings=echo_findings,
        **inputs,
    )
    return exit_code(records, by_name=False)
