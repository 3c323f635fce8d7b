"""Early stopping: which weights are kept when a training resumes with other settings, and what the history says."""

import json
import shutil

import numpy as np
import pytest
import torch

import vaeviz
from vaeviz.analysis.rate_distortion import rate_points
from vaeviz.data.history import row_of_weights
from vaeviz_models import TrainState, evaluate, fit, mlp, open_run, save_run, seeded
from vaeviz_models.runs.checkpoint import load_checkpoint, save_checkpoint
from vaeviz_models.runs.folder import read_history

SETTINGS = {"learning_rate": 0.02, "holdout": 0.25, "device": "cpu", "progress": False}  # overfits within 30 epochs


class Training:
    """A training on noise that can be resumed, with the weights of each epoch."""

    def __init__(self, x):
        self.x, self.after = x, {}
        self.state = TrainState.start(build(), learning_rate=SETTINGS["learning_rate"], device="cpu")

    def run(self, epochs, patience):
        def record(state):
            self.after[state.epoch] = {name: value.clone() for name, value in state.model.state_dict().items()}

        settings = SETTINGS | {"epochs": epochs, "patience": patience}
        return fit(self.state.model, self.x, self.x, resume=self.state, after_epoch=record, **settings)

    @property
    def epoch_of_weights(self):
        weights = self.state.model.state_dict()
        same = (all(torch.equal(weights[name], kept[name]) for name in kept) for kept in self.after.values())
        return list(self.after)[list(same).index(True)]

    def check_history(self):
        """Check that the history marks the epoch of the weights, with their scores."""
        history = self.state.history
        row = row_of_weights(history)
        assert history["epoch"][row] == self.epoch_of_weights == self.state.weights_epoch
        assert history["test_elbo"][row] == evaluate(self.state.model, self.x)["elbo"]


def build():
    return seeded(mlp, (5, 4), hidden=(16,), seed=0)


@pytest.fixture
def training(noise_images):
    return Training(noise_images)


def test_the_history_marks_the_best_epoch(training):
    history = training.run(epochs=100, patience=2)
    assert training.state.epoch < 100
    best = int(np.argmax(history["validation_elbo"]))
    assert history["best"] == [float(row == best) for row in range(len(history["epoch"]))]
    training.check_history()


def test_without_patience_the_last_weights_are_kept_and_nothing_is_marked(training):
    assert "best" not in training.run(epochs=3, patience=None)
    assert training.epoch_of_weights == 3
    training.check_history()


def test_resuming_without_patience_keeps_the_last_weights(training):
    stopped = len(training.run(epochs=100, patience=2)["epoch"])
    history = training.run(epochs=stopped + 3, patience=None)
    assert "best" not in history
    assert training.epoch_of_weights == stopped + 3
    training.check_history()


def test_resuming_without_patience_equals_never_stopping(training, noise_images):
    stopped = len(training.run(epochs=100, patience=2)["epoch"])
    whole = build()
    expected = fit(whole, noise_images, noise_images, epochs=stopped + 3, **SETTINGS)
    assert training.run(epochs=stopped + 3, patience=None) == expected
    assert all(map(torch.equal, training.state.model.state_dict().values(), whole.state_dict().values()))


def test_resuming_a_finished_training_without_patience_keeps_the_last_weights(training):
    stopped = len(training.run(epochs=100, patience=2)["epoch"])
    training.run(epochs=stopped, patience=None)
    assert training.epoch_of_weights == stopped
    training.check_history()


def test_resuming_with_patience_considers_the_epochs_whose_weights_are_known(training):
    """The weights of earlier epochs are lost, so the last epoch before is the first candidate."""
    overfit = 60
    history = training.run(epochs=overfit, patience=None)
    best_before = int(np.argmax(history["validation_elbo"])) + 1
    assert best_before < overfit
    history = training.run(epochs=200, patience=3)
    scores = dict(zip(history["epoch"], history["validation_elbo"]))
    assert training.state.best_epoch == max(range(overfit, training.state.epoch + 1), key=scores.get)
    assert training.state.epoch == training.state.best_epoch + 3 < 200
    training.check_history()


