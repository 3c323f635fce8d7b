"""Files that cannot be written: one line and exit code 2, and what was there before is still there."""

from __future__ import annotations

import os
import shutil
from functools import partial

import pytest

N_LIMITS = 1  # of each command, in one round
LARGEST = 60_000  # bytes, about the size of the largest file of these commands
COMMANDS = {
    "train": ["train", "mlp", "--data", "digits", "--hidden", "8", "--epochs", "1", "--out", "out", "--overwrite"],
    "resume": ["train", "--resume", "run", "--epochs", "3"],
    "export": ["export", "run", "--plots", "latent_scatter,samples", "--dpi", "150", "--out", "out"],
    "plot": ["plot", "samples", "run", "--out", "out/samples.pdf"],
    "encode": ["encode", "run", "--out", "out/codes.csv"],
    "analyze": ["analyze", "run", "--checks", "collapsed", "--out", "out/report.json"],
}


REPLACED = {"train": {"out/history.csv"}}  # a run that starts in place of another has no epoch yet


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def place(tmp_path, run, run_command):
    """Return folders in which each command has run before."""

    def make(name):
        folder = tmp_path / name
        (folder / "out").mkdir(parents=True)
        shutil.copytree(run, folder / "run")
        assert run_command(*COMMANDS[name], folder=folder).code == 0
        return folder

    return make


def check(done, before, folder, replaced=frozenset()):
    """Check that a command succeeded, or failed in one line and left all files but those that it replaces."""
    if done.code == 0:
        return
    assert done.code == 2, f"{done.code}: {done.err[-300:]}"
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, done.err[-500:]
    after = contents(folder)
    assert set(before) - set(after) <= replaced, f"lost {set(before) - set(after)}"
    assert not [name for name in after if os.path.basename(name).startswith(".")], "temporary files are left"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "plot" else [pytest.mark.slow]) for name in COMMANDS]
)
def test_a_file_size_limit_is_one_error(name, place, run_command, try_all, rng, rounds):
    folder = place(name)
    before = contents(folder)

    def attempt(limit):
        done = run_command(*COMMANDS[name], folder=folder, file_size=limit)
        check(done, before, folder, REPLACED.get(name, frozenset()))

    limits = [int(LARGEST ** rng.random()) for _ in range(N_LIMITS * rounds)]
    try_all((f"{limit} bytes", partial(attempt, limit)) for limit in limits)


@pytest.mark.slow
def test_folders_that_cannot_be_written_are_one_error(place, run_command, try_all, tmp_path):
    def attempt(name, make):
        folder = tmp_path / name / "other"
        shutil.copytree(tmp_path / name / "run", folder / "run")
        make(folder / "out")
        done = run_command(*COMMANDS[name], folder=folder)
        assert done.code in (0, 2), f"{done.code}: {done.err[-300:]}"
        assert done.err.count("Error: ") == (done.code == 2), done.err[-500:]
        shutil.rmtree(folder)

    kinds = {
        "a file": lambda path: path.write_text("mine"),
        "a link to itself": lambda path: path.symlink_to(path),
        "a link to nothing": lambda path: path.symlink_to("nothing/at/all"),
        "a full device": lambda path: path.symlink_to("/dev/full"),
        "in /proc": lambda path: path.symlink_to("/proc/self"),
    }
    names = ("export", "encode")
    for name in names:
        place(name)
    try_all((f"{name}: {kind}", partial(attempt, name, make)) for name in names for kind, make in kinds.items())
