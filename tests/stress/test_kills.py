"""Signals at random times to a training and an export: no file is half written, and a second run completes it."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import matplotlib.image
import pytest

N_KILLS = 1  # of each command, in one round
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TRAIN = ("train", "mlp", "--data", "digits", "--hidden", "16", "--epochs", "6", "--threads", "1")
EXPORT = ("export", "--plots", "latent_scatter,samples,training_curves,traversal", "--dpi", "30", "--out", "figures")
PATIENCE = 20  # seconds that processes have to notice the end of their parent


def exit_codes(sent):
    """Return the exit codes that a signal may lead to; 0 if the command was faster."""
    return {0, -sent, 128 + sent, 130 if sent == signal.SIGINT else 128 + sent}


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check_files(folder):
    """Read all files but the temporary ones of `atomic_path`, whose names start with a dot."""
    from safetensors import safe_open

    for path in folder.rglob("[!.]*"):
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            rows = path.read_text().splitlines()
            assert len({row.count(",") for row in rows}) <= 1, f"{path.name} has rows of different lengths."
        elif path.suffix == ".safetensors":
            with safe_open(path, "np") as file:
                assert list(file.keys())
        elif path.suffix == ".png":
            assert matplotlib.image.imread(path).size


def processes_with(mark):
    """Return the processes whose environment holds a mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it has ended
            continue
    return found


def check_no_orphans(mark):
    """Check that no process of a killed command is left."""
    end = time.monotonic() + PATIENCE
    while processes_with(mark):
        assert time.monotonic() < end, f"processes {processes_with(mark)} outlive the command"
        time.sleep(0.05)


def seconds_of(run):
    started = time.monotonic()
    assert run().code == 0
    return time.monotonic() - started


@pytest.fixture
def try_kills(try_all, rng, rounds, tmp_path):
    """Attempt kills with random signals during a command of some seconds, each in a folder of its own."""

    def run(attempt, seconds):
        kills = [(rng.choice(SIGNALS), rng.uniform(0, 1.1 * seconds)) for _ in range(N_KILLS * rounds)]
        try_all(
            (f"{sent.name} after {after:.3f} s", partial(attempt, tmp_path / str(k), sent, after))
            for k, (sent, after) in enumerate(kills)
        )

    return run


@pytest.fixture(scope="module")
def whole_training(run_command, tmp_path_factory):
    """The files of a training that was not interrupted, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("whole")
    seconds = seconds_of(lambda: run_command(*TRAIN, "--out", "run", folder=folder))
    return contents(folder / "run"), seconds


@pytest.mark.slow
def test_a_killed_training_is_resumed_to_the_same_bytes(whole_training, run_command, try_kills):
    whole, seconds = whole_training

    def attempt(folder, sent, after):
        folder.mkdir()
        done = run_command(*TRAIN, "--out", "run", folder=folder, kill=(sent, after))
        assert done.code in exit_codes(sent), f"{done.code}: {done.err}"
        run = folder / "run"
        check_files(folder)
        if not run.exists():
            return
        resumed = run_command("train", "--resume", "run", folder=folder)
        if not (run / "config.json").exists():
            resumed = run_command(*TRAIN, "--out", "run", folder=folder)
        assert resumed.code == 0, resumed.err
        assert contents(run) == whole

    try_kills(attempt, seconds)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_export_is_repeated_without_leftovers(jobs, run, run_command, tmp_path, try_kills):
    command = (*EXPORT, str(run), "--jobs", jobs)
    seconds = seconds_of(lambda: run_command(*command, folder=tmp_path))
    whole = {name: data for name, data in contents(tmp_path / "figures").items() if name != "timings.json"}

    def attempt(folder, sent, after):
        folder.mkdir()
        mark = f"VAEVIZ_STRESS={folder}"
        env = dict([mark.split("=")])
        done = run_command(*command, folder=folder, env=env, kill=(sent, after))
        assert done.code in exit_codes(sent), f"{done.code}: {done.err}"
        check_no_orphans(mark)
        check_files(folder)
        again = run_command(*command, folder=folder, env=env)
        assert again.code == 0, again.err
        assert {name: data for name, data in contents(folder / "figures").items() if name != "timings.json"} == whole

    try_kills(attempt, seconds)


@pytest.mark.slow
def test_the_temporary_folder_is_left_clean(run, run_command, tmp_path):
    place = tmp_path / "temporary"
    place.mkdir()
    done = run_command(*EXPORT, str(run), folder=tmp_path, env={"TMPDIR": str(place), "JOBLIB_TEMP_FOLDER": str(place)})
    assert done.code == 0, done.err
    assert os.listdir(place) == []
