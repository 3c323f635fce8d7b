"""``vaeviz train --watch``, ``--log`` and ``--keep-epochs``, and the progress that is printed."""

import re
import sys

import numpy as np
import pytest

from vaeviz_models.runs.folder import read_history

SMALL = ("mlp", "--data", "digits", "--device", "cpu", "--threads", 1, "--hidden", "16")
RUN_FILES = ("config.json", "checkpoint.safetensors", "weights.safetensors", "history.csv")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


def test_watching_changes_no_file_of_the_run(vaeviz, tmp_path):
    plain, watched = tmp_path / "plain", tmp_path / "watched"
    assert vaeviz("train", *SMALL, "--epochs", 2, "--out", plain).code == 0
    watch = ("--watch", "latent_scatter,samples", "--every", "2", "--keep-epochs")
    assert vaeviz("train", *SMALL, "--epochs", 2, "--out", watched, *watch).code == 0
    assert [path.name for path in (watched / "watch" / "latent_scatter").iterdir()] == ["000002.png"]
    assert (watched / "watch" / "samples" / "000002.png").exists()
    assert (watched / "watch" / "index.html").exists()
    for name in RUN_FILES:
        assert (plain / name).read_bytes() == (watched / name).read_bytes()


def test_a_conditional_model_is_drawn_under_its_labels(vaeviz, out):
    done = vaeviz("train", "cvae", *SMALL[1:], "--epochs", 1, "--out", out, "--watch", "samples")
    assert done.code == 0, done.err
    assert (out / "watch" / "samples" / "000001.png").exists()


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (("--watch", "latent_scater"), "latent_scatter"),
        (("--watch", "samples", "--every", "0"), "--every"),
        (("--watch", "samples", "--every", "often"), "--every"),
        (("--every", "2"), "--watch"),
        (("--log", "tensorbord:logs"), "tensorboard"),
        (("--log", "tensorboard"), "tensorboard:FOLDER"),
        (("--max-fraction", "2"), "--max-fraction"),
    ],
)
def test_wrong_options_are_errors_before_anything_is_written(vaeviz, out, arguments, token):
    done = vaeviz("train", *SMALL, "--out", out, *arguments)
    assert done.code == 2
    assert token in done.err
    assert not out.exists()


def test_a_tracker_that_is_not_installed_is_an_error_before_the_training(vaeviz, out, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    done = vaeviz("train", *SMALL, "--out", out, "--log", "mlflow:runs")
    assert done.code == 2
    assert "pip install" in done.err
    assert not out.exists()


@pytest.mark.adapters
def test_scores_and_figures_are_sent_to_tensorboard(vaeviz, out, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    arguments = ("--watch", "latent_scatter", "--log", f"tensorboard:{tmp_path / 'logs'}")
    assert vaeviz("train", *SMALL, "--epochs", 2, "--out", out, *arguments).code == 0
    events = EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    scores = [one.value for one in events.Scalars("test_elbo")]
    np.testing.assert_allclose(scores, read_history(out)["test_elbo"], rtol=1e-6)
    assert [one.step for one in events.Images("latent_scatter")] == [1, 2]


def test_a_plot_that_fails_warns_and_the_training_ends_well(vaeviz, out):
    done = vaeviz("train", *SMALL, "--epochs", 2, "--out", out, "--watch", "training_curves,disentanglement")
    assert done.code == 0
    assert len(re.findall("No figure disentanglement", done.err)) == 1
    assert (out / "watch" / "training_curves" / "000002.png").exists()
    assert len(read_history(out)["epoch"]) == 2


def test_the_curves_of_a_resumed_run_begin_with_its_first_epoch(vaeviz, out, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "vaeviz.callbacks.watch.Watch._draw", lambda self, *_: drawn.append(self.history["epoch"][:]) or {}
    )
    assert vaeviz("train", *SMALL, "--epochs", 1, "--out", out).code == 0
    assert vaeviz("train", "--resume", out, "--epochs", 2, "--watch", "training_curves").code == 0
    assert drawn == [[1, 2]]


def test_display_options_must_follow_the_model(vaeviz, out):
    done = vaeviz("train", "--log", "tensorboard:logs", "mlp", "--data", "digits", "--out", out)
    assert done.code == 2


def test_a_resumed_run_goes_on_keeping_its_epochs(vaeviz, out):
    def kept():
        return sorted(int(path.stem) for path in (out / "epochs").iterdir())

    assert vaeviz("train", *SMALL, "--epochs", 1, "--out", out, "--keep-epochs").code == 0
    assert kept() == [0, 1]
    resume = ("train", "--resume", out, "--epochs", 2, "--watch", "samples")
    assert vaeviz(*resume).code == 0
    assert kept() == [0, 1, 2]
    assert (out / "watch" / "samples" / "000002.png").exists()
    assert vaeviz("train", *SMALL, "--epochs", 1, "--out", out, "--overwrite").code == 0
    assert not (out / "epochs").exists()


def test_on_a_terminal_a_bar_shows_the_scores_and_one_line_is_left(vaeviz, out, monkeypatch):
    monkeypatch.setattr("vaeviz_models.commands.train._shows_bar", lambda: True)
    done = vaeviz("train", *SMALL, "--epochs", 3, "--out", out)
    assert re.findall(r"epoch (\d)/3", done.out) == ["3"]