@pytest.mark.parametrize("patience", [2, 100])
def test_resuming_with_the_same_or_a_larger_patience_equals_never_stopping(patience, training, noise_images):
    whole = build()
    expected = fit(whole, noise_images, noise_images, epochs=40, patience=patience, **SETTINGS)
    training.run(epochs=3, patience=2)
    training.run(epochs=40, patience=2)
    assert training.run(epochs=40, patience=patience) == expected
    assert all(map(torch.equal, training.state.model.state_dict().values(), whole.state_dict().values()))
    training.check_history()


def test_more_epochs_update_the_best_epoch(training):
    training.run(epochs=2, patience=50)
    first = training.state.best_epoch
    training.run(epochs=8, patience=50)
    assert training.state.best_epoch > first
    training.check_history()


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory):
    """A run on noise that early stopping ended."""
    from vaeviz_models import TrainConfig
    from vaeviz_models.runs.train_run import train_run

    folder = tmp_path_factory.mktemp("stopped")
    np.savez(folder / "noise.npz", x=np.random.default_rng(0).random((96, 5, 4), dtype=np.float32))
    config = TrainConfig(epochs=200, learning_rate=0.02, holdout=0.25, patience=3, device="cpu")
    train_run("mlp", f"npz:{folder / 'noise.npz'}", folder / "run", model_options={"hidden": (64,)}, config=config)
    return folder / "run"


def test_plots_use_the_epoch_of_the_saved_weights(stopped_run):
    history = vaeviz.open(stopped_run).inputs["history"]
    best = int(np.argmax(history["validation_elbo"]))
    assert best < len(history["epoch"]) - 1
    (point,) = rate_points([stopped_run])
    assert point.rate == history["validation_kl"][best]
    assert point.distortion == -history["validation_log_likelihood"][best]


def test_info_shows_the_epoch_of_the_saved_weights(stopped_run, vaeviz):
    history = read_history(stopped_run)
    best = int(np.argmax(history["validation_elbo"]))
    lines = vaeviz("info", stopped_run).out.splitlines()
    (line,) = (line for line in lines if line.startswith("weights"))
    assert f"epoch {best + 1}:" in line
    assert f"validation_elbo {history['validation_elbo'][best]:.2f}" in line
    assert "best" not in line


def test_a_run_that_is_resumed_without_patience_saves_the_last_weights(stopped_run, vaeviz, tmp_path):
    run = shutil.copytree(stopped_run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["training"]["patience"] = None
    (run / "config.json").write_text(json.dumps(config))
    stopped = load_checkpoint(run)[0].epoch
    assert vaeviz("train", "--resume", run, "--epochs", stopped + 2).code == 0
    state, _, _ = load_checkpoint(run)
    assert (state.epoch, state.best) == (stopped + 2, None)
    saved = open_run(run)[0].state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in state.model.state_dict().items())
    assert "best" not in read_history(run)


def test_resuming_marks_the_best_epoch_of_an_older_run(stopped_run, vaeviz, tmp_path):
    run = shutil.copytree(stopped_run, tmp_path / "run")
    expected = read_history(run)
    state = load_checkpoint(run)[0]
    del state.history["best"]
    save_checkpoint(run, state)
    assert "best" not in read_history(run)
    assert vaeviz("train", "--resume", run).code == 0
    assert read_history(run) == expected


def test_a_model_of_a_script_is_saved_with_its_epoch(training, tmp_path):
    history = training.run(epochs=100, patience=2)
    save_run(tmp_path / "run", training.state.model, history)
    (point,) = rate_points([tmp_path / "run"])
    assert -point.rate - point.distortion == pytest.approx(evaluate(training.state.model, training.x)["elbo"])
