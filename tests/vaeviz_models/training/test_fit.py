"""`fit` and `evaluate`: what is trained, scored, kept and refused."""

import functools
import io
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from tqdm import tqdm

import vaeviz
from vaeviz.errors import InputError
from vaeviz_models import VAE, TrainConfig, TrainState, autoencoder, evaluate, fit, gaussian_kl, mlp, seeded
from vaeviz_models.training.fit import train_epoch
from vaeviz_models.training.loaders import MemoryLoader
from vaeviz_models.training.step import TrainStep

QUIET = {"device": "cpu", "progress": False}


@pytest.fixture
def model():
    return small()


def small(seed=0):
    return seeded(mlp, (5, 4), hidden=(16,), seed=seed)


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def rows(batches):
    """Return the distinct samples of some batches."""
    return {tuple(sample.ravel().tolist()) for batch in batches for sample in batch}


def test_training_raises_the_elbo(model, noise_images):
    before = evaluate(model, noise_images)["elbo"]
    history = fit(model, noise_images, noise_images, epochs=20, **QUIET)
    assert before < history["test_elbo"][0] < history["test_elbo"][-1]


def test_the_history_has_both_terms_of_every_set(model, noise_images):
    history = fit(model, noise_images, noise_images[:9], epochs=3, holdout=0.25, **QUIET)
    terms = [f"{part}_{name}" for part in ("train", "validation", "test") for name in ("elbo", "log_likelihood", "kl")]
    assert list(history) == ["epoch", "beta", *terms]
    assert history["epoch"] == [1, 2, 3]
    for part in ("train", "validation", "test"):
        difference = np.subtract(history[f"{part}_log_likelihood"], history[f"{part}_kl"])
        np.testing.assert_allclose(history[f"{part}_elbo"], difference)


def test_the_elbo_of_the_history_is_not_weighted_by_beta(model, noise_images):
    history = fit(model, noise_images, noise_images, epochs=2, beta=7, **QUIET)
    scored = evaluate(model, noise_images)
    assert history["beta"] == [7, 7]
    assert history["test_elbo"][-1] == scored["elbo"] == scored["log_likelihood"] - scored["kl"]


def test_each_epoch_shows_every_sample_once(recording_model, noise_images):
    recorder = recording_model()
    fit(recorder, noise_images, epochs=2, batch_size=40, **QUIET)
    assert [len(batch) for batch in recorder.trained] == [40, 40, 16] * 2
    first, second = recorder.trained[:3], recorder.trained[3:]
    assert rows(first) == rows(second) == rows([noise_images])
    assert not torch.equal(first[0], second[0])


def test_the_loss_is_a_mean_over_the_batch(recording_model, noise_images):
    """The learning rate has the same effect at every batch size."""
    steps = []
    for count in (16, 96):
        recorder = recording_model()
        recorder.weight.register_hook(lambda gradient: steps.append(gradient.item()))
        state = TrainState.start(recorder, device="cpu")
        train_epoch(TrainStep(state, count), MemoryLoader(torch.ones(count, 20)), beta=1.0)
    assert steps == [-20, -20]


def test_the_same_seed_gives_the_same_weights(noise_images):
    one, same, other = small(0), small(0), small(1)
    assert same_weights(one, same)
    assert not same_weights(one, other)
    for model in (one, same):
        fit(model, noise_images, epochs=2, seed=3, **QUIET)
    assert same_weights(one, same)


def test_another_seed_gives_another_order(noise_images):
    one, other = small(), small()
    for seed, model in enumerate((one, other)):
        fit(model, noise_images, epochs=1, seed=seed, **QUIET)
    assert not same_weights(one, other)


def test_global_random_state_is_neither_used_nor_changed(noise_images):
    def states():
        return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()

    first = small()
    fit(first, noise_images, epochs=1, holdout=0.1, **QUIET)
    random.seed(5)
    np.random.seed(5)
    torch.default_generator.manual_seed(5)
    before = states()
    second = small()
    fit(second, noise_images, epochs=1, holdout=0.1, **QUIET)
    assert states() == before
    assert same_weights(first, second)


