"""Shared by the attacks: how many there are, their seed, and the table of what was tried and what failed.

``make test`` runs one round with a fixed seed. ``make stress`` runs many; ``--stress-seed`` gives it others.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import traceback
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

ATTEMPTS = "attempts and failures"
FOLDER = Path(__file__).parent
FORK_SERVER = FOLDER / "fork_server.py"


def pytest_addoption(parser):
    group = parser.getgroup("stress")
    group.addoption("--stress-seed", type=int, default=0, help="Seed of the attacks.")
    group.addoption("--stress-rounds", type=int, default=1, help="How many times as many attacks as in `make test`.")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.stress)


def pytest_terminal_summary(terminalreporter):
    """Print attempts and failures of each kind of attack."""
    counts = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for _, (tried, failed) in (pair for pair in report.user_properties if pair[0] == ATTEMPTS):
            kind = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_").replace("_", " ")
            counts.setdefault(kind, Counter()).update(attempts=tried, failures=failed)
    if counts:
        terminalreporter.section("attacks")
        for kind, count in counts.items():
            terminalreporter.write_line(f"{kind:20} {count['attempts']:7} attempts {count['failures']:5} failures")


@pytest.fixture
def rounds(request):
    """How many times as many attacks as in `make test`."""
    return request.config.getoption("--stress-rounds", default=1)


@pytest.fixture
def rng(request):
    """Random numbers that differ from test to test, and not from run to run."""
    return random.Random(f"{request.config.getoption('--stress-seed', default=0)} {request.node.name}")


@pytest.fixture
def try_all(request):
    """Run pairs of a description and a function, and fail with all that raised something."""

    def run(attempts):
        n_attempts, failures = 0, []
        for description, attempt in attempts:
            n_attempts += 1
            try:
                attempt()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failures.append(f"{description}\n    {type(error).__name__}: {str(error)[:500]} ({_origin(error)})")
        request.node.user_properties.append((ATTEMPTS, (n_attempts, len(failures))))
        if failures:
            pytest.fail(f"{len(failures)} of {n_attempts} failed:\n" + "\n".join(failures), pytrace=False)

    return run


def _origin(error):
    """Return the last line of our own that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "vaeviz" in Path(frame.filename).parts] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


@pytest.fixture(scope="session")
def run_command(tmp_path_factory):
    """Run a command line in a process of its own, with limits; see ``fork_server.py``.

    The imports are done once, so that a run costs a tenth of a second.
    """
    log = (tmp_path_factory.mktemp("fork_server") / "log").open("w+")
    server = subprocess.Popen(
        [sys.executable, FORK_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    )

    def run(*args, folder, env=(), **limits):
        job = {"args": list(map(str, args)), "folder": str(folder), "env": dict(env), **limits}
        print(json.dumps(job), file=server.stdin, flush=True)
        line = server.stdout.readline()
        assert line, f"The fork server ended: {Path(log.name).read_text()}"
        return SimpleNamespace(**json.loads(line))

    yield run
    server.stdin.close()
    server.wait()
    server.stdout.close()
    log.close()
