"""``python -m benchmarks [FILE ...] [--data-dir FOLDER] [--rounds N]``: measure, then write RESULTS.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from benchmarks.measuring import measure
from benchmarks.report import write_report

FILES = ("train", "train_quality", "train_gpu", "encode", "draw", "embed", "startup", "figure_set", "memory")


@click.command()
@click.argument("files", nargs=-1, type=click.Choice(FILES))
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="MNIST's IDX files; else downloaded.")
@click.option("--rounds", type=click.IntRange(1), help="Instead of each case's own number.")
@click.option(
    "--only", default="", metavar="TEXT", help="Of the cases those whose names hold this; no others are kept."
)
@click.option("--here", is_flag=True, hidden=True, help="In this process: how each file is started in its own.")
def main(files: tuple[str, ...], data_dir: Path | None, rounds: int | None, only: str, here: bool) -> None:
    """Measure FILES (all of them unless named), each in a process of its own, and write RESULTS.md.

    The records of these files in results/, which are under version control, are replaced.

    Nothing else should run on the machine meanwhile.
    """
    if here:
        measure(files[0], data_dir, rounds, only)
        return
    given = [*(["--data-dir", str(data_dir)] if data_dir else []), *(["--rounds", str(rounds)] if rounds else [])]
    given += ["--only", only] if only else []
    failed = [file for file in files or FILES if _fails([sys.executable, "-m", "benchmarks", file, "--here", *given])]
    click.echo(write_report())
    if failed:
        raise click.ClickException(f"could not measure {', '.join(failed)}; their earlier records, if any, are kept")


def _fails(command: list[str]) -> bool:
    return subprocess.run(command).returncode != 0


if __name__ == "__main__":
    main()
