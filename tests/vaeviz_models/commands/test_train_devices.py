"""``vaeviz train --devices``: one process per device, and what happens when one of them ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vaeviz_models import open_run
from vaeviz_models.runs.folder import read_history

SMALL = ("mlp", "--data", "digits", "--hidden", "16", "--device", "cpu", "--threads", "1", "--batch-size", "32")
EPOCHS = 40


def command(*arguments, module="vaeviz"):
    """Start a module in another process."""
    return subprocess.Popen(
        [sys.executable, "-m", *module.split(), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def children_of(process):
    """Return the numbers of the processes that a process has started, in the order of their start."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    return sorted(int(number) for path in children for number in path.read_text().split())


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_killed_process_ends_all_and_one_process_continues(vaeviz, tmp_path):
    run, whole = tmp_path / "run", tmp_path / "whole"
    with command("train", *SMALL, "--epochs", EPOCHS, "--devices", 2, "--out", run) as process:
        deadline = time.monotonic() + 120
        while not (run / "history.csv").exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(children_of(process)[-1], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "SIGKILL" in err
    assert f"vaeviz train --resume {run}" in err
    assert "Traceback" not in err
    open_run(run)
    n_epochs = len(read_history(run)["epoch"])
    assert 1 <= n_epochs < EPOCHS
    assert vaeviz("train", "--resume", run, "--epochs", n_epochs + 1).code == 0
    assert vaeviz("train", *SMALL, "--epochs", n_epochs + 1, "--out", whole).code == 0
    for column, values in read_history(whole).items():
        np.testing.assert_allclose(read_history(run)[column], values, rtol=1e-4, atol=1e-4, err_msg=column)


@pytest.mark.slow
def test_torchrun_trains_and_reports_an_error_of_all_processes_once(tmp_path):
    torchrun = "torch.distributed.run --standalone --nproc-per-node=2 -m vaeviz_models.train"
    with command(*SMALL, "--epochs", 1, "--out", tmp_path / "run", module=torchrun) as process:
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert len(re.findall("epoch 1/1", out)) == 1
    open_run(tmp_path / "run")
    missing = tmp_path / "missing.npy"
    with command(*SMALL, "--data", missing, "--out", tmp_path / "none", module=torchrun) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert err.count(f"{missing} does not exist") == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (("train", *SMALL, "--nodes", 2), "--rendezvous"),
        (("train", *SMALL, "--devices", 0), "--devices"),
        (("train", "--devices", 2, *SMALL), "--devices"),
    ],
)
def test_wrong_options_are_errors_before_a_process_starts(vaeviz, tmp_path, arguments, token):
    done = vaeviz(*arguments, "--out", tmp_path / "run")
    assert done.code == 2
    assert token in done.err
    assert not (tmp_path / "run").exists()


def test_a_run_that_does_not_exist_is_an_error_before_a_process_starts(vaeviz, tmp_path):
    done = vaeviz("train", "--resume", tmp_path / "none", "--devices", 2)
    assert str(tmp_path / "none") in done.error
