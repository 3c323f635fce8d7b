"""Steps on CUDA are captured once and replayed, with the numbers of plain steps, seeded, and resumable."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from vaeviz.errors import InputError
from vaeviz_models import TrainConfig, TrainState, autoencoder, conv, fit, mlp, seeded
from vaeviz_models.runs.checkpoint import load_checkpoint, save_checkpoint
from vaeviz_models.runs.folder import config_bytes, start_run
from vaeviz_models.training.cuda_graph import WARM_UP_STEPS
from vaeviz_models.training.fit import train_epoch
from vaeviz_models.training.loaders import MemoryLoader
from vaeviz_models.training.step import TrainStep

pytestmark = pytest.mark.cuda

QUIET = {"device": "cuda", "progress": False}
BATCH = 10  # of 96 samples: nine full batches, and a last one of six


@pytest.fixture(params=[mlp, conv, autoencoder])
def build(request):
    sizes = {"channels": (4,)} if request.param is conv else {"hidden": (16,)}
    return lambda: seeded(request.param, (5, 4), seed=0, **sizes)


def without_graphs(model):
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
    captured, plain = build(), without_graphs(build())
    history = fit(captured, noise_images, noise_images, **settings, **QUIET)
    expected = fit(plain, noise_images, noise_images, **settings, **QUIET)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-3 if precision == "float32" else 2e-2)
    assert precision == "bfloat16" or close(captured, plain)


def test_full_batches_are_replayed_and_the_last_one_is_not(noise_images):
    state = TrainState.start(seeded(mlp, (5, 4), hidden=(16,), seed=0), device="cuda")
    terms, taken = state.model.terms, []
    state.model.terms = lambda x, generator: (taken.append(len(x)), terms(x, generator))[1]
    steps = TrainStep(state, BATCH)
    data = MemoryLoader(torch.from_numpy(noise_images).cuda())
    train_epoch(steps, data, 1.0)
    assert taken == [BATCH] * (WARM_UP_STEPS + 1) + [6]  # the warm-up, the captured step, the last batch
    train_epoch(steps, data, 1.0)
    assert taken[WARM_UP_STEPS + 2 :] == [6]


def test_the_noise_of_replayed_steps_continues_as_that_of_plain_ones(noise_images):
    states = []
    for change in (lambda model: model, without_graphs):
        state = TrainState.start(change(seeded(mlp, (5, 4), hidden=(16,), seed=0)), device="cuda")
        fit(state.model, noise_images, epochs=2, batch_size=BATCH, resume=state, **QUIET)
        states.append(state.noise.get_state())
    assert torch.equal(*states)


def test_the_same_seed_gives_the_same_weights(build, noise_images):
    models = [build(), build()]
    for model in models:
        fit(model, noise_images, epochs=3, batch_size=BATCH, seed=3, **QUIET)
    assert same(*models)


def test_resuming_equals_never_stopping(build, noise_images, tmp_path):
    whole = build()
    expected = fit(whole, noise_images, epochs=4, batch_size=BATCH, **QUIET)
    state = TrainState.start(build(), device="cuda")
    for epochs in (1, 4):
        history = fit(state.model, noise_images, epochs=epochs, batch_size=BATCH, resume=state, **QUIET)
    assert history == expected
    assert same(state.model, whole)


def test_a_checkpoint_of_replayed_steps_continues(noise_images, tmp_path):
    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    state = TrainState.start(model, device="cuda")
    data = dict.fromkeys(("name", "data_dir", "labels"))
    config = {"model": model.recipe, "data": data, "training": asdict(TrainConfig())}
    start_run(tmp_path / "run", {"config.json": config_bytes(config)})
    fit(model, noise_images, epochs=2, batch_size=BATCH, resume=state, **QUIET)
    save_checkpoint(tmp_path / "run", state)
    resumed = load_checkpoint(tmp_path / "run")[0]
    for each in (state, resumed):
        fit(each.model, noise_images, epochs=4, batch_size=BATCH, resume=each, **QUIET)
    assert resumed.history == state.history
    assert same(resumed.model, state.model)


def test_steps_on_samples_on_disk_are_replayed(noise_images, tmp_path):
    np.save(tmp_path / "x.npy", noise_images)
    models = [seeded(mlp, (5, 4), hidden=(16,), seed=0) for _ in range(2)]
    for model, x in zip(models, (noise_images, np.load(tmp_path / "x.npy", mmap_mode="r"))):
        fit(model, x, epochs=2, batch_size=BATCH, **QUIET)
    assert same(*models)


def test_a_model_that_branches_on_values_is_an_error(noise_images):
    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    terms = model.terms

    def branching_terms(x, generator=None):
        return terms(x if x.sum().item() else 2 * x, generator)

    model.terms = branching_terms
    with pytest.raises(InputError, match=r"model\.capturable = False"):
        fit(model, noise_images, epochs=1, batch_size=BATCH, **QUIET)
    fit(without_graphs(model), noise_images, epochs=1, batch_size=BATCH, **QUIET)
