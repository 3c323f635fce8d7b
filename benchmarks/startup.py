"""How long the command line takes to say what it can do, beside the import of click alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.cases import Case


def cases(_: Path | None) -> list[Case]:
    """`vaeviz --help` with the commands of all plug-ins, and `vaeviz list`, each in a new process."""
    vaeviz = str(Path(sys.executable).with_name("vaeviz"))
    works = {
        "vaeviz --help": lambda: _run(vaeviz, "--help"),
        "vaeviz list": lambda: _run(vaeviz, "list"),
        'python -c "import click"': lambda: _run(sys.executable, "-c", "import click"),
    }
    for work in works.values():
        work()
    peer = 'python -c "import click"'
    ours = {name: work for name, work in works.items() if name != peer}
    return [
        Case("the command line starts", ours, {peer: works[peer]}, goal={"vaeviz --help": 3.0}, rounds=15),
    ]


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
