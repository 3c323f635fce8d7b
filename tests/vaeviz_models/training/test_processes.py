"""Several processes train the model that one process trains, on their shares of the same batches."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed, nn

from vaeviz.errors import InputError
from vaeviz_models import autoencoder, conv, evaluate, fit, mlp, seeded
from vaeviz_models.training.processes import Processes, Share, check_device, check_versions, joined_processes

N_PROCESSES = 2
VERSIONS = {"torch": "2.13.0", "vaeviz": "1.0"}
SETTINGS = {
    "mlp": {"binarize": True, "holdout": 0.1, "warmup": 2},
    "conv": {"epochs": 1},
    "autoencoder": {"batch_size": 1, "epochs": 1},  # fewer samples than processes
}
BUILDERS = {"mlp": mlp, "conv": conv, "autoencoder": autoencoder}


class BatchNormed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(20)

    def terms(self, x, generator):
        return -self.norm(x.flatten(1)).square().sum(), None


class NoiseOfManyDraws(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def terms(self, x, generator):
        noise = torch.randn(7, len(x), generator=generator)
        return (self.scale * noise).sum(), None


def train(name, x, **settings):
    """Return the history, the weights and the state of the noise after a training."""
    config = {"epochs": 3, "batch_size": 20, "device": "cpu", "progress": False} | SETTINGS[name]
    model = seeded(BUILDERS[name], x.shape[1:], latent_dim=3, seed=0)
    states = []
    history = fit(model, x, x[:1], after_epoch=states.append, **config | settings)
    weights = {key: value.numpy().copy() for key, value in model.state_dict().items()}
    return history, weights, states[-1].noise.get_state().numpy(), evaluate(model, x)


def error_of(function, *args, **settings):
    try:
        function(*args, **settings)
    except InputError as error:
        return error.message


def train_in_group(rank, folder, results):
    torch.set_num_threads(1)
    place = {"init_method": f"file://{folder}/store", "rank": rank, "world_size": N_PROCESSES}
    distributed.init_process_group("gloo", **place)
    x = np.load(folder / "x.npy", mmap_mode="r")
    quiet = {"device": "cpu", "progress": False, "epochs": 1}
    trained = {name: train(name, x) for name in SETTINGS}
    errors = {
        "samples": error_of(fit, mlp((5, 4)), x[rank:], **quiet),
        "BatchNorm1d": error_of(fit, BatchNormed(), x, **quiet),
        "randn": error_of(fit, NoiseOfManyDraws(), x, **quiet),
        "diverged": error_of(train, "mlp", x, learning_rate=1e30),
    }
    results.put((rank, trained, errors))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def x(tmp_path_factory):
    values = np.random.default_rng(0).random((45, 5, 4), dtype=np.float32)
    path = tmp_path_factory.mktemp("group") / "x.npy"
    np.save(path, values)
    return np.load(path, mmap_mode="r")


@pytest.fixture(scope="module")
def group(x):
    """Results of two processes that trained together, by rank."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vaeviz_models.training.fit", "pytest"])
    results = context.Queue()
    folder = Path(x.filename).parent
    processes = [context.Process(target=train_in_group, args=(rank, folder, results)) for rank in range(N_PROCESSES)]
    for process in processes:
        process.start()
    found = sorted((results.get(timeout=120) for _ in processes), key=lambda result: result[0])
    for process in processes:
        process.join(timeout=30)
        assert process.exitcode == 0
    return found


@pytest.mark.processes
@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_train_what_one_does(group, x, name):
    history, weights, noise, scores = train(name, x)
    for _, trained, _ in group:
        other_history, other_weights, other_noise, other_scores = trained[name]
        assert other_history.keys() == history.keys()
        for column, values in history.items():
            np.testing.assert_allclose(other_history[column], values, rtol=1e-5, atol=1e-6, err_msg=column)
        for key, values in weights.items():
            np.testing.assert_allclose(other_weights[key], values, atol=2e-5, err_msg=key)
        np.testing.assert_array_equal(other_noise, noise)
        assert other_scores == pytest.approx(scores, rel=1e-4)


@pytest.mark.processes
@pytest.mark.parametrize("name", SETTINGS)
def test_all_processes_have_the_same_weights_and_history(group, name):
    (_, first, _), (_, second, _) = group
    assert first[name][0] == second[name][0]
    for key, values in first[name][1].items():
        np.testing.assert_array_equal(second[name][1][key], values)


@pytest.mark.processes
@pytest.mark.parametrize("token", ["samples", "BatchNorm1d", "randn", "diverged"])
def test_what_processes_cannot_share_is_the_same_error_in_all(group, token):
    messages = {errors[token] for _, _, errors in group}
    assert len(messages) == 1
    assert token in messages.pop()


@pytest.mark.parametrize("n_samples", [1, 2, 7, 128])
def test_shares_cover_each_row_once(n_samples):
    shares = [Processes(rank, count=3).share_of(n_samples) for rank in range(3)]
    rows = [row for share in shares if share.is_counted for row in range(n_samples)[share.rows]]
    assert rows == list(range(n_samples))
    assert all(share.rows.stop > share.rows.start for share in shares)


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, generator: torch.randn(x.shape, generator=generator),
        lambda x, generator: torch.rand(len(x), 2, 2, generator=generator),
        lambda x, generator: torch.bernoulli(x, generator=generator),
        lambda x, generator: torch.empty_like(x).normal_(generator=generator),
        lambda x, generator: torch.normal(x, 1 + x, generator=generator),
        lambda x, generator: torch.multinomial(x, 1, generator=generator),
    ],
    ids=["randn", "rand", "bernoulli", "normal_", "normal", "multinomial"],
)
def test_noise_of_a_share_is_that_of_its_rows(draw):
    x = torch.rand(50, 3, generator=torch.Generator().manual_seed(1))
    whole, part = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    expected = draw(x, whole)[11:31]
    with Share(50, slice(11, 31)).noise():
        drawn = draw(x[11:31], part)
    assert torch.equal(drawn, expected)
    assert torch.equal(part.get_state(), whole.get_state())


def test_without_a_launcher_a_process_is_alone():
    with joined_processes("cpu") as processes:
        assert processes == Processes() == Processes.current()
    share = processes.share_of(5)
    x = torch.rand(5, 2)
    assert share.rows == slice(0, 5)
    assert processes.sum(x) is x


def test_other_versions_are_an_error():
    store = distributed.HashStore()
    store.set("versions/1", "torch 2.12.0, vaeviz 1.0")
    with pytest.raises(InputError) as raised:
        check_versions(store, 0, 2, VERSIONS)
    assert (raised.value.got, raised.value.expected) == ("2.12.0", "2.13.0")
    assert "process 1" in raised.value.message
    store.set("versions/1", "torch 2.13.0, vaeviz 1.0")
    check_versions(store, 0, 2, VERSIONS)


def test_devices_that_processes_cannot_have_are_errors(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError) as raised:
        check_device("cuda", local_rank=0, n_local=4)
    assert "--devices 2" in raised.value.fix.command_line
    with pytest.raises(InputError):
        check_device("mps", local_rank=0, n_local=2)
    check_device("cpu", local_rank=3, n_local=4)