@pytest.mark.cuda
def test_global_random_state_of_a_gpu_is_kept():
    before = torch.cuda.get_rng_state()
    small(1)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_held_out_samples_are_validated_on_and_never_trained_on(recording_model, noise_images):
    recorder = recording_model()
    history = fit(recorder, noise_images, epochs=3, holdout=0.25, **QUIET)
    trained, scored = rows(recorder.trained), rows(recorder.scored)
    assert len(scored) == 24
    assert len(trained) == 72
    assert not trained & scored
    assert len(history["validation_elbo"]) == 3


def test_a_tiny_holdout_is_one_sample(recording_model, noise_images):
    recorder = recording_model()
    fit(recorder, noise_images, epochs=1, holdout=1e-6, **QUIET)
    assert len(rows(recorder.scored)) == 1


def test_test_samples_are_never_trained_on(recording_model, noise_images):
    recorder = recording_model()
    fit(recorder, noise_images[:80], noise_images[80:], epochs=1, **QUIET)
    assert rows(recorder.trained) == rows([noise_images[:80]])
    assert rows(recorder.scored) == rows([noise_images[80:]])


def test_warmup_is_in_the_history(model, noise_images):
    history = fit(model, noise_images, epochs=5, beta=2.0, warmup=4, **QUIET)
    assert history["beta"] == [0.5, 1.0, 1.5, 2.0, 2.0]


def test_a_heavier_kl_is_a_smaller_kl(noise_images):
    rates = [fit(small(), noise_images, epochs=10, beta=beta, **QUIET)["train_kl"][-1] for beta in (0, 1, 20)]
    assert rates[0] > rates[1] > rates[2]


def test_early_stopping_keeps_the_best_epoch(noise_images):
    """On noise, overfitting soon costs more on the held-out samples than it gains."""
    model, after = small(), []

    def remember(state):
        after.append({name: value.clone() for name, value in state.model.state_dict().items()})

    settings = {"epochs": 200, "learning_rate": 0.02, "holdout": 0.25, "patience": 3}
    history = fit(model, noise_images, after_epoch=remember, **settings, **QUIET)
    best = int(np.argmax(history["validation_elbo"]))
    assert len(history["epoch"]) == best + 1 + 3 < 200
    assert all(torch.equal(value, after[best][name]) for name, value in model.state_dict().items())
    assert not all(torch.equal(value, after[-1][name]) for name, value in model.state_dict().items())


def test_an_autoencoder_stops_early_by_its_log_likelihood(noise_images):
    model = autoencoder((5, 4), hidden=(64,))
    settings = {"epochs": 200, "learning_rate": 0.02, "holdout": 0.25, "patience": 3}
    history = fit(model, noise_images, **settings, **QUIET)
    assert len(history["epoch"]) == np.argmax(history["validation_log_likelihood"]) + 1 + 3 < 200


@pytest.mark.parametrize(
    "settings",
    [{}, {"warmup": 5}, {"holdout": 0.25}, {"holdout": 0.25, "patience": 2, "learning_rate": 0.02}],
    ids=["plain", "warmup", "holdout", "early stopping"],
)
def test_resuming_equals_never_stopping(settings, noise_images):
    whole = small()
    expected = fit(whole, noise_images, noise_images, epochs=8, **settings, **QUIET)
    state = TrainState.start(small(), learning_rate=settings.get("learning_rate", 1e-3), device="cpu")
    for epochs in (1, 5, 8):
        history = fit(state.model, noise_images, noise_images, epochs=epochs, resume=state, **settings, **QUIET)
    assert history == expected
    assert same_weights(state.model, whole)


def test_resuming_continues_from_the_last_epoch_while_the_model_has_the_best(noise_images):
    settings = {"learning_rate": 0.02, "holdout": 0.25}
    whole = small()
    expected = fit(whole, noise_images, epochs=30, patience=30, **settings, **QUIET)
    state = TrainState.start(small(), learning_rate=0.02, device="cpu")
    fit(state.model, noise_images, epochs=30, patience=2, resume=state, **settings, **QUIET)
    assert state.best_epoch < state.epoch < 30
    assert fit(state.model, noise_images, epochs=30, patience=30, resume=state, **settings, **QUIET) == expected
    assert same_weights(state.model, whole)


