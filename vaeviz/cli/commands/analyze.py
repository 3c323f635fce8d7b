"""``vaeviz analyze``: check whether a latent space is healthy."""

from __future__ import annotations

from pathlib import Path

import click

from vaeviz.cli.paths import OutputFile
from vaeviz.cli.source import ModelAndDataSpec, check_input_names, model_and_data_options
from vaeviz.cli.types import parse_settings, split_list
from vaeviz.errors import printable_text
from vaeviz.plugins.options import format_value

COLORS = {"✓": "green", "?": "yellow", "!": "red", "–": "yellow", "✗": "red"}


class CommandWithChecks(click.Command):
    """A command whose help ends with every check, its thresholds and their source."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from vaeviz.health.analyze import CHECKS

        with formatter.section("Checks, with their options for --set, the defaults, and the source of the threshold"):
            rows = []
            for name, check in CHECKS.items():
                options = ", ".join(f"{key}={format_value(option.default)}" for key, option in check.options.items())
                rows.append((name, f"{check.question}  [{options}]  Source: {check.source}."))
            formatter.write_dl(rows)


@click.command(cls=CommandWithChecks)
@model_and_data_options
@click.option("--out", type=OutputFile(), help="Write the report, with all its numbers, as JSON.")
@click.option("--checks", metavar="NAME,...", help="Run only these checks, listed below.")
@click.option("--set", "settings", multiple=True, metavar="CHECK.OPTION=VALUE", help="Set an option of a check.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.pass_context
def analyze(
    ctx: click.Context,
    source: ModelAndDataSpec,
    out: Path | None,
    checks: str | None,
    settings: tuple[str, ...],
    seed: int,
) -> None:
    """Check whether a latent space is healthy.

    Runs every check that MODEL and data allow and prints one line for each: collapsed dimensions, holes, mismatch with
    the prior, reconstruction, neighbors, and more. Checks that do not apply are listed with the reason.

    Exit code 0: the checks ran, whether or not they flagged something; --out keeps the results for a script. 1: a check
    failed, or none applied. 2: wrong usage or input.
    """
    from vaeviz.data.atomic_files import report_write_errors
    from vaeviz.health.analyze import analyze as run_analysis
    from vaeviz.health.report import format_table

    if source.is_empty:
        raise click.UsageError("There is nothing to analyze. Name MODEL, --encoder, --decoder or --input, and --data.")
    options = parse_settings(settings, "CHECK", "holes.max_mass=0.1")
    model, data, supplied = source.open()
    check_input_names(supplied, run_analysis, ctx.command)
    title = " · ".join(part for part in (model and model.name, data and data.name) if part)
    report = run_analysis(model, data, checks=split_list(checks), settings=options, seed=seed, title=title, **supplied)
    for line in format_table(report, for_command_line=True):
        text = printable_text(line)
        click.echo(click.style(text[0], fg=COLORS[text[0]]) + text[1:] if text[:1] in COLORS else text)
    if out is not None:
        with report_write_errors(out):
            report.save(out)
        click.echo(out)
    has_result = any(result.value is not None for result in report.checks)
    ctx.exit(int(bool(report.names_with_status("failed")) or not has_result))
