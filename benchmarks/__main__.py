"""Run benchmarks and write RESULTS.md: ``python -m benchmarks [FILE ...] [--data-dir FOLDER] [--rounds N]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from benchmarks.report import write_report
from benchmarks.runner import measure

TRAINING = ("train", "train_quality", "train_gpu", "busy")
FILES = (*TRAINING, "gpu", "encode", "draw", "embed", "startup", "figure_set", "memory", "large")


@click.command()
@click.argument("files", nargs=-1, type=click.Choice(FILES))
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, exists=True),
    help="Folder with the IDX files of MNIST.  [default: downloaded]",
)
@click.option("--rounds", type=click.IntRange(1), help="Number of rounds.  [default: that of each case]")
@click.option("--only", default="", metavar="TEXT", help="Measure and keep only cases whose name contains this.")
@click.option("--here", is_flag=True, hidden=True, help="Measure in this process.")
def main(files: tuple[str, ...], data_dir: Path | None, rounds: int | None, only: str, here: bool) -> None:
    """Measure FILES, by default all, each in its own process, and write RESULTS.md.

    This replaces the records of these files in results/, which are under version control.

    Nothing else should run on the machine in the meantime.
    """
    if here:
        measure(files[0], data_dir, rounds, only)
        return
    options = [*(["--data-dir", str(data_dir)] if data_dir else []), *(["--rounds", str(rounds)] if rounds else [])]
    options += ["--only", only] if only else []
    failed = [file for file in files or FILES if _run_file(file, options) != 0]
    click.echo(write_report())
    if failed:
        raise click.ClickException(f"{', '.join(failed)} could not be measured. Earlier records are kept.")


def _run_file(file: str, options: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "benchmarks", file, "--here", *options]).returncode


if __name__ == "__main__":
    main()
