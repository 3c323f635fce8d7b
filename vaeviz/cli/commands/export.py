from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args

import click

from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.cli.types import parse_settings, split_list
from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import InputError, UnknownName
from vaeviz.plugins.options import Option

MARKS = {"drawn": ("✓", "green"), "skipped": ("–", "yellow"), "failed": ("✗", "red")}
KEYS = {
    "plots": tuple[str, ...],
    "formats": tuple[str, ...],
    "style": str,
    "dpi": int,
    "seed": int,
    "jobs": int,
    "kind": SampleKind,
    "analysis": bool,
}
ARGUMENTS = "vaeviz.arguments"


class Repeatable(click.Command):
    """A command that knows its own arguments, by which another process can open the same."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)


@click.command(cls=Repeatable)
@model_and_data_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the figures.")
@click.option("--plots", metavar="NAME,...", help="Only these plots, as `vaeviz list plots` names them.")
@click.option("--set", "settings", multiple=True, metavar="PLOT.OPTION=VALUE", help="An option of a plot.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="TOML: plots, formats, style, dpi, seed, jobs, kind, analysis, and a table of options for each plot. The "
    "command line wins.",
)
@click.option("--format", "formats", metavar="NAME,...", help="Of png, pdf, svg.  [default: png]")
@click.option("--style", help="paper or talk.  [default: paper]")
@click.option("--dpi", type=click.IntRange(30, 2400), help="[default: 300 on paper, 150 in a talk]")
@click.option("--seed", type=click.IntRange(0), help="[default: 0]")
@click.option("--jobs", type=click.IntRange(1), help="Draw with so many processes at once.  [default: 1]")
@click.option(
    "--kind",
    type=click.Choice(get_args(SampleKind)),
    help="How samples are drawn.  [default: as the data set says, or as their shape tells]",
)
@click.option(
    "--analysis/--no-analysis",
    default=None,
    help="Begin the page with what `vaeviz analyze` finds.  [default: where all plots are drawn]",
)
@click.pass_context
def export(
    ctx: click.Context,
    source: ModelAndDataSpec,
    out: Path,
    plots: str | None,
    settings: tuple[str, ...],
    config: Path | None,
    formats: str | None,
    style: str | None,
    dpi: int | None,
    seed: int | None,
    jobs: int | None,
    kind: SampleKind | None,
    analysis: bool | None,
) -> None:
    """Draw all plots of a model into a folder.

    Every plot that MODEL and data allow, with manifest.json and index.html.

    MODEL is a run folder of `vaeviz train`, package.module:attribute, or a file, see --model.

    Exit code 0: all was drawn, or skipped for a reason. 1: a plot failed, nothing was drawn, or a plot that was
    asked for by name was skipped. 2: wrong usage or input.
    """
    from vaeviz.export.figure_set import export_figures

    if source.is_empty:
        raise click.UsageError("nothing to draw: give MODEL, --data, --runs or --input")
    chosen, options = _read_config(config)
    given = {
        "plots": split_list(plots),
        "formats": split_list(formats),
        "style": style,
        "dpi": dpi,
        "seed": seed,
        "jobs": jobs,
        "kind": kind,
        "analysis": analysis,
    }
    chosen |= {name: value for name, value in given.items() if value is not None}
    for plot, chosen_options in parse_settings(settings, "PLOT", "latent_scatter.dims=0,2").items():
        options.setdefault(plot, {}).update(chosen_options)
    opened_model, dataset, supplied = source.open()
    taken = sorted(set(supplied) & set(inspect.signature(export_figures).parameters))
    if taken:
        raise click.UsageError(f"--input {taken[0]}=...: is an argument of the export itself, no input of a plot")
    title = " · ".join(part for part in (opened_model and opened_model.name, dataset and dataset.name) if part)
    records = export_figures(
        out,
        model=opened_model,
        data=dataset,
        settings=options,
        title=title,
        command=ctx.meta[ARGUMENTS],
        on_record=echo_record,
        on_findings=echo_findings,
        **chosen,
        **supplied,
    )
    count = sum(record.status == "drawn" for record in records)
    click.echo(f"{count} figure{'s' * (count != 1)} in {out}, shown by {out / 'index.html'}")
    ctx.exit(exit_code(records, by_name="plots" in chosen))


def echo_record(record: Any) -> None:
    """One line for each plot as it is done."""
    mark, color = MARKS[record.status]
    click.echo(f"{click.style(mark, fg=color)} {record.plot:<22} {record.reason}".rstrip())
    for warning in record.warnings:
        click.echo(f"    warning: {warning}", err=True)


def echo_findings(findings: tuple) -> None:
    """One line on what was found."""
    from vaeviz.health.report import STATUS_MARKS as VERDICTS
    from vaeviz.health.report import summary_line

    found = {finding.verdict for finding in findings}
    worst = next(verdict for verdict in ("failed", "flagged", "healthy") if verdict in found or verdict == "healthy")
    click.echo(f"{VERDICTS[worst]} {'report':<22} {summary_line(findings)}")


def exit_code(records: list, *, by_name: bool) -> int:
    """0 when all was drawn or skipped for a reason; 1 as told in the help of `export`."""
    statuses = {record.status for record in records}
    return int("failed" in statuses or "drawn" not in statuses or (by_name and "skipped" in statuses))


def _read_config(path: Path | None) -> tuple[dict[str, Any], dict[str, dict]]:
    """(settings of the export, options by plot) of a TOML file."""
    import tomllib

    if path is None:
        return {}, {}
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read, {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no valid TOML: {error}") from None
    options = {name: value for name, value in config.items() if isinstance(value, dict)}
    chosen = {name: value for name, value in config.items() if name not in options}
    for name, value in chosen.items():
        if name not in KEYS:
            raise UnknownName(f"key in {path}", name, KEYS)
        try:
            chosen[name] = Option(name, KEYS[name], None).check(value)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return chosen, options