def test_a_finished_training_does_not_continue(model, noise_images):
    state = TrainState.start(model, device="cpu")
    fit(model, noise_images, epochs=2, resume=state, **QUIET)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    history = fit(model, noise_images, epochs=2, resume=state, **QUIET)
    assert history["epoch"] == [1, 2]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_scores_repeat(model, noise_images):
    assert evaluate(model, noise_images) == evaluate(model, noise_images)
    assert evaluate(model, noise_images, seed=1) != evaluate(model, noise_images)


def test_scores_are_means_over_all_samples(model):
    x = np.random.default_rng(0).random((2500, 5, 4), dtype=np.float32)  # three batches, the last one smaller
    with torch.no_grad():
        kl = gaussian_kl(*model.encode(torch.from_numpy(x))).mean().item()
    assert evaluate(model, x)["kl"] == pytest.approx(kl, rel=1e-5)


def test_diverging_is_an_error(noise_images):
    model = mlp((5, 4), hidden=(16,), likelihood="gaussian", std=1e-3)
    with pytest.raises(InputError) as error:
        fit(model, noise_images, epochs=50, learning_rate=1e4, **QUIET)
    assert "learning_rate, e.g. 5000" in error.value.fix.python
    assert "--learning-rate 5000" in error.value.fix.command_line


class DivergingModel(nn.Module):
    """Model whose log-likelihood is NaN from a certain step on."""

    def __init__(self, first_bad_step):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.first_bad_step, self.n_steps = first_bad_step, 0

    def terms(self, x, generator=None):
        self.n_steps += self.training
        is_bad = self.training and self.n_steps >= self.first_bad_step
        return (self.weight * x).sum() * (torch.nan if is_bad else 1), None


@pytest.mark.parametrize("scored", [False, True])
def test_a_step_that_diverges_is_named_and_the_weights_before_its_epoch_are_kept(scored, noise_images):
    model, after = DivergingModel(first_bad_step=8), []
    settings = {"epochs": 3, "batch_size": 16, "after_epoch": lambda state: after.append(state.model.weight.item())}
    with pytest.raises(InputError) as error:
        fit(model, noise_images, noise_images if scored else None, **settings, **QUIET)
    assert "step 2 of epoch 2" in str(error.value)
    assert "nan" in error.value.got
    assert model.weight.item() == after[-1] != 0
    assert len(after) == 1


def test_the_best_weights_are_kept_when_a_later_epoch_diverges(noise_images):
    model, kept = small(), []

    def spoil(state):
        kept[:] = [value.clone() for value in state.best.values()]
        if state.epoch == state.best_epoch + 2:
            model.decoder.out.bias.data.fill_(torch.nan)

    settings = {"epochs": 200, "learning_rate": 0.02, "holdout": 0.25, "patience": 3, "after_epoch": spoil}
    with pytest.raises(InputError, match="diverged"):
        fit(model, noise_images, **settings, **QUIET)
    assert all(map(torch.equal, model.state_dict().values(), kept))


def test_a_training_stops_soon_after_it_diverges():
    model = DivergingModel(first_bad_step=3)
    with pytest.raises(InputError, match="step 3 of epoch 1"):
        fit(model, np.ones((1000, 2), dtype=np.float32), epochs=1, batch_size=2, **QUIET)
    assert model.n_steps == 100
    assert model.weight.item() == 0


def test_weights_that_diverge_in_the_last_step_are_not_kept(recording_model, noise_images):
    model = recording_model()
    model.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(InputError, match="epoch 1"):
        fit(model, noise_images, epochs=1, batch_size=96, **QUIET)
    assert model.weight.item() == 0


def test_scores_that_are_not_finite_are_an_error(model, noise_images):
    model.encoder.head.mean.bias.data.fill_(torch.nan)
    with pytest.raises(InputError) as error:
        evaluate(model, noise_images)
    assert "nan" in error.value.got


