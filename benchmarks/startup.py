"""Start-up of the command line, with the commands of plug-ins, compared with Python and click alone."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.cases import Case

HEAVY_LIBRARIES = ("torch", "sklearn", "seaborn", "pandas", "scipy", "matplotlib", "matplotlib.pyplot", "numpy")
COMMANDS = ("--help", "list")
RUN = "import sys\nfrom vaeviz.cli.main import main\ntry:\n    main([{command!r}])\nexcept SystemExit:\n    pass\n"


def cases(_: Path | None) -> list[Case]:
    """Return one case per command, after a first run that compiles and caches its files."""
    return [_case(command) for command in COMMANDS]


def _case(command: str) -> Case:
    ours = partial(_run_command, [str(Path(sys.executable).with_name("vaeviz")), command])
    click = partial(_run_command, [sys.executable, "-c", "import click"])
    for work in (ours, click):
        work()
    return Case(
        name=f"vaeviz {command}",
        ours={f"vaeviz {command}": ours},
        peers={'python -c "import click"': click},
        goal={f"vaeviz {command}": 3.0} if command == "--help" else {},
        check=lambda _: _describe_imports(command),
        rounds=20,
    )


def _describe_imports(command: str) -> str:
    code = (
        RUN.format(command=command)
        + f"print([name for name in {HEAVY_LIBRARIES} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stderr.strip().splitlines()[-1].strip("[]").replace("'", "")
    return f"It imports {found or 'nothing'} out of {', '.join(HEAVY_LIBRARIES)}"


def _run_command(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
