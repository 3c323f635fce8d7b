"""`vaeviz train --resume`: the same bytes as if the training had never been stopped, however it was."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from vaeviz.model.opening import open as vaeviz_open
from vaeviz_models import TrainState, mlp, open_run, save_run
from vaeviz_models.models.builders import build_from_recipe
from vaeviz_models.runs.folder import read_config, save_training, start_run
from vaeviz_models.training.fit import seeded

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
    told = f"{short}: is finished, epoch 1 of 1 is done; to train on, say up to how many: "
    assert done.out == f"{told}vaeviz train --resume {short} --epochs 2\n"
    assert results(short) == before


def test_before_the_first_epoch_has_ended(short, vaeviz, tmp_path):
    run = tmp_path / "fresh"
    config = read_config(short)
    start_run(run, config)
    save_training(run, TrainState.start(seeded(build_from_recipe, config["model"], seed=0), device="cpu"))
    assert not (run / "history.csv").exists()
    assert "history" not in vaeviz_open(run).inputs
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


def stopped_early(vaeviz, run):
    """A run on noise, which is soon learned by heart: early stopping ends it long before its last epoch."""
    np.savez(run.parent / "noise.npz", x=np.random.default_rng(0).random((96, 5, 4), dtype=np.float32))
    settings = ("--hidden", 64, "--epochs", 200, "--learning-rate", 0.02, "--holdout", 0.25, "--patience", 3)
    return vaeviz(
        "train", "mlp", "--data", f"npz:{run.parent / 'noise.npz'}", *settings, "--device", "cpu", "--out", run
    )


def test_a_run_that_stopped_early_says_so_and_stays_as_it_is(vaeviz, tmp_path):
    run = tmp_path / "run"
    first = stopped_early(vaeviz, run)
    last = epochs_in(run)
    message = f"stopped early after epoch {last}, best epoch {last - 3}"
    assert message in first.out
    before = results(run)
    resumed = vaeviz("train", "--resume", run)
    hint = "to train longer, start a new run with a larger --patience"
    assert resumed.out == f"{run}: is finished, {message}; {hint}\n"
    assert results(run) == before


def test_fewer_epochs_than_are_done(short, vaeviz):
    assert vaeviz("train", "--resume", short, "--epochs", 2).code == 0
    before = read_config(short)
    assert f"--epochs 1: {short} has 2 epochs already" in vaeviz("train", "--resume", short, "--epochs", 1).error
    assert read_config(short) == before


X = np.random.default_rng(0).random((40, 5, 4), dtype=np.float32)


@pytest.mark.parametrize(
    "now, message",
    [
        (X[:39], "samples 40, now 39; sha256 "),
        (X.reshape(40, 20), "sample_shape [5, 4], now [20]"),
        (X[::-1], "sha256 "),
        (2 * X, "sha256 "),
    ],
    ids=["fewer", "another shape", "another order", "other values"],
)
def test_data_that_have_changed_since(now, message, vaeviz, tmp_path):
    run, data = tmp_path / "run", tmp_path / "own.npz"
    np.savez(data, x=X)
    train = ("train", "mlp", "--data", f"npz:{data}", "--epochs", 1, "--device", "cpu", "--out", run)
    assert vaeviz(*train).code == 0
    before = results(run)
    np.savez(data, x=now)
    error = vaeviz("train", "--resume", run, "--epochs", 2).error
    assert f"{run}: was trained on other data than npz:{data} now gives: {message}" in error
    assert results(run) == before
    assert read_config(run)["training"]["epochs"] == 1


def test_test_data_are_checked_as_well(vaeviz, tmp_path):
    run, data = tmp_path / "run", tmp_path / "own.npz"
    np.savez(data, x_train=X, x_test=X)
    assert vaeviz("train", "mlp", "--data", f"npz:{data}", "--epochs", 1, "--device", "cpu", "--out", run).code == 0
    for x_test, message in ((3 * X, "takes values in [0, 1]"), (X[:, 1:], "test_x: got samples of shape (4, 4)")):
        np.savez(data, x_train=X, x_test=x_test)
        assert message in vaeviz("train", "--resume", run, "--epochs", 2).error


@pytest.mark.parametrize(
    "part, key, message",
    [
        ("data", "sha256", "does not say what the training data were like"),
        ("data", "name", "is damaged, it does not describe data"),
        ("training", "seed", "does not describe a training, it lacks seed"),
    ],
)
def test_a_config_that_lacks_something(part, key, message, short, vaeviz):
    path = short / "config.json"
    config = json.loads(path.read_text())
    del config[part][key]
    path.write_text(json.dumps(config))
    assert f"{path}: {message}" in vaeviz("train", "--resume", short, "--epochs", 2).error


def test_a_run_that_was_saved_in_a_script(vaeviz, tmp_path):
    save_run(tmp_path / "run", mlp((5, 4)))
    error = vaeviz("train", "--resume", tmp_path / "run").error
    assert "checkpoint.safetensors: does not exist; without it a training cannot go on" in error
