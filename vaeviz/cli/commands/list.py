from __future__ import annotations

import click

from vaeviz.cli.source import format_default, load_command, with_scripts
from vaeviz.errors import InputError
from vaeviz.plugins import registry

SECTIONS = {
    "plots": "vaeviz.plots",
    "models": "vaeviz.models",
    "adapters": "vaeviz.adapters",
    "data": "vaeviz.datasets",
    "embeddings": "vaeviz.embeddings",
    "commands": "vaeviz.commands",
}


@click.command("list")
@click.argument("section", type=click.Choice([*SECTIONS]), required=False)
@with_scripts
def list(section: str | None) -> None:
    """List plots, models, adapters, data sets, embeddings and commands.

    Plots are shown with their inputs ([optional] in brackets) and options, the rest with the distribution that each is
    from. SECTION shows one of them alone.

    What a plug-in brings is imported, and listed with the reason where that fails. Of vaeviz's own things only the
    plots are.
    """
    for title, group in SECTIONS.items():
        if section in (None, title):
            click.secho(title, bold=True)
            for name in registry.entries(group):
                try:
                    _echo_plot(name) if title == "plots" else _echo_origin(group, name)
                except InputError as error:
                    click.echo(f"  {name:<22} (broken) {error}")


def _echo_plot(name: str) -> None:
    from vaeviz.plugins.options import describe_annotation
    from vaeviz.plugins.plot_spec import get_plot

    spec = get_plot(name)
    options = spec.options.values()
    inputs = ", ".join(spec.required + tuple(f"[{optional}]" for optional in spec.optional))
    origin = "" if spec.distribution == registry.OWN_DISTRIBUTION else f"  ({spec.distribution})"
    click.echo(f"  {name:<22} {spec.summary}")
    click.echo(f"  {'':<22}   from {inputs}{origin}")
    for option in options:
        default = "" if option.default is None else f" = {format_default(option.default)}"
        click.echo(f"  {'':<22}   {option.flag} {describe_annotation(option.annotation)}{default}")


def _echo_origin(group: str, name: str) -> None:
    entry = registry.find(group, name)
    if entry.distribution != registry.OWN_DISTRIBUTION:
        load_command(name) if group == "vaeviz.commands" else entry.load()
    click.echo(f"  {name:<22} {entry.distribution}")
