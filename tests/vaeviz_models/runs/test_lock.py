"""Two processes never write one run folder."""

import pytest

from vaeviz.errors import InputError
from vaeviz_models import TrainConfig, open_run, save_run
from vaeviz_models.runs.lock import LOCK_NAME, locked_run
from vaeviz_models.runs.train_run import ResumedRun, train_run

CONFIG = TrainConfig(epochs=1, device="cpu", threads=1)
SMALL = {"model_options": {"hidden": (8,)}, "config": CONFIG}


def contents(run):
    return {path.name: path.read_bytes() for path in run.iterdir()}


@pytest.fixture
def run(tmp_path):
    """A run of one epoch."""
    train_run("mlp", "digits", tmp_path / "run", **SMALL)
    return tmp_path / "run"


def test_a_folder_in_use_is_an_error_and_nothing_in_it_changes(run, vaeviz):
    with locked_run(run):
        before = contents(run)
        with pytest.raises(InputError) as raised:
            train_run("mlp", "digits", run, overwrite=True, **SMALL)
        assert raised.value.got == str(run)
        with pytest.raises(InputError):
            save_run(run, open_run(run)[0], overwrite=True)
        assert f"vaeviz train --resume {run}" in vaeviz("train", "--resume", run, "--epochs", 2).error
        assert contents(run) == before
    assert vaeviz("train", "--resume", run, "--epochs", 2).code == 0


def test_the_lock_leaves_nothing(run):
    assert sorted(contents(run)) == ["checkpoint.safetensors", "config.json", "history.csv", "weights.safetensors"]


def test_the_lock_of_a_killed_process_is_ignored(tmp_path):
    (tmp_path / LOCK_NAME).touch()
    train_run("mlp", "digits", tmp_path, **SMALL)
    assert not (tmp_path / LOCK_NAME).exists()


def test_a_run_that_another_process_continued_is_not_overwritten(run):
    opened, other = ResumedRun(run, epochs=3), ResumedRun(run, epochs=2)
    other.train()
    before = contents(run)
    with pytest.raises(InputError) as raised:
        opened.train()
    assert (raised.value.got, raised.value.expected) == ("2", "1")
    assert contents(run) == before
