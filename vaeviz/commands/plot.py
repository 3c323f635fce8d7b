from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vaeviz.cli_options import broken_command, model_and_data, option_of
from vaeviz.errors import InputError, UnknownName


class Plots(click.Group):
    """One command for each registered plot, with the plot's options as its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from vaeviz.plot import plot_names

        return plot_names()

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from vaeviz.plot import get_plot

        try:
            spec = get_plot(name)
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)
        return _command(spec)


@click.group(cls=Plots, subcommand_metavar="NAME [MODEL] [OPTIONS]")
def plot() -> None:
    """Draw one figure. `vaeviz plot NAME --help` shows the options of a plot."""


def _command(spec: Any) -> click.Command:
    inputs = ", ".join(spec.required + tuple(f"[{name}]" for name in spec.optional))
    options = [option_of(option) for option in spec.options.values()]

    def run(**given: Any) -> None:
        ctx = click.get_current_context()
        unsaid = [name for name in spec.options if ctx.get_parameter_source(name) is ParameterSource.DEFAULT]
        _draw(spec, {name: value for name, value in given.items() if name not in unsaid})

    run = model_and_data(run)
    for decorate in (
        click.option("--out", type=click.Path(path_type=Path), help=f"[default: {spec.name}.png]"),
        click.option("--style", default="paper", show_default=True, help="paper or talk."),
        click.option("--dpi", type=click.IntRange(30, 2400), help="[default: the style's]"),
    ):
        run = decorate(run)
    return click.Command(
        spec.name,
        callback=run,
        params=[*options, *reversed(run.__click_params__)],
        help=f"{_as_written(inspect.getdoc(spec.function) or '')}\n\nNeeds {inputs}.",
        short_help=spec.summary,
    )


def _as_written(docstring: str) -> str:
    """The docstring with its own line breaks, which click would otherwise fill."""
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in docstring.replace("`", "").split("\n\n"))


def _draw(spec: Any, given: dict[str, Any]) -> None:
    from vaeviz.drawing.styles import get_style, style
    from vaeviz.figures import FORMATS, drawn, gather, lacking, options_for, write_figure

    options = {name: given.pop(name) for name in spec.options if name in given}
    out, look, dpi = given.pop("out") or Path(f"{spec.name}.png"), given.pop("style"), given.pop("dpi")
    if out.suffix.lstrip(".") not in FORMATS:
        raise InputError(f"--out {out}: expected a name that ends in .{', .'.join(FORMATS)}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist")
    opened_model, dataset, supplied = given.pop("source").opened()
    inputs = gather(opened_model, dataset, supplied)
    options = options_for(spec, None, dataset and dataset.kind) | options
    reason = lacking(spec, inputs)
    if reason:
        raise InputError(f"{spec.name} {reason}: give MODEL, --data, or --input NAME=package.module:attribute")
    with style(look):
        figure = drawn(spec, inputs, options, get_style(look))
        try:
            write_figure(figure, out, dpi or get_style(look).dpi)
        except OSError as error:
            raise InputError(f"--out {out}: cannot be written, {error.strerror}") from None
    click.echo(out)
