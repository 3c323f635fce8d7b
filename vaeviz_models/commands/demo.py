from __future__ import annotations

from pathlib import Path

import click

SETS = {"demo": 2, "demo-8d": 8}


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="figures",
    show_default=True,
    help="Folder for the figure sets; the runs go into its subfolder runs.",
)
@click.option("--epochs", type=click.IntRange(1), default=150, show_default=True)
@click.pass_context
def demo(ctx: click.Context, out: Path, epochs: int) -> None:
    """Train on embedded digits and draw everything.

    Two VAEs, with 2 and with 8 latent dimensions, so that every plot is seen. Needs no network.
    """
    from vaeviz.commands.export import echo_record, exit_code
    from vaeviz.data import load_data
    from vaeviz.export import export_figures
    from vaeviz_models.commands.train import train_run

    codes = []
    for name, latent_dim in SETS.items():
        run = out / "runs" / name
        click.secho(f"{name}: a VAE with {latent_dim} latent dimensions", bold=True)
        train_run(
            "mlp",
            data="digits",
            out=run,
            overwrite=True,
            model_options={"latent_dim": latent_dim, "likelihood": "gaussian-learned", "std": 0.3},
            settings={"epochs": epochs},
        )
        records = export_figures(
            out / name, model=run, data=load_data("digits"), on_record=echo_record, title=f"{name} · digits"
        )
        codes.append(exit_code(records, by_name=False))
    for name in SETS:
        click.echo(f"open {(out / name / 'index.html').resolve()}")
    ctx.exit(max(codes))
