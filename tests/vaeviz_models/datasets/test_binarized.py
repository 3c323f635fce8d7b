"""Binary pixels: drawn in every epoch of a training, or once in a data set."""

import json

import numpy as np
import pytest
import torch

import vaeviz as vz
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz_models import TrainState, evaluate, fit, mlp, seeded
from vaeviz_models.runs.folder import read_config, read_history

QUIET = {"device": "cpu", "progress": False}


def small_model():
    return seeded(mlp, (5, 4), hidden=(16,), seed=0)


def test_pixels_are_drawn_in_every_epoch_with_their_values_as_probabilities(recording_model, noise_images):
    recording, epochs = recording_model(), 400
    fit(recording, noise_images[:1], epochs=epochs, binarize=True, **QUIET)
    shown = torch.cat(recording.trained)
    assert len(shown) == epochs
    assert set(shown.unique().tolist()) == {0, 1}
    errors = shown.mean(dim=0).numpy() - noise_images[0]
    assert np.abs(errors).max() < 4 * np.sqrt(0.25 / epochs)


def test_scores_use_the_same_draw_every_time(recording_model, noise_images):
    recording = recording_model()
    fit(recording, noise_images, noise_images, epochs=2, binarize=True, **QUIET)
    first, second = recording.scored
    assert torch.equal(first, second)
    assert set(first.unique().tolist()) == {0, 1}
    model = small_model()
    assert evaluate(model, noise_images, binarize=True) == evaluate(model, noise_images, binarize=True)
    assert evaluate(model, noise_images, binarize=True) != evaluate(model, noise_images)


def test_binary_pixels_do_not_change(recording_model, noise_images):
    pixels = (noise_images > 0.5).astype(np.float32)
    recording = recording_model()
    fit(recording, pixels, epochs=1, binarize=True, **QUIET)
    shown = torch.cat(recording.trained)
    assert shown.sum().item() == pixels.sum()


@pytest.mark.parametrize("schedule", ["constant", "burda"])
def test_a_resumed_training_draws_the_same_pixels(schedule, noise_images):
    settings = {"binarize": True, "schedule": schedule, "epsilon": 1e-4}
    whole = small_model()
    expected = fit(whole, noise_images, noise_images, epochs=6, **settings, **QUIET)
    state = TrainState.start(small_model(), epsilon=1e-4, device="cpu")
    for epochs in (1, 4, 6):
        history = fit(state.model, noise_images, noise_images, epochs=epochs, resume=state, **settings, **QUIET)
    assert history == expected
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), state.model.parameters(), strict=True))


def test_values_outside_the_unit_interval_cannot_be_drawn_in_training(noise_images):
    model = mlp((5, 4), likelihood="gaussian")
    with pytest.raises(InputError, match=r"x .*\[0, 1\]"):
        fit(model, 3 * noise_images, epochs=1, binarize=True, **QUIET)


def test_the_learning_rate_follows_the_schedule(noise_images):
    rates = []
    model = small_model()
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


def test_a_resumed_binarized_run_ends_with_the_same_bytes(vaeviz, tmp_path):
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


def test_runs_without_binarization_name_the_original_data(run):
    assert vz.open(run).data["name"] == "digits"


def test_a_binarized_data_set_is_the_same_every_time():
    gray, binary, again = load_data("digits", split="test"), *(load_data("binarized:digits", split="test"),) * 2
    assert binary.name == "binarized digits"
    assert binary.x.dtype == np.float32
    assert set(np.unique(binary.x)) == {0, 1}
    np.testing.assert_array_equal(binary.x, again.x)
    np.testing.assert_array_equal(binary.labels, gray.labels)
    is_certain = (gray.x == 0) | (gray.x == 1)
    np.testing.assert_array_equal(binary.x[is_certain], gray.x[is_certain])
    spread = np.sqrt((gray.x * (1 - gray.x)).sum(axis=0))
    errors = (binary.x - gray.x).sum(axis=0)
    assert (np.abs(errors) <= 4 * spread).all()


def test_files_can_be_binarized(vaeviz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x=np.random.default_rng(0).random((40, 6), dtype=np.float32))
    assert vaeviz("train", "mlp", "--data", "binarized:npz:own.npz", "--epochs", 1, "--out", "run").code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["data"]["name"] == f"binarized:npz:{tmp_path / 'own.npz'}"


@pytest.mark.parametrize("name", ["own.npz", "npz:own.npz"])
def test_a_run_finds_its_data_from_another_folder(name, vaeviz, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()  # a folder of that name is not the data set
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x=np.random.default_rng(0).random((40, 6), dtype=np.float32))
    assert vaeviz("train", "mlp", "--data", name, "--epochs", 1, "--out", tmp_path / "run").code == 0
    assert vaeviz("train", "mlp", "--data", "digits", "--epochs", 1, "--out", tmp_path / "other").code == 0
    assert read_config(tmp_path / "other")["data"]["name"] == "digits"
    monkeypatch.chdir("/")
    assert vaeviz("train", "--resume", tmp_path / "run", "--epochs", 2).code == 0


def test_values_outside_the_unit_interval_cannot_be_binarized():
    with pytest.raises(InputError, match="linear-gaussian") as raised:
        load_data("binarized:linear-gaussian")
    assert raised.value.expected == "0 to 1"
    with pytest.raises(InputError) as raised:
        load_data("binarized")
    assert raised.value.expected == "binarized:ARGUMENT"


def test_a_run_without_the_new_settings_can_be_resumed(vaeviz, tmp_path):
    train = ("train", "mlp", "--data", "digits", "--hidden", "8", "--device", "cpu", "--out", tmp_path / "run")
    assert vaeviz(*train, "--epochs", 1).code == 0
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    for name in ("schedule", "epsilon", "binarize"):
        del config["training"][name]
    path.write_text(json.dumps(config))
    assert vz.open(tmp_path / "run").data["name"] == "digits"
    assert vaeviz("train", "--resume", tmp_path / "run", "--epochs", 2).code == 0
