"""``vaeviz plot``: one sub-command per registered plot."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.plugin_commands import broken_command
from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options, script_option
from vaeviz.cli.types import click_option
from vaeviz.errors import InputError, UnknownName, list_words
from vaeviz.plugins.inputs import describe_missing
from vaeviz.plugins.options import Option

if TYPE_CHECKING:
    from vaeviz.plugins.plot_spec import PlotSpec

OPTION_PREFIX = "option_"  # of click's parameter names, so that a plot may have options named like those of all plots


class Plots(click.Group):
    """One command for each registered plot, with the options of the plot."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _scripts_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        from vaeviz.plugins.plot_spec import plot_names

        return plot_names()

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        from vaeviz.plugins.plot_spec import get_plot

        try:
            return _plot_command(get_plot(name))
        except UnknownName as error:
            raise click.UsageError(str(error)) from None
        except InputError as error:
            return broken_command(name, error)


@click.group(cls=Plots, subcommand_metavar="NAME [MODEL] [OPTIONS]")
@script_option
def plot() -> None:
    """Draw one figure. `vaeviz plot NAME --help` shows the options of a plot."""


def _scripts_first(args: list[str]) -> list[str]:
    """Put every ``--with FILE.py`` before the name of the plot, which the script may register."""
    scripts: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        if arg == "--with":
            scripts += [arg, *itertools.islice(remaining, 1)]
        else:
            (scripts if arg.startswith("--with=") else rest).append(arg)
    return scripts + rest


def _plot_command(spec: PlotSpec) -> click.Command:
    from vaeviz.export.render import FORMATS

    inputs = ", ".join(spec.required + tuple(f"[{name}]" for name in spec.optional))
    help_text = f"{_keep_line_breaks(inspect.getdoc(spec.function) or '')}\n\nNeeds {inputs}."

    @click.command(spec.name, help=help_text, short_help=spec.summary)
    @click.option(
        "--out",
        type=OutputFile(*(f".{ending}" for ending in FORMATS)),
        default=f"{spec.name}.png",
        show_default=True,
        help="File to write.",
    )
    @click.option("--style", default="paper", show_default=True, help="paper or talk.")
    @click.option("--dpi", type=click.IntRange(30, 2400), help="[default: that of the style]")
    @model_and_data_options
    def command(**parameters: Any) -> None:
        source_of = click.get_current_context().get_parameter_source
        options = {}
        for name in spec.options:
            value = parameters.pop(OPTION_PREFIX + name)
            if source_of(OPTION_PREFIX + name) is not ParameterSource.DEFAULT:
                options[name] = value
        _draw(spec, options, **parameters)

    taken = {flag for param in command.params for flag in param.opts}
    command.params[:0] = [_plot_option(spec.name, option, taken) for option in spec.options.values()]
    return command


def _plot_option(plot: str, option: Option, taken: set[str]) -> click.Option:
    """Return the option of one plot. If all plots have one of the same name, the plot's name is put before it."""
    flag = f"--{plot}-{option.name}".replace("_", "-") if option.flag in taken else option.flag
    return click_option(option, flags=(OPTION_PREFIX + option.name, flag))


def _keep_line_breaks(docstring: str) -> str:
    """Return a docstring marked so that click does not rewrap its paragraphs."""
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in docstring.replace("`", "").split("\n\n"))


def _draw(
    spec: PlotSpec, options: dict[str, Any], *, source: ModelAndDataSpec, out: Path, style: str, dpi: int | None
) -> None:
    from vaeviz.drawing.styles import style as style_context
    from vaeviz.export.render import collect_plot_inputs, draw_figure, save_figure, shared_options

    model, data, supplied = source.open()
    inputs = collect_plot_inputs(model, data, supplied)
    options = shared_options(spec, None, None if data is None else data.kind) | options
    missing = spec.missing_inputs(inputs)
    if missing:
        names = list_words(missing)
        raise InputError(f"{spec.name} needs {names}.", expected=names, fix=describe_missing(missing))
    with style_context(style) as page_style:
        figure = draw_figure(spec, inputs, options, page_style)
        save_figure(figure, out, dpi or page_style.dpi)
    click.echo(out)
