"""``vaeviz export``: draw all plots of a model into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from vaeviz.cli.paths import PathName
from vaeviz.cli.source import ModelAndDataSpec, check_input_names, model_and_data_options, source_arguments
from vaeviz.cli.types import parse_settings, split_list
from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins.options import Option

if TYPE_CHECKING:
    from vaeviz.export.manifest import FigureRecord
    from vaeviz.export.trackers.tracker import Tracker
    from vaeviz.health.check import CheckStatus
    from vaeviz.health.report import Report

STATUS_MARKS = {"drawn": ("✓", "green"), "skipped": ("–", "yellow"), "failed": ("✗", "red")}
MAX_CONFIG_BYTES = 1 << 14  # options of every plot take 4 kilobytes; nested keys take quadratic time
CONFIG_KEYS = {
    "plots": tuple[str, ...],
    "formats": tuple[str, ...],
    "style": str,
    "dpi": int,
    "seed": int,
    "jobs": int,
    "kind": SampleKind,
    "analysis": bool,
}
NAME_WIDTH = 22  # columns; the longest name of a plot fits


class ExportCommand(click.Command):
    """A command that keeps its arguments, for the page to show how each figure is drawn again."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.obj = list(args)
        return super().parse_args(ctx, args)


@click.command(cls=ExportCommand)
@model_and_data_options
@click.option("--out", type=PathName(), required=True, help="Output folder.")
@click.option("--plots", metavar="NAME,...", help="Draw only these plots, see `vaeviz list plots`.")
@click.option("--set", "settings", multiple=True, metavar="PLOT.OPTION=VALUE", help="Set an option of a plot.")
@click.option(
    "--config",
    type=PathName(),
    help="TOML file with plots, formats, style, dpi, seed, jobs, kind, analysis, and a table of options for each plot. "
    "Options on the command line win.",
)
@click.option("--format", "formats", metavar="NAME,...", help="File formats, of png, pdf and svg.  [default: png]")
@click.option("--style", help="paper or talk.  [default: paper]")
@click.option("--dpi", type=click.IntRange(30, 2400), help="Resolution.  [default: 300 for paper, 150 for talk]")
@click.option("--seed", type=click.IntRange(0), help="Seed of all plots.  [default: 0]")
@click.option("--jobs", type=click.IntRange(1), help="Number of processes that draw.  [default: 1]")
@click.option(
    "--kind",
    type=click.Choice(get_args(SampleKind)),
    help="How samples are drawn.  [default: as the data set declares, or inferred from their shape]",
)
@click.option(
    "--analysis/--no-analysis",
    default=None,
    help="Begin the page with the report of `vaeviz analyze`.  [default: if all plots are drawn]",
)
@click.option("--clean", is_flag=True, help="Remove figures of an earlier export that are not drawn again.")
@click.option("--single-file", is_flag=True, help="Put the figures into index.html, so that it can be sent alone.")
@click.option(
    "--log",
    "trackers",
    multiple=True,
    metavar="TRACKER:PLACE",
    help="Send the figures, with captions, to tensorboard:DIR, mlflow:URI or wandb:PROJECT as well. Repeatable.",
)
@click.pass_context
def export(
    ctx: click.Context,
    /,
    source: ModelAndDataSpec,
    out: Path,
    settings: tuple[str, ...],
    config: Path | None,
    plots: str | None,
    formats: str | None,
    clean: bool,
    single_file: bool,
    trackers: tuple[str, ...],
    **given: Any,
) -> None:
    """Draw all plots of a model into a folder.

    Draws every plot that MODEL and data allow, and writes manifest.json and index.html.

    MODEL is a run folder of `vaeviz train`, package.module:attribute, or a file, see --model.

    Exit code 0: each plot was drawn, or skipped for a reason. 1: a plot failed, nothing was drawn, or a plot named by
    --plots was skipped. 2: wrong usage or input.
    """
    from vaeviz.export.figure_set import export_figures
    from vaeviz.export.trackers.tracker import find_tracker

    if source.is_empty:
        raise click.UsageError("There is nothing to draw. Name MODEL, --data, --runs, --history or --input.")
    chosen, options = _read_config(config)
    given |= {"plots": split_list(plots), "formats": split_list(formats)}
    chosen |= {name: value for name, value in given.items() if value is not None}
    _check_sends_png(trackers, chosen.get("formats", ("png",)))
    openers = {tracker: find_tracker(tracker) for tracker in trackers}
    for plot, plot_options in parse_settings(settings, "PLOT", "latent_scatter.dims=0,2").items():
        options.setdefault(plot, {}).update(plot_options)
    model, dataset, supplied = source.open()
    check_input_names(supplied, export_figures, ctx.command)
    records = export_figures(
        out,
        model=model,
        data=dataset,
        settings=options,
        title=" · ".join(part for part in (model and model.name, dataset and dataset.name) if part),
        clean=clean,
        single_file=single_file,
        source=source_arguments(ctx.command, ctx.obj),
        on_record=echo_record,
        on_report=echo_report,
        **chosen,
        **supplied,
    )
    _echo_summary(out, records)
    for tracker, open_named in openers.items():
        _send(out, tracker, open_named)
    ctx.exit(exit_code(records, by_name="plots" in chosen))