def with_batch_norm():
    model = small()
    model.encoder.features.append(nn.BatchNorm1d(16))
    return model


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_single_last_sample_joins_the_batch_before(recording_model, on_disk, noise_images, tmp_path):
    np.save(tmp_path / "x.npy", noise_images[:33])
    x = np.load(tmp_path / "x.npy", mmap_mode="r") if on_disk else noise_images[:33]
    recorder = recording_model()
    fit(recorder, x, epochs=1, batch_size=8, **QUIET)
    assert [len(batch) for batch in recorder.trained] == [8, 8, 8, 9]
    assert rows(recorder.trained) == rows([noise_images[:33]])
    fit(with_batch_norm(), x, epochs=1, batch_size=8, **QUIET)


@pytest.mark.parametrize("n_samples, batch_size", [(8, 1), (1, 8)])
def test_batch_normalization_of_one_sample_is_an_error(n_samples, batch_size, noise_images):
    with pytest.raises(InputError) as error:
        fit(with_batch_norm(), noise_images[:n_samples], epochs=1, batch_size=batch_size, **QUIET)
    assert "batch_size=2" in error.value.fix.python
    assert "--batch-size 2" in error.value.fix.command_line
    fit(small(), noise_images[:n_samples], epochs=1, batch_size=batch_size, **QUIET)


