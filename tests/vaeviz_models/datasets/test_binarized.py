"""Training on pixels of 0 and 1 drawn anew, and a data set drawn once."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import vaeviz as vz
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz_models import TrainState, evaluate, fit, mlp, seeded
from vaeviz_models.runs.folder import read_config, read_history

QUIET = {"device": "cpu", "progress": False}


class Watched(nn.Module):
    """A model that remembers what it was trained on, and what it was scored on."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.trained, self.scored = [], []

    def terms(self, x, generator=None):
        (self.trained if self.training else self.scored).append(x.clone())
        return (self.weight * x).sum(), self.weight.square()


def small():
    return seeded(mlp, (5, 4), hidden=(16,), seed=0)


def test_pixels_are_drawn_anew_with_their_values_as_chances(noise_images):
    watched, epochs = Watched(), 400
    fit(watched, noise_images[:1], epochs=epochs, binarize=True, **QUIET)
    shown = torch.cat(watched.trained)
    assert len(shown) == epochs
    assert set(shown.unique().tolist()) == {0, 1}
    errors = shown.mean(dim=0).numpy() - noise_images[0]
    assert np.abs(errors).max() < 4 * np.sqrt(0.25 / epochs)


def test_scores_are_of_one_draw_that_repeats(noise_images):
    watched = Watched()
    fit(watched, noise_images, noise_images, epochs=2, binarize=True, **QUIET)
    first, second = watched.scored
    assert torch.equal(first, second)
    assert set(first.unique().tolist()) == {0, 1}
    model = small()
    assert evaluate(model, noise_images, binarize=True) == evaluate(model, noise_images, binarize=True)
    assert evaluate(model, noise_images, binarize=True) != evaluate(model, noise_images)


def test_black_and_white_stay_what_they_are(noise_images):
    pixels = (noise_images > 0.5).astype(np.float32)
    watched = Watched()
    fit(watched, pixels, epochs=1, binarize=True, **QUIET)
    shown = torch.cat(watched.trained)
    assert shown.sum().item() == pixels.sum()


@pytest.mark.parametrize("schedule", ["constant", "burda"])
def test_resuming_draws_what_would_have_been_drawn(schedule, noise_images):
    settings = {"binarize": True, "schedule": schedule, "epsilon": 1e-4}
    whole = small()
    expected = fit(whole, noise_images, noise_images, epochs=6, **settings, **QUIET)
    state = TrainState.start(small(), epsilon=1e-4, device="cpu")
    for epochs in (1, 4, 6):
        history = fit(state.model, noise_images, noise_images, epochs=epochs, resume=state, **settings, **QUIET)
    assert history == expected
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), state.model.parameters(), strict=True))


def test_only_chances_can_be_drawn_from(noise_images):
    model = mlp((5, 4), likelihood="gaussian")
    with pytest.raises(InputError, match=r"x: the values lie in \[.*\]; to binarize, they must be chances of a 1"):
        fit(model, 3 * noise_images, epochs=1, binarize=True, **QUIET)


def test_the_learning_rate_follows_the_schedule(noise_images):
    rates = []
    model = small()
    fit(
        model,
        noise_images,
        epochs=14,
        learning_rate=0.01,
        schedule="burda",
        **QUIET,
        after_epoch=lambda state: rates.append(state.optimizer.param_groups[0]["lr"]),
    )
    stages = [0] + [1] * 3 + [2] * 9 + [3]
    assert rates == pytest.approx([0.01 * 10 ** (-stage / 7) for stage in stages])


def test_a_command_trains_so_and_goes_on_to_the_same_bytes(vaeviz, tmp_path):
    train = ("train", "mlp", "--data", "digits", "--hidden", "8,6", "--activation", "tanh", "--latent-dim", 3)
    train += ("--binarize", "true", "--schedule", "burda", "--epsilon", "1e-4", "--device", "cpu")
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    assert vaeviz(*train, "--epochs", 4, "--out", whole).code == 0
    assert vaeviz(*train, "--epochs", 1, "--out", resumed).code == 0
    assert vaeviz("train", "--resume", resumed, "--epochs", 4).code == 0
    for name in ("weights.safetensors", "history.csv"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()
    training = read_config(whole)["training"]
    assert (training["binarize"], training["schedule"], training["epsilon"]) == (True, "burda", 1e-4)
    model = vz.open(whole)
    assert model.data["name"] == "binarized:digits"
    shown = load_data(model.data["name"], split="test")
    assert set(np.unique(shown.x)) == {0, 1}
    kl = vz.encode(model.encoder, shown.x).kl().sum(axis=1).mean()
    assert kl == pytest.approx(read_history(whole)["test_kl"][-1], rel=0.1)  # another draw of the same pixels


def test_other_runs_are_shown_the_data_as_they_are(run):
    assert vz.open(run).data["name"] == "digits"


def test_a_data_set_drawn_once():
    gray, drawn, again = load_data("digits", split="test"), *(load_data("binarized:digits", split="test"),) * 2
    assert drawn.name == "binarized digits"
    assert drawn.x.dtype == np.float32
    assert set(np.unique(drawn.x)) == {0, 1}
    np.testing.assert_array_equal(drawn.x, again.x)
    np.testing.assert_array_equal(drawn.labels, gray.labels)
    sure = (gray.x == 0) | (gray.x == 1)
    np.testing.assert_array_equal(drawn.x[sure], gray.x[sure])
    spread = np.sqrt((gray.x * (1 - gray.x)).sum(axis=0))
    errors = (drawn.x - gray.x).sum(axis=0)
    assert (np.abs(errors) <= 4 * spread).all()


def test_files_of_ones_own_are_drawn_too(vaeviz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x=np.random.default_rng(0).random((40, 6), dtype=np.float32))
    assert vaeviz("train", "mlp", "--data", "binarized:npz:own.npz", "--epochs", 1, "--out", "run").code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["data"]["name"] == f"binarized:npz:{tmp_path / 'own.npz'}"


@pytest.mark.parametrize("name", ["own.npz", "npz:own.npz"])
def test_a_run_finds_its_data_from_any_folder(name, vaeviz, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()  # a folder of that name is not the data set
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x=np.random.default_rng(0).random((40, 6), dtype=np.float32))
    assert vaeviz("train", "mlp", "--data", name, "--epochs", 1, "--out", tmp_path / "run").code == 0
    assert vaeviz("train", "mlp", "--data", "digits", "--epochs", 1, "--out", tmp_path / "other").code == 0
    assert read_config(tmp_path / "other")["data"]["name"] == "digits"
    monkeypatch.chdir("/")
    assert vaeviz("train", "--resume", tmp_path / "run", "--epochs", 2).code == 0


def test_what_cannot_be_drawn_from():
    with pytest.raises(InputError, match=r"binarized: linear-gaussian lies in \[.*\], expected chances of a 1"):
        load_data("binarized:linear-gaussian")
    with pytest.raises(InputError, match="write it as 'binarized:ARGUMENT'"):
        load_data("binarized")


def test_a_run_from_before_there_was_a_choice_goes_on(vaeviz, tmp_path):
    train = ("train", "mlp", "--data", "digits", "--hidden", "8", "--device", "cpu", "--out", tmp_path / "run")
    assert vaeviz(*train, "--epochs", 1).code == 0
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    for name in ("schedule", "epsilon", "binarize"):
        del config["training"][name]
    path.write_text(json.dumps(config))
    assert vz.open(tmp_path / "run").data["name"] == "digits"
    assert vaeviz("train", "--resume", tmp_path / "run", "--epochs", 2).code == 0