def echo_record(record: FigureRecord) -> None:
    """Print one line about a plot, and one about each of its warnings."""
    mark, color = STATUS_MARKS[record.status]
    line = f"{click.style(mark, fg=color)} {record.plot:<{NAME_WIDTH}} {record.command_line_reason}"
    click.echo(line.rstrip())
    for warning in record.command_line_warnings:
        click.echo(f"    warning: {warning}", err=True)


def echo_report(report: Report) -> None:
    """Print one line about a report."""
    from vaeviz.health.report import STATUS_MARKS, summary_line

    statuses = [result.status for result in report.checks]
    by_severity: tuple[CheckStatus, ...] = ("failed", "flagged", "uncertain")
    worst: CheckStatus = next((status for status in by_severity if status in statuses), "healthy")
    click.echo(f"{STATUS_MARKS[worst]} {'report':<{NAME_WIDTH}} {summary_line(report.checks)}")


def _echo_summary(out: Path, records: Sequence[FigureRecord]) -> None:
    """Print how many figures are in a folder, and which are left from an earlier export."""
    from vaeviz.export.manifest import read_manifest

    n_drawn = sum(record.status == "drawn" for record in records)
    click.echo(f"{n_drawn} figure{'s' * (n_drawn != 1)} in {out}, shown by {out / 'index.html'}")
    earlier = read_manifest(out).get("earlier_figures", ())
    if earlier:
        click.echo(f"Left from an earlier export (--clean removes them): {', '.join(earlier)}")


def _check_sends_png(trackers: Sequence[str], formats: Sequence[str]) -> None:
    if trackers and "png" not in formats:
        got = ", ".join(formats)
        fix = "Add png to --format."
        raise InputError(f"--log sends PNG files, but the format is {got}.", got=got, expected="png", fix=fix)


def _send(folder: Path, tracker: str, open_named: Callable[[], Tracker]) -> None:
    """Send a finished set to a tracker, and print how many figures it received."""
    from vaeviz.export.trackers.tracker import report_tracker_errors, send_figures, without_password

    with report_tracker_errors(tracker, fix=f"The figures are in {folder}."), closing(open_named()) as opened:
        n_sent = len(send_figures(folder, opened))
    click.echo(f"{n_sent} figure{'s' * (n_sent != 1)} sent to {without_password(tracker)}")


def exit_code(records: Sequence[FigureRecord], *, by_name: bool) -> int:
    """Return 0 if each plot was drawn or skipped for a reason, else 1.

    `by_name` says that the plots were named one by one; a skipped one then counts as not done.
    """
    statuses = {record.status for record in records}
    return int("failed" in statuses or "drawn" not in statuses or (by_name and "skipped" in statuses))


def _read_config(path: Path | None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Read a TOML file; return the settings of the set, and options by plot."""
    import tomllib

    if path is None:
        return {}, {}
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise InputError(f"--config {path} cannot be read: {error.strerror}.", got=str(path)) from None
    if len(content) > MAX_CONFIG_BYTES:
        limit = f"{MAX_CONFIG_BYTES:,} bytes at most"
        raise InputError(f"--config {path} is too large for options of plots.", got=str(path), expected=limit)
    try:
        config = tomllib.loads(content.decode())
    except (RecursionError, ValueError) as error:  # nested brackets recurse, and numbers may have too many digits
        raise InputError(f"--config {path} is not valid TOML: {error}.", got=str(path)) from None
    options = {name: value for name, value in config.items() if isinstance(value, dict)}
    chosen = {name: value for name, value in config.items() if name not in options}
    for name, value in chosen.items():
        if name not in CONFIG_KEYS:
            raise UnknownName(f"key in {path}", name, CONFIG_KEYS)
        try:
            chosen[name] = Option(name, CONFIG_KEYS[name], None).check(value)
        except InputError as error:
            raise InputError(
                f"{path}: {error.message}", got=error.got, expected=error.expected, fix=error.fix
            ) from None
    return chosen, options