@pytest.mark.parametrize(
    "settings, got",
    [
        ({"epochs": 0}, "0"),
        ({"holdout": 0.999}, "0.999"),
        ({"patience": 3}, "holdout=0.0"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_wrong_settings_are_an_error(settings, got, model, noise_images):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError) as error:
        fit(model, noise_images, **({"epochs": 1, **QUIET} | settings))
    assert error.value.got == got
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_keywords_replace_the_settings_of_a_config(noise_images):
    config = TrainConfig(epochs=2, beta=3.0, device="cpu")
    history = fit(small(), noise_images, config=config, epochs=1, progress=False)
    assert history == fit(small(), noise_images, epochs=1, beta=3.0, **QUIET)
    assert history["beta"] == [3.0]


def test_an_unknown_setting_is_an_error(noise_images):
    with pytest.raises(TypeError, match="epoch"):
        fit(small(), noise_images, epoch=1, **QUIET)


@pytest.mark.parametrize(
    "x, token",
    [(np.full((4, 5, 4), np.nan), "NaN"), (np.zeros((0, 5, 4)), "(0, 5, 4)"), (np.zeros(4), "(4,)")],
)
def test_unusable_data_are_an_error(x, token, model):
    with pytest.raises(InputError) as error:
        fit(model, x, epochs=1, **QUIET)
    assert str(error.value).startswith("x")
    assert token in str(error.value)


@pytest.mark.parametrize("role", ["x", "test_x"])
def test_values_outside_of_the_likelihood_are_an_error(role, model, noise_images):
    given = {"x": noise_images, "test_x": noise_images} | {role: 2 * noise_images}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError) as error:
        fit(model, **given, epochs=1, **QUIET)
    assert error.value.expected == "[0, 1]"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    fit(mlp((5, 4), likelihood="gaussian"), **given, epochs=1, **QUIET)


def test_samples_of_another_shape_are_an_error(model, noise_images):
    with pytest.raises(InputError, match="test_x") as error:
        fit(model, noise_images, noise_images[:, 1:], epochs=1, **QUIET)
    assert (error.value.got, error.value.expected) == ("(4, 4)", "(5, 4)")


@pytest.mark.parametrize("argument", ["config", "resume", "after_epoch"])
def test_an_argument_of_another_type_is_an_error(argument, model, noise_images):
    with pytest.raises(InputError, match=argument) as error:
        fit(model, noise_images, **{argument: 3}, **QUIET)
    assert error.value.got == "int"


@pytest.mark.parametrize(
    "other, got", [(mlp, "mlp"), (VAE, "class VAE"), (nn.Linear(3, 3), "Linear"), (None, "NoneType")]
)
def test_what_cannot_be_trained_is_an_error(other, got, noise_images):
    for use in (lambda: fit(other, noise_images, epochs=1, **QUIET), lambda: evaluate(other, noise_images)):
        with pytest.raises(InputError) as error:
            use()
        assert got in error.value.got
        assert error.value.fix.python


def test_torch_data_sets_are_trained_on_as_arrays(noise_images):
    data = TensorDataset(torch.from_numpy(noise_images), torch.zeros(len(noise_images)))
    expected = fit(small(), noise_images[:40], epochs=1, **QUIET)
    assert fit(small(), Subset(data, range(40)), epochs=1, **QUIET) == expected
    assert evaluate(small(), data) == evaluate(small(), noise_images)
    with pytest.raises(InputError) as error:
        fit(small(), DataLoader(data, batch_size=8), epochs=1, **QUIET)
    assert error.value.got == "DataLoader"
    assert "Dataset" in error.value.fix.python


def test_the_state_of_another_model_is_an_error(model, noise_images):
    state = TrainState.start(small(), device="cpu")
    with pytest.raises(InputError, match=r"resume\.model"):
        fit(model, noise_images, epochs=1, resume=state, **QUIET)
    assert state.epoch == 0


@pytest.mark.parametrize("scored", [False, True])
def test_every_part_keeps_its_mode(scored, model, noise_images):
    model.eval()
    model.decoder.train()
    before = [part.training for part in model.modules()]
    fit(model, noise_images, noise_images if scored else None, epochs=1, **QUIET)
    assert [part.training for part in model.modules()] == before
    evaluate(model, noise_images)
    assert [part.training for part in model.modules()] == before


def test_the_mode_is_kept_when_the_training_fails(noise_images):
    model = mlp((5, 4), hidden=(16,)).eval()
    model.terms = lambda x, generator: 1 / 0
    with pytest.raises(ZeroDivisionError):
        fit(model, noise_images, epochs=1, **QUIET)
    assert not any(part.training for part in model.modules())


def test_tensors_of_any_type_are_scored(model, noise_images):
    assert evaluate(model, torch.from_numpy(noise_images).double()) == evaluate(model, noise_images)


def test_resuming_with_other_sets_is_an_error(noise_images):
    state = TrainState.start(small(), device="cpu")
    fit(state.model, noise_images, epochs=1, resume=state, **QUIET)
    with pytest.raises(InputError, match="test_x and holdout") as error:
        fit(state.model, noise_images, noise_images, epochs=2, resume=state, **QUIET)
    assert "test_elbo" in error.value.got
    assert "test_elbo" not in error.value.expected
    assert all(len(column) == 1 for column in state.history.values())


def test_the_seed_of_a_resumed_training_is_its_own(noise_images):
    held = {"holdout": 0.25, **QUIET}
    whole = fit(small(), noise_images, epochs=2, seed=7, **held)
    state = TrainState.start(small(), seed=7, device="cpu")
    fit(state.model, noise_images, epochs=1, resume=state, **held)
    assert fit(state.model, noise_images, epochs=2, resume=state, **held) == whole


def test_scored_data_are_checked_as_training_data(model, noise_images):
    for x, expected in ((255 * noise_images, "[0, 1]"), (noise_images[:, None], "(5, 4)")):
        with pytest.raises(InputError) as error:
            evaluate(model, x)
        assert error.value.expected == expected


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_of_another_precision_is_encoded(model, noise_images, dtype):
    expected = vaeviz.encode(model, noise_images).mean
    np.testing.assert_allclose(vaeviz.encode(model.to(dtype), noise_images).mean, expected, atol=0.05)


def test_the_progress_bar_shows_the_terms_of_the_elbo(model, monkeypatch):
    written = io.StringIO()
    bar = functools.partial(tqdm, file=written, mininterval=0)
    monkeypatch.setattr("vaeviz_models.training.fit.tqdm", lambda **settings: bar(**{**settings, "disable": False}))
    x = np.random.default_rng(0).random((130, 5, 4), dtype=np.float32)
    history = fit(model, x, epochs=2, batch_size=1, device="cpu")
    lines = written.getvalue().split("\r")
    assert f"ELBO {history['train_elbo'][-1]:.2f}" in written.getvalue().replace("−", "-")
    assert len({line.partition("ELBO")[2][:8] for line in lines if "ELBO" in line}) >= 3  # also within an epoch
