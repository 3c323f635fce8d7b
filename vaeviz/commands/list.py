from __future__ import annotations

import click

from vaeviz import registry
from vaeviz.errors import InputError

SECTIONS = {"models": "vaeviz.models", "data": "vaeviz.datasets", "embeddings": "vaeviz.embeddings"}


@click.command("list")
@click.argument("section", type=click.Choice(["plots", *SECTIONS]), required=False)
def list(section: str | None) -> None:
    """List plots, models, data sets and embeddings.

    Plots are shown with their inputs ([optional] in brackets) and options.
    SECTION shows one of them alone. A plug-in that cannot be imported is listed with the reason.
    """
    if section in (None, "plots"):
        click.secho("plots", bold=True)
        for name in registry.entries("vaeviz.plots"):
            _echo_plot(name)
    for title, group in SECTIONS.items():
        if section in (None, title):
            click.secho(title, bold=True)
            for name, found in registry.entries(group).items():
                click.echo(f"  {name:<22} {' and '.join(entry.distribution for entry in found)}")


def _echo_plot(name: str) -> None:
    from vaeviz.options import describe
    from vaeviz.plot import get_plot

    try:
        spec = get_plot(name)
    except InputError as error:
        click.echo(f"  {name:<22} (broken) {error}")
        return
    inputs = ", ".join(spec.required + tuple(f"[{optional}]" for optional in spec.optional))
    click.echo(f"  {name:<22} {spec.summary}")
    click.echo(f"  {'':<22}   from {inputs}" + ("" if spec.distribution == "vaeviz" else f"  ({spec.distribution})"))
    for option in spec.options.values():
        default = "" if option.default is None else f" = {option.default}"
        click.echo(f"  {'':<22}   {option.flag} {describe(option.annotation)}{default}")
