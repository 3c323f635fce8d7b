"""`vaeviz train --resume` writes the same bytes as a training that was never stopped."""

import functools
import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from vaeviz.cli.main import cli
from vaeviz.model.opening import open as vaeviz_open
from vaeviz_models import TrainState, mlp, open_run, save_run, seeded
from vaeviz_models.models.builders import build_from_recipe
from vaeviz_models.runs.checkpoint import checkpoint_files
from vaeviz_models.runs.folder import config_bytes, read_config, start_run

EPOCHS = 6
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
    """Files of a training that was not interrupted, by name."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert CliRunner().invoke(cli, [*TRAIN, "--epochs", str(EPOCHS), "--out", str(run)]).exit_code == 0
    return results(run)


def start_training(run):
    """Start a training in another process."""
    return subprocess.Popen(
        [sys.executable, "-m", "vaeviz", *TRAIN, "--epochs", str(EPOCHS), "--out", str(run)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored in a shell's background
    )


def stop_midway(run, stop_signal):
    """Send a signal to a training after some epochs, and return its exit code and stderr."""
    with start_training(run) as process:
        deadline = time.monotonic() + 120
        while epochs_in(run) < 2:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(stop_signal)
        _, err = process.communicate(timeout=60)
    assert 2 <= epochs_in(run) < EPOCHS
    return process.returncode, err


def epochs_in(run):
    path = run / "history.csv"
    return path.read_text().count("\n") - 1 if path.exists() else 0


def results(run):
    return {name: (run / name).read_bytes() for name in RESULTS}


@pytest.mark.processes
@pytest.mark.no_cover
def test_resuming_after_a_kill_equals_never_stopping(uninterrupted, vaeviz, tmp_path):
    run = tmp_path / "run"
    code, _ = stop_midway(run, signal.SIGKILL)
    assert code == -signal.SIGKILL
    open_run(run)
    done = vaeviz("train", "--resume", run)
    assert done.code == 0
    assert "after epoch" in done.out
    assert results(run) == uninterrupted


@pytest.mark.parametrize(
    "stop_signal, expected", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.slow
def test_resuming_after_a_signal_equals_never_stopping(stop_signal, expected, uninterrupted, vaeviz, tmp_path):
    run = tmp_path / "run"
    code, err = stop_midway(run, stop_signal)
    assert code == expected
    assert "Traceback" not in err
    assert f"vaeviz train --resume {run}" in err
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


@pytest.mark.no_cover
def test_resuming_with_more_epochs_equals_never_stopping(short, uninterrupted, vaeviz):
    assert vaeviz("train", "--resume", short, "--epochs", EPOCHS).code == 0
    assert results(short) == uninterrupted
    assert read_config(short)["training"]["epochs"] == EPOCHS


def test_resuming_after_a_kill_between_two_files_loses_no_epoch(short, vaeviz):
    """The checkpoint is written first, so the last epoch is not lost even if nothing is left to train."""
    older = results(short)
    assert vaeviz("train", "--resume", short, "--epochs", 2).code == 0
    newer = results(short)
    assert newer != older
    for name, content in older.items():
        (short / name).write_bytes(content)
    assert vaeviz("train", "--resume", short).code == 0
    assert results(short) == newer


def test_a_finished_run_is_not_changed(short, vaeviz):
    before = results(short)
    done = vaeviz("train", "--resume", short)
    assert done.code == 0
    assert f"vaeviz train --resume {short} --epochs 2\n" in done.out
    assert results(short) == before


def test_resuming_before_the_first_epoch_equals_never_stopping(short, vaeviz, tmp_path):
    run = tmp_path / "fresh"
    config = read_config(short)
    state = TrainState.start(seeded(build_from_recipe, config["model"], seed=0), device="cpu")
    start_run(run, {"config.json": config_bytes(config), **checkpoint_files(state)})
    assert not (run / "history.csv").exists()
    assert "history" not in vaeviz_open(run).inputs
    assert vaeviz("info", run).code == 0
    assert vaeviz("train", "--resume", run).code == 0
    assert results(run) == results(short)


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_from_its_config(short, vaeviz, tmp_path):
    run = tmp_path / "fresh"
    start_run(run, {"config.json": (short / "config.json").read_bytes()})
    error = vaeviz(*TRAIN, "--epochs", 1, "--out", run).error
    assert f"vaeviz train --resume {run}" in error
    assert "--overwrite" in error
    done = vaeviz("train", "--resume", run)
    assert "no epoch" in done.out
    assert results(run) == results(short)


def test_advice_for_a_run_without_weights_works_as_it_is_written(short, vaeviz, tmp_path):
    run = tmp_path / "my run"
    start_run(run, {"config.json": (short / "config.json").read_bytes()})
    errors = [vaeviz("info", run).error, vaeviz(*TRAIN, "--epochs", 1, "--out", run).error]
    for error in errors:
        command = shlex.split(error[error.index("vaeviz train") :])
        assert vaeviz(*command[1:]).code == 0
        assert results(run) == results(short)


def test_a_run_that_was_killed_before_its_config_is_trained_anew(short, vaeviz, tmp_path):
    run = tmp_path / "fresh"
    run.mkdir()
    (run / f".weights.{32 * 'a'}.safetensors").write_bytes(b"half")
    assert vaeviz(*TRAIN, "--epochs", 1, "--out", run).code == 0
    assert results(run) == results(short)
    assert not any(path.name.startswith(".") for path in run.iterdir())


@pytest.mark.parametrize("again", ["resume", "overwrite"])
def test_temporary_files_of_a_killed_training_are_removed(again, short, vaeviz):
    left = [short / f".{stem}.{32 * '0'}{suffix}" for stem, suffix in (("history", ".csv"), ("config", ".json"))]
    kept = [short / name for name in (".notes", ".weights.best.safetensors", "notes.txt")]
    for path in (*left, *kept):
        path.write_bytes(b"half")
    args = ("--resume", short) if again == "resume" else (*TRAIN[1:], "--epochs", 1, "--out", short, "--overwrite")
    assert vaeviz("train", *args).code == 0
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_two_threads_give_the_same_bytes_resumed_or_not(vaeviz, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train = ("train", "mlp", "--data", "digits", "--batch-size", 512, "--device", "cpu", "--threads", 2)
    assert vaeviz(*train, "--epochs", 2, "--out", whole).code == 0
    assert vaeviz(*train, "--epochs", 1, "--out", parts).code == 0
    assert vaeviz("train", "--resume", parts, "--epochs", 2).code == 0
    assert results(parts) == results(whole)


def test_a_run_that_does_not_exist_is_an_error(vaeviz, tmp_path):
    error = vaeviz("train", "--resume", tmp_path).error
    assert str(tmp_path) in error
    assert "config.json" in error


def test_resume_and_a_model_exclude_each_other(vaeviz, tmp_path):
    done = vaeviz("train", "--resume", tmp_path, "mlp", "--data", "digits", "--out", tmp_path / "other")
    assert "--resume" in done.error
    assert "mlp" in done.error


def train_until_early_stop(vaeviz, run, patience=3):
    """Train on noise, which overfits soon, so that early stopping ends the run long before its last epoch."""
    np.savez(run.parent / "noise.npz", x=np.random.default_rng(0).random((96, 5, 4), dtype=np.float32))
    settings = ("--hidden", 64, "--epochs", 200, "--learning-rate", 0.02, "--holdout", 0.25, "--patience", patience)
    return vaeviz(
        "train", "mlp", "--data", f"npz:{run.parent / 'noise.npz'}", *settings, "--device", "cpu", "--out", run
    )


def test_a_run_that_stopped_early_is_not_changed(vaeviz, tmp_path):
    run = tmp_path / "run"
    first = train_until_early_stop(vaeviz, run)
    last = epochs_in(run)
    message = f"stopped early after epoch {last}, best epoch {last - 3}"
    assert message in first.out
    before = results(run)
    resumed = vaeviz("train", "--resume", run)
    assert message in resumed.out
    assert f"vaeviz train --resume {run} --patience 6" in resumed.out
    assert results(run) == before


def test_resuming_with_a_larger_patience_equals_never_stopping(vaeviz, tmp_path):
    run, whole = tmp_path / "run", tmp_path / "whole"
    train_until_early_stop(vaeviz, run)
    stopped = epochs_in(run)
    assert vaeviz("train", "--resume", run, "--patience", 6).code == 0
    assert epochs_in(run) > stopped
    assert read_config(run)["training"]["patience"] == 6
    train_until_early_stop(vaeviz, whole, patience=6)
    assert results(run) == results(whole)


def test_a_patience_needs_a_run_with_a_holdout(vaeviz, tmp_path):
    run = tmp_path / "run"
    train = ("train", "mlp", "--data", "digits", "--hidden", 4, "--epochs", 1, "--device", "cpu", "--out", run)
    assert vaeviz(*train).code == 0
    assert "--holdout 0.1" in vaeviz("train", "--resume", run, "--patience", 3).error


def test_fewer_epochs_than_are_done_is_an_error(short, vaeviz):
    assert vaeviz("train", "--resume", short, "--epochs", 2).code == 0
    before = read_config(short)
    assert f"{short} has 2 epochs" in vaeviz("train", "--resume", short, "--epochs", 1).error
    assert read_config(short) == before


X = np.random.default_rng(0).random((40, 5, 4), dtype=np.float32)


@pytest.mark.parametrize(
    "now, changed",
    [
        (X[:39], ["samples", "sha256"]),
        (X.reshape(40, 20), ["sample_shape"]),
        (X[::-1], ["sha256"]),
        (2 * X, ["sha256"]),
    ],
    ids=["fewer", "another shape", "another order", "other values"],
)
def test_changed_data_are_an_error(now, changed, vaeviz, tmp_path):
    run, data = tmp_path / "run", tmp_path / "own.npz"
    np.savez(data, x=X)
    train = ("train", "mlp", "--data", f"npz:{data}", "--epochs", 1, "--device", "cpu", "--out", run)
    assert vaeviz(*train).code == 0
    before = results(run)
    np.savez(data, x=now)
    error = vaeviz("train", "--resume", run, "--epochs", 2).error
    assert f"npz:{data}" in error
    assert [key for key in ("samples", "sample_shape", "sha256") if f"{key} was" in error] == changed
    assert results(run) == before
    assert read_config(run)["training"]["epochs"] == 1


def test_test_data_are_checked_as_well(vaeviz, tmp_path):
    run, data = tmp_path / "run", tmp_path / "own.npz"
    np.savez(data, x_train=X, x_test=X)
    assert vaeviz("train", "mlp", "--data", f"npz:{data}", "--epochs", 1, "--device", "cpu", "--out", run).code == 0
    for x_test, token in ((3 * X, "[0, 1]"), (X[:, 1:], "(4, 4)")):
        np.savez(data, x_train=X, x_test=x_test)
        assert token in vaeviz("train", "--resume", run, "--epochs", 2).error


@pytest.mark.parametrize(
    "part, key, token",
    [("data", "sha256", "fingerprint"), ("data", "name", "data"), ("training", "seed", "seed")],
)
def test_an_incomplete_config_is_an_error(part, key, token, short, vaeviz):
    path = short / "config.json"
    config = json.loads(path.read_text())
    del config[part][key]
    path.write_text(json.dumps(config))
    error = vaeviz("train", "--resume", short, "--epochs", 2).error
    assert str(path) in error
    assert token in error


def test_a_run_that_was_saved_in_a_script_cannot_be_resumed(vaeviz, tmp_path):
    save_run(tmp_path / "run", mlp((5, 4)))
    assert "script" in vaeviz("train", "--resume", tmp_path / "run").error
