"""The conditional VAE: its mathematics against probabilistic PCA within classes, its training and its runs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import vaeviz as v
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError, UnknownName
from vaeviz_models import (
    ConditionalDecoder,
    TrainConfig,
    class_codes,
    classes_of,
    cvae,
    evaluate,
    fit,
    gaussian_kl,
    mlp,
    open_run,
    save_run,
    seeded,
)
from vaeviz_models.runs.folder import read_config, read_history

QUIET = {"device": "cpu", "progress": False}
LATENT_DIM = 3


@pytest.fixture
def labels(noise_images):
    return np.array(["cat", "dog", "bird"])[np.arange(len(noise_images)) % 3]


@pytest.fixture
def model(noise_images):
    return seeded(cvae, noise_images.shape[1:], classes=("bird", "cat", "dog"), hidden=(16,), seed=0)


# The mathematics


@pytest.fixture(scope="module")
def shifted():
    """Linear Gaussian data that are shifted by class: x (N, 16) and classes (N,)."""
    x = load_data("linear-gaussian", split="train").x
    classes = np.arange(len(x)) % 4
    return x + np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)[classes], classes


@pytest.fixture(scope="module")
def trained(shifted):
    x, classes = shifted
    options = {"latent_dim": LATENT_DIM, "hidden": (), "likelihood": "gaussian-learned"}
    model = seeded(cvae, (16,), classes=classes_of(classes), **options, seed=0)
    for learning_rate, epochs in ((3e-2, 20), (3e-3, 10), (5e-4, 10)):
        fit(model, x, None, classes, epochs=epochs, batch_size=100, learning_rate=learning_rate, **QUIET)
    return model


@pytest.mark.no_cover
def test_without_hidden_layers_it_is_probabilistic_pca_within_the_classes(trained, shifted):
    x, classes = shifted
    within = x - np.stack([x[classes == y].mean(axis=0) for y in range(4)])[classes]
    eigenvalues = np.linalg.eigvalsh(np.cov(within.T, bias=True))[::-1]
    kept, noise = eigenvalues[:LATENT_DIM], eigenvalues[LATENT_DIM:].mean()
    optimum = -0.5 * (16 * (np.log(2 * np.pi) + 1) + np.log(kept).sum() + (16 - LATENT_DIM) * np.log(noise))
    elbo = np.mean([evaluate(trained, x, classes, seed=seed)["elbo"] for seed in range(10)])
    assert elbo == pytest.approx(optimum, abs=0.02)
    posterior = v.encode(trained, x, classes)
    variances = np.sort(posterior.std.mean(axis=0) ** 2)
    np.testing.assert_allclose(variances, noise / kept, rtol=0.05)
    np.testing.assert_allclose(np.exp(float(trained.likelihood.log_var.detach())), noise, rtol=0.02)


@pytest.mark.no_cover
def test_the_codes_do_not_depend_on_the_class(trained, shifted):
    x, classes = shifted
    mean = v.encode(trained, x, classes).mean
    for y in range(4):
        np.testing.assert_allclose(mean[classes == y].mean(axis=0), 0, atol=0.05)


def test_terms_are_sums_over_the_batch(model, noise_images):
    x, y = torch.from_numpy(noise_images), torch.arange(len(noise_images)) % 3
    log_likelihood, kl = model.terms(x, torch.Generator().manual_seed(1), y)
    mean, log_var = model.encode(x, y)
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(1))
    z = mean + (0.5 * log_var).exp() * noise
    torch.testing.assert_close(log_likelihood, model.log_likelihood(x, z, y).sum())
    torch.testing.assert_close(kl, gaussian_kl(mean, log_var).sum())
    torch.testing.assert_close(model(x, y, torch.Generator().manual_seed(1))[0], model.decode(z, y))


def test_both_networks_receive_the_class_one_hot(model):
    first = model.encoder.network.features[0], model.decoder.network.features[0]
    assert [layer.in_features for layer in first] == [20 + 3, 2 + 3]
    y, z = torch.tensor([0, 2]), torch.zeros(2, 2)
    hidden = torch.relu(first[1].weight[:, 2 + y].T + first[1].bias)
    torch.testing.assert_close(model.decoder(z, y).flatten(1), model.decoder.network.out(hidden))


# Classes


def test_classes_are_named_and_counted_in_their_order():
    assert classes_of(["b", "a", "b"]) == ("a", "b")
    assert classes_of(np.array([7, 3, 7])) == ("3", "7")
    assert class_codes([7, 3, 7], ("3", "7")).tolist() == [1, 0, 1]
    data = v.Dataset(np.ones((2, 3)), np.array([2, 0]), ("sine", "square", "saw"))
    assert classes_of(data.named_labels()) == ("sine", "square", "saw")  # including classes without samples
    assert class_codes(data.named_labels(), ("saw", "sine", "square")).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "got"),
    [(None, "None"), ([0.5, 1.5], "float64"), (["a", None], "1 missing labels"), (["a", "c"], "c")],
)
def test_labels_that_are_not_classes_are_an_error(labels, got):
    with pytest.raises(InputError, match=r"^mine") as error:
        class_codes(None if labels is None else np.array(labels), ("a", "b"), owner="mine")
    assert error.value.got == got


def test_a_model_without_classes_is_an_error():
    with pytest.raises(InputError) as error:
        cvae((4, 4))
    assert error.value.fix.python == "Pass classes=vaeviz_models.classes_of(labels)."


# Training


def test_fit_trains_on_labels_and_scores_those_of_the_test_data(model, noise_images, labels):
    settings = {"epochs": 3, "holdout": 0.25, "patience": 2}
    history = fit(model, noise_images, noise_images[:9], labels, labels[:9], **settings, **QUIET)
    assert {"train_elbo", "validation_elbo", "test_elbo", "test_kl"} <= set(history)
    assert history["train_elbo"][-1] > history["train_elbo"][0]
    scores = evaluate(model, noise_images[:9], labels[:9])
    assert scores["elbo"] == pytest.approx(history["test_elbo"][-1], rel=1e-5)


def test_fit_needs_labels_exactly_for_a_conditional_model(model, noise_images, labels):
    x = noise_images
    for trained, arguments, owner, got in (
        (model, (x,), "x", "None"),
        (model, (x, x, labels), "test_x", "None"),
        (model, (x, None, labels[:5]), "x", "5"),
        (mlp(x.shape[1:]), (x, None, labels), "x", "a condition"),
    ):
        with pytest.raises(InputError, match=f"^{owner}") as error:
            fit(trained, *arguments, **QUIET)
        assert error.value.got == got


def test_a_training_from_a_file_has_the_same_weights(noise_images, labels, tmp_path):
    np.save(tmp_path / "noise.npy", noise_images)
    models = []
    for x in (noise_images, np.load(tmp_path / "noise.npy", mmap_mode="r")):
        models.append(seeded(cvae, x.shape[1:], classes=("bird", "cat", "dog"), hidden=(16,), seed=0))
        fit(models[-1], x, None, labels, epochs=2, batch_size=20, holdout=0.2, **QUIET)
    assert all(map(torch.equal, *(model.state_dict().values() for model in models)))


@pytest.mark.cuda
def test_replayed_steps_are_plain_steps(noise_images, labels):
    histories = []
    for capturable in (True, False):
        model = seeded(cvae, noise_images.shape[1:], classes=("bird", "cat", "dog"), hidden=(16,), seed=0)
        model.capturable = capturable
        histories.append(fit(model, noise_images, None, labels, epochs=4, batch_size=30, device="cuda", progress=False))
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-3)


# Runs


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    from vaeviz_models.runs.train_run import train_run

    run = tmp_path_factory.mktemp("runs") / "conditional"
    config = TrainConfig(epochs=2, device="cpu")
    train_run("cvae", "digits", run, model_options={"hidden": (16,)}, config=config)
    return run


def test_a_run_records_its_classes_and_opens_as_conditional(digits_run):
    assert read_config(digits_run)["model"]["options"]["classes"] == list("0123456789")
    opened, data = v.open(digits_run), load_data("digits")
    assert opened.encoder.is_conditional
    assert list(opened.decoder.conditions) == list("0123456789")
    posterior = v.encode(opened.encoder, data.x, data.labels)
    network, _ = open_run(digits_run)
    with torch.no_grad():
        mean, _ = network.encode(torch.from_numpy(data.x), torch.from_numpy(data.labels))
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-5, atol=1e-6)
    with pytest.raises(UnknownName) as error:
        v.condition_on(opened.decoder, 10)
    assert error.value.got == "10"


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_a_run_is_drawn_without_further_declarations(digits_run, vaeviz, tmp_path):
    plots = "samples,latent_scatter,reconstruction_pairs,likelihood_bound"
    quick = ("--set", "likelihood_bound.n_draws=5", "--set", "likelihood_bound.max_points=20", "--dpi", 40)
    done = vaeviz("export", digits_run, "--out", tmp_path, "--plots", plots, *quick)
    assert done.code == 0, done.out
    inputs = json.loads((tmp_path / "manifest.json").read_text())["inputs"]
    assert inputs["condition"] == inputs["labels"]


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_a_condition_on_the_command_line_selects_its_samples(digits_run, vaeviz, tmp_path):
    plots = ("--plots", "samples,latent_scatter", "--dpi", 40)
    assert vaeviz("export", digits_run, "--condition", 3, "--out", tmp_path, *plots).code == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["title"] == "conditional given 3 · digits"
    assert manifest["inputs"]["x"]["shape"][0] == np.count_nonzero(load_data("digits").labels == 3)
    assert "condition" not in manifest["inputs"]
    wrong = vaeviz("plot", "samples", digits_run, "--condition", 11, "--out", tmp_path / "samples.png")
    assert "'11'" in wrong.error
    assert "'1'" in wrong.error


def test_explain_shows_the_classes(digits_run, vaeviz):
    done = vaeviz("explain", digits_run)
    assert done.code == 0
    assert done.out.count("0, 1, 2, 3, 4, 5, 6, 7, 8, 9") == 2
    fixed = vaeviz("explain", digits_run, "--condition", 3)
    assert fixed.code == 0
    assert fixed.out != done.out
    assert "classes 0 / 1 / 2" in vaeviz("info", digits_run).out


def test_resuming_equals_never_stopping(vaeviz, tmp_path):
    train = ("train", "cvae", "--data", "digits", "--hidden", 16, "--device", "cpu")
    assert vaeviz(*train, "--epochs", 3, "--out", tmp_path / "whole").code == 0
    assert vaeviz(*train, "--epochs", 1, "--out", tmp_path / "parts").code == 0
    assert vaeviz("train", "--resume", tmp_path / "parts", "--epochs", 3).code == 0
    for name in ("weights.safetensors", "history.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


@pytest.fixture
def train_on_labels(tmp_path, noise_images):
    """Write labeled data, and return the command that trains on them."""

    def write_data(**labels):
        parts = {"x_train": noise_images, "x_test": noise_images[:20]}
        np.savez(tmp_path / "own.npz", **parts, **{f"y_{name}": value for name, value in labels.items()})
        data = f"npz:{tmp_path / 'own.npz'}"
        return ("train", "cvae", "--data", data, "--epochs", 1, "--device", "cpu", "--out", tmp_path / "run")

    return write_data


def test_labels_in_a_file_are_the_condition_by_name(train_on_labels, vaeviz, labels, tmp_path):
    assert vaeviz(*train_on_labels(train=labels, test=labels[:20])).code == 0
    assert "test_elbo" in read_history(tmp_path / "run")
    assert list(v.open(tmp_path / "run").decoder.conditions) == ["bird", "cat", "dog"]
    done = vaeviz("plot", "samples", tmp_path / "run", "--condition", "dog", "--out", tmp_path / "dogs.png")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("train", "test", "token"),
    [
        (None, None, "no labels"),
        (np.linspace(0, 1, 96), np.linspace(0, 1, 20), "float64"),
        (np.arange(96) % 3, np.arange(20) % 4, "own, test data: label '3'"),
    ],
)
def test_unusable_labels_are_an_error_before_a_run_is_written(train_on_labels, vaeviz, tmp_path, train, test, token):
    given = {name: value for name, value in (("train", train), ("test", test)) if value is not None}
    assert token in vaeviz(*train_on_labels(**given)).error
    assert not (tmp_path / "run").exists()


def test_changed_labels_are_changed_data(train_on_labels, vaeviz, labels, tmp_path):
    assert vaeviz(*train_on_labels(train=labels)).code == 2  # the test data have none
    assert vaeviz(*train_on_labels(train=labels, test=labels[:20])).code == 0
    train_on_labels(train=labels[::-1], test=labels[:20])
    error = vaeviz("train", "--resume", tmp_path / "run", "--epochs", 2).error
    assert "classes_sha256" in error


def test_a_model_trained_in_a_script_is_saved_and_opened(model, noise_images, labels, tmp_path):
    history = fit(model, noise_images, None, labels, epochs=1, **QUIET)
    save_run(tmp_path / "run", model, history)
    opened = v.open(tmp_path / "run")
    np.testing.assert_array_equal(
        v.encode(opened.encoder, noise_images, labels).mean, v.encode(model, noise_images, labels).mean
    )
    assert opened.inputs["history"]["epoch"] == [1]


@pytest.mark.filterwarnings("ignore::vaeviz.errors.GuessWarning")
def test_the_networks_know_their_classes(model, noise_images, labels):
    whole = v.encode(model, noise_images, labels)
    np.testing.assert_array_equal(v.encode(model.encoder, noise_images, labels).mean, whole.mean)
    logits = v.decode(v.condition_on(model.decoder, "cat"), np.zeros((2, 2)))
    expected = v.decode(v.condition_on(model, "cat"), np.zeros((2, 2)))
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), expected, rtol=1e-5)
    assert ConditionalDecoder((2, 2), ("a", "b")).classes == ("a", "b")


def test_a_conditional_model_of_a_plugin_is_trained_on_labels(vaeviz, tmp_path, registered):
    def labeled(sample_shape, *, classes: tuple[str, ...] | None = None):
        """Build a conditional VAE of a plugin."""
        return cvae.__wrapped__(sample_shape, classes=classes, hidden=(4,))

    registered.add("vaeviz.models", "labeled", labeled)
    train = ("train", "labeled", "--data", "digits", "--epochs", 1, "--device", "cpu", "--out", tmp_path / "run")
    assert vaeviz(*train).code == 0
    assert SimpleNamespace(**read_config(tmp_path / "run")["model"]).options["classes"] == list("0123456789")
