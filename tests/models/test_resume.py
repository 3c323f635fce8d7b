"""`vaeviz train --resume`: the same bytes as if the training had never been stopped, however it was."""

import functools
import os
import signal
import subprocess
import sys
import time

import pytest

from vaeviz_models import Training, open_run, save_run
from vaeviz_models.runs import build, read_config, start_run
from vaeviz_models.training import seeded

EPOCHS = 20
TRAIN = [
    "train",
    "mlp",
    "--data",
    "digits",
    "--hidden",
    "64",
    "--batch-size",
    "8",
    "--holdout",
    "0.1",
    "--patience",
    "50",
]
TRAIN += ["--device", "cpu"]
RESULTS = ("weights.safetensors", "history.csv")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The files that the whole training leaves, by name."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    with started(run) as process:
        assert process.wait(timeout=120) == 0
    return results(run)


def started(run):
    """The training, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "vaeviz", *TRAIN, "--epochs", str(EPOCHS), "--out", str(run)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored in a shell's background
    )


def stopped_midway(run, stop):
    """(exit code, what it said) of a training that was sent the signal `stop` after some epochs."""
    with started(run) as process:
        deadline = time.monotonic() + 120
        while epochs_in(run) < 3:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(stop)
        _, err = process.communicate(timeout=60)
    assert 3 <= epochs_in(run) < EPOCHS
    return process.returncode, err


def epochs_in(run):
    path = run / "history.csv"
    return path.read_text().count("\n") - 1 if path.exists() else 0


def results(run):
    return {name: (run / name).read_bytes() for name in RESULTS}


def test_after_a_kill(uninterrupted, vaeviz, tmp_path):
    run = tmp_path / "run"
    code, _ = stopped_midway(run, signal.SIGKILL)
    assert code == -signal.SIGKILL
    open_run(run)
    done = vaeviz("train", "--resume", run)
    assert done.code == 0
    assert "going on after epoch" in done.out
    assert results(run) == uninterrupted


def test_after_ctrl_c(uninterrupted, vaeviz, tmp_path):
    run = tmp_path / "run"
    code, err = stopped_midway(run, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err
    assert f"go on with vaeviz train --resume {run}" in err
    open_run(run)
    assert vaeviz("info", run).code == 0
    assert vaeviz("train", "--resume", run).code == 0
    assert results(run) == uninterrupted


@pytest.fixture
def short(vaeviz, tmp_path):
    """A run of one epoch."""
    run = tmp_path / "short"
    assert vaeviz(*TRAIN, "--epochs", 1, "--out", run).code == 0
    return run


def test_to_more_epochs_than_first_asked_for(short, uninterrupted, vaeviz):
    assert vaeviz("train", "--resume", short, "--epochs", EPOCHS).code == 0
    assert results(short) == uninterrupted
    assert read_config(short)["training"]["epochs"] == EPOCHS


def test_after_a_kill_between_the_checkpoint_and_the_other_files(short, vaeviz):
    """The checkpoint is written first: the last epoch must not be lost because nothing is left to train."""
    older = results(short)
    assert vaeviz("train", "--resume", short, "--epochs", 2).code == 0
    newer = results(short)
    assert newer != older
    for name, content in older.items():
        (short / name).write_bytes(content)
    assert vaeviz("train", "--resume", short).code == 0
    assert results(short) == newer


def test_a_finished_run_stays_as_it_is(short, vaeviz):
    before = results(short)
    done = vaeviz("train", "--resume", short)
    assert done.code == 0
    assert "going on after epoch 1 of 1" in done.out
    assert results(short) == before


def test_before_the_first_epoch_has_ended(short, vaeviz, tmp_path):
    run = tmp_path / "fresh"
    config = read_config(short)
    start_run(run, config)
    save_run(run, Training.start(seeded(build, config, seed=0), device="cpu"))
    assert vaeviz("info", run).code == 0
    assert vaeviz("train", "--resume", run).code == 0
    assert results(run) == results(short)


def test_a_run_that_does_not_exist(vaeviz, tmp_path):
    assert vaeviz("train", "--resume", tmp_path).error.endswith(
        f": {tmp_path}: is no run folder, it has no config.json"
    )


def test_a_model_has_no_place_beside_it(vaeviz, tmp_path):
    done = vaeviz("train", "--resume", tmp_path, "mlp", "--data", "digits", "--out", tmp_path / "other")
    assert "leave the model's name out" in done.error
