from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click

from vaeviz.cli.source import ModelAndDataSpec, model_and_data_options
from vaeviz.cli.types import parse_settings, split_list
from vaeviz.errors import InputError
from vaeviz.plugins.options import format_default

COLORS = {"✓": "green", "!": "red", "–": "yellow", "✗": "red"}


class WithThresholds(click.Command):
    """A command whose help ends with every finding, its thresholds and their source."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from vaeviz.health.analyze import CHECKS

        with formatter.section("Findings, with the options of --set, their defaults, and the source of the threshold"):
            formatter.write_dl([(name, _told(question)) for name, question in CHECKS.items()])


@click.command(cls=WithThresholds)
@model_and_data_options
@click.option("--out", type=click.Path(path_type=Path), help="Write the report, with all its numbers, as JSON.")
@click.option("--findings", metavar="NAME,...", help="Only these, as listed below.")
@click.option("--set", "settings", multiple=True, metavar="FINDING.OPTION=VALUE", help="An option of a finding.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.pass_context
def analyze(
    ctx: click.Context,
    source: ModelAndDataSpec,
    out: Path | None,
    findings: str | None,
    settings: tuple[str, ...],
    seed: int,
) -> None:
    """Say whether a latent space is healthy.

    Answers what MODEL and data allow, each in a line: collapsed dimensions, holes, codes off the prior, reconstruction,
    neighbors, and more. What does not apply is listed with the reason.

    Exit code 0, whatever is flagged: that is an answer, and report.json holds it for a script. 1: a finding failed, or
    none applied. 2: wrong usage or input.
    """
    from vaeviz.health.analyze import analyze as report_of
    from vaeviz.health.report import format_table

    if source.is_empty:
        raise click.UsageError("nothing to analyze: give MODEL, --encoder, --decoder or --input, and --data")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist")
    options = parse_settings(settings, "FINDING", "holes.max_mass=0.1")
    model, data, supplied = source.open()
    taken = sorted(set(supplied) & set(inspect.signature(report_of).parameters))
    if taken:
        raise click.UsageError(f"--input {taken[0]}=...: is an argument of the analysis itself, no input of a finding")
    title = " · ".join(part for part in (model and model.name, data and data.name) if part)
    report = report_of(model, data, findings=split_list(findings), settings=options, seed=seed, title=title, **supplied)
    for line in format_table(report, told=str):
        click.echo(click.style(line[0], fg=COLORS[line[0]]) + line[1:] if line[:1] in COLORS else line)
    if out is not None:
        report.save(out)
        click.echo(out)
    answered = report.named("healthy") + report.named("flagged")
    ctx.exit(int(bool(report.named("failed")) or not answered))


def _told(question: Any) -> str:
    options = ", ".join(f"{name}={format_default(option.default)}" for name, option in question.options.items())
    return f"{question.summary}  [{options}]  Source: {question.source}."
