from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vaeviz.cli.readers import describe_missing_inputs
from vaeviz.cli.source import ModelAndDataSpec, broken_command, click_option, model_and_data_options, with_scripts
from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins.options import Option


class Plots(click.Group):
    """One command for each registered plot, with the plot's options as its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _scripts_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        from vaeviz.plugins.plot_spec import plot_names

        return plot_names()

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from vaeviz.plugins.plot_spec import get_plot

        try:
            spec = get_plot(name)
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)
        return _command(spec)


@click.group(cls=Plots, subcommand_metavar="NAME [MODEL] [OPTIONS]")
@with_scripts
def plot() -> None:
    """Draw one figure. `vaeviz plot NAME --help` shows the options of a plot."""


def _scripts_first(args: list[str]) -> list[str]:
    """The arguments with every ``--with FILE.py`` before the plot's name, which may be known through it alone."""
    first, rest, remaining = [], [], iter(args)
    for arg in remaining:
        if arg == "--with":
            first += [arg, *itertools.islice(remaining, 1)]
        else:
            (first if arg.startswith("--with=") else rest).append(arg)
    return first + rest


def _command(spec: Any) -> click.Command:
    inputs = ", ".join(spec.required + tuple(f"[{name}]" for name in spec.optional))

    @model_and_data_options
    def run(**given: Any) -> None:
        source = click.get_current_context().get_parameter_source
        options = {name: given.pop(f"option_{name}") for name in spec.options}
        said = [name for name in options if source(f"option_{name}") is not ParameterSource.DEFAULT]
        _draw(spec, {name: options[name] for name in said}, **given)

    for decorate in (
        click.option("--out", type=click.Path(path_type=Path), help=f"[default: {spec.name}.png]"),
        click.option("--style", default="paper", show_default=True, help="paper or talk."),
        click.option("--dpi", type=click.IntRange(30, 2400), help="[default: the style's]"),
    ):
        run = decorate(run)
    params = [*reversed(run.__click_params__)]
    taken = {flag for param in params for flag in param.opts}
    return click.Command(
        spec.name,
        callback=run,
        params=[*(_option_of_plot(spec.name, option, taken) for option in spec.options.values()), *params],
        help=f"{_as_written(inspect.getdoc(spec.function) or '')}\n\nNeeds {inputs}.",
        short_help=spec.summary,
    )


def _option_of_plot(plot: str, option: Option, taken: set[str]) -> click.Option:
    """The option of the plot's own; one that is called as an option of every plot has the plot's name before it."""
    flag = f"--{plot}-{option.name}".replace("_", "-") if option.flag in taken else option.flag
    return click_option(option, flags=(f"option_{option.name}", flag))


def _as_written(docstring: str) -> str:
    """The docstring with its own line breaks, which click would otherwise fill."""
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in docstring.replace("`", "").split("\n\n"))


def _draw(
    spec: Any, options: dict[str, Any], *, source: ModelAndDataSpec, out: Path | None, style: str, dpi: int | None
) -> None:
    from vaeviz.drawing.styles import style as in_style
    from vaeviz.export.render import FORMATS, collect_plot_inputs, draw_figure, save_figure, shared_options

    out = out or Path(f"{spec.name}.png")
    if out.suffix.lstrip(".") not in FORMATS:
        raise InputError(f"--out {out}: expected a name that ends in .{', .'.join(FORMATS)}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist")
    opened_model, dataset, supplied = source.opened()
    inputs = collect_plot_inputs(opened_model, dataset, supplied)
    options = shared_options(spec, None, dataset and dataset.kind) | options
    reason = spec.lacking(inputs)
    if reason:
        raise InputError(f"{spec.name} {reason}: give {describe_missing_inputs(spec.missing(inputs))}")
    with in_style(style) as look:
        figure = draw_figure(spec, inputs, options, look)
        try:
            save_figure(figure, out, dpi or look.dpi)
        except OSError as error:
            raise InputError(f"--out {out}: cannot be written, {error.strerror}") from None
    click.echo(out)
