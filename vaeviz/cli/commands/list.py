"""``vaeviz list``: names and summaries of registered entries, read from their files without importing them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vaeviz.cli.source import script_option
from vaeviz.errors import InputError, printable_text
from vaeviz.plugins import registry

SECTIONS = {
    "plots": "vaeviz.plots",
    "checks": "vaeviz.checks",
    "models": "vaeviz.models",
    "adapters": "vaeviz.adapters",
    "data": "vaeviz.datasets",
    "embeddings": "vaeviz.embeddings",
    "commands": "vaeviz.commands",
}
OTHER_NAMES = {"datasets": "data"}  # as the entry-point group is called


@click.command("list")
@click.argument("section", type=click.Choice([*SECTIONS, *OTHER_NAMES]), required=False)
@script_option
def list(section: str | None) -> None:
    """List plots, checks, models, adapters, data sets, embeddings and commands.

    Plots and checks are listed with their inputs ([optional] in brackets) and options. Entries of other distributions
    are followed by the name of the distribution. SECTION shows one group.

    Nothing is imported. An entry whose file is missing or is not valid Python is listed with the reason.
    """
    for title, group in SECTIONS.items():
        if section is None or OTHER_NAMES.get(section, section) == title:
            click.secho(title, bold=True)
            click.echo("\n".join(line for name in registry.entries(group) for line in _entry_lines(group, name)))


def _entry_lines(group: str, name: str) -> Iterator[str]:
    """Yield the lines about an entry, the first of them with its name."""
    try:
        described = [*_describe_entry(group, name)]
    except InputError as error:
        described = [f"(broken) {error.for_command_line()}"]
    for k, text in enumerate(described):
        yield printable_text(f"  {name if k == 0 else '':<22} {text}".rstrip())


def _describe_entry(group: str, name: str) -> Iterator[str]:
    """Yield the summary of an entry, and of a plot or check its inputs and options."""
    from vaeviz.plugins.options import describe_annotation, format_value
    from vaeviz.plugins.source_outline import outline

    entry = registry.find(group, name)
    found = outline(entry)
    yield found.summary + ("" if entry.distribution == registry.OWN_DISTRIBUTION else f"  ({entry.distribution})")
    if group in ("vaeviz.plots", "vaeviz.checks"):
        yield "  from " + ", ".join(found.required + tuple(f"[{optional}]" for optional in found.optional))
        for option in found.options.values():
            default = "" if option.default is None else f" = {format_value(option.default)}"
            flag = option.flag if group == "vaeviz.plots" else f"--set {name}.{option.name}"
            yield f"  {flag} {describe_annotation(option.annotation)}{default}"
