"""On CUDA a step is captured once and replayed: to the numbers of plain steps, seeded, and resumable."""

import numpy as np
import pytest
import torch

from vaeviz.errors import InputError
from vaeviz_models import TrainState, autoencoder, conv, fit, mlp
from vaeviz_models.runs.folder import load_training, save_training, start_run
from vaeviz_models.training.fit import seeded, train_epoch
from vaeviz_models.training.loaders import MemoryLoader
from vaeviz_models.training.step import WARM_UP, TrainStep

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

QUIET = {"device": "cuda", "progress": False}
BATCH = 10  # of 96 samples: nine full batches, and a last one of six


@pytest.fixture(params=[mlp, conv, autoencoder])
def build(request):
    sizes = {"channels": (4,)} if request.param is conv else {"hidden": (16,)}
    return lambda: seeded(request.param, (5, 4), seed=0, **sizes)


def plainly(model):
    model.capturable = False
    return model


def close(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in pairs)


def same(one, other):
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_replayed_steps_are_plain_steps(precision, build, noise_images):
    settings = {"epochs": 4, "batch_size": BATCH, "beta": 2.0, "warmup": 3, "precision": precision}
    captured, plain = build(), plainly(build())
    history = fit(captured, noise_images, noise_images, **settings, **QUIET)
    expected = fit(plain, noise_images, noise_images, **settings, **QUIET)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-3 if precision == "float32" else 2e-2)
    assert precision == "bfloat16" or close(captured, plain)


def test_full_batches_are_replayed_and_the_last_one_is_not(noise_images):
    state = TrainState.start(seeded(mlp, (5, 4), hidden=(16,), seed=0), device="cuda")
    steps, taken = TrainStep(state, BATCH), []
    step = steps._step
    steps._step = lambda batch: (taken.append(len(batch)), step(batch))[1]
    data = MemoryLoader(torch.from_numpy(noise_images).cuda())
    train_epoch(steps, data, 1.0)
    assert taken == [BATCH] * (WARM_UP + 1) + [6]  # the first ones, the one that is recorded, the last
    train_epoch(steps, data, 1.0)
    assert taken[WARM_UP + 2 :] == [6]


def test_the_noise_of_replayed_steps_goes_on_as_that_of_plain_ones(noise_images):
    states = []
    for change in (lambda model: model, plainly):
        state = TrainState.start(change(seeded(mlp, (5, 4), hidden=(16,), seed=0)), device="cuda")
        fit(state.model, noise_images, epochs=2, batch_size=BATCH, resume=state, **QUIET)
        states.append(state.noise.get_state())
    assert torch.equal(*states)


def test_the_same_seed_gives_the_same_weights(build, noise_images):
    models = [build(), build()]
    for model in models:
        fit(model, noise_images, epochs=3, batch_size=BATCH, seed=3, **QUIET)
    assert same(*models)


def test_resuming_is_as_if_it_had_never_stopped(build, noise_images, tmp_path):
    whole = build()
    expected = fit(whole, noise_images, epochs=4, batch_size=BATCH, **QUIET)
    state = TrainState.start(build(), device="cuda")
    for epochs in (1, 4):
        history = fit(state.model, noise_images, epochs=epochs, batch_size=BATCH, resume=state, **QUIET)
    assert history == expected
    assert same(state.model, whole)


def test_a_checkpoint_of_replayed_steps_goes_on(noise_images, tmp_path):
    from vaeviz_models.training.fit import training_options

    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    state = TrainState.start(model, device="cuda")
    settings = {name: option.default for name, option in training_options().items()}
    start_run(
        tmp_path / "run",
        {"model": model.recipe, "data": dict.fromkeys(("name", "data_dir", "labels")), "training": settings},
    )
    fit(model, noise_images, epochs=2, batch_size=BATCH, resume=state, **QUIET)
    save_training(tmp_path / "run", state)
    resumed, _ = load_training(tmp_path / "run")
    for each in (state, resumed):
        fit(each.model, noise_images, epochs=4, batch_size=BATCH, resume=each, **QUIET)
    assert resumed.history == state.history
    assert same(resumed.model, state.model)


def test_samples_on_disk_are_replayed_on_as_well(noise_images, tmp_path):
    np.save(tmp_path / "x.npy", noise_images)
    models = [seeded(mlp, (5, 4), hidden=(16,), seed=0) for _ in range(2)]
    for model, x in zip(models, (noise_images, np.load(tmp_path / "x.npy", mmap_mode="r"))):
        fit(model, x, epochs=2, batch_size=BATCH, **QUIET)
    assert same(*models)


def test_a_model_that_looks_at_values_is_told_what_to_do(noise_images):
    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    terms = model.terms

    def looking(x, generator=None):
        return terms(x if x.sum().item() else 2 * x, generator)

    model.terms = looking
    with pytest.raises(InputError, match=r"cannot be captured in a CUDA graph .*set model.capturable = False"):
        fit(model, noise_images, epochs=1, batch_size=BATCH, **QUIET)
    fit(plainly(model), noise_images, epochs=1, batch_size=BATCH, **QUIET)
