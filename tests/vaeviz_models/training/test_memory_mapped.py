"""Training from a memory-mapped file gives the same numbers as from memory, with one batch in memory at a time."""

import numpy as np
import pytest
import torch

from vaeviz.data.loading import load_data
from vaeviz.errors import InputError
from vaeviz_models import evaluate, fit, mlp, seeded
from vaeviz_models.runs.data_source import fingerprint
from vaeviz_models.runs.folder import read_config
from vaeviz_models.training.loaders import DiskLoader, MemoryLoader, make_loader, split_order

QUIET = {"device": "cpu", "progress": False}
CPU = torch.device("cpu")


@pytest.fixture
def mapped(noise_images, tmp_path):
    """The noise images in a memory-mapped file."""
    np.save(tmp_path / "noise.npy", noise_images)
    return np.load(tmp_path / "noise.npy", mmap_mode="r")


def train(x, test_x=None, **settings):
    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    return model, fit(model, x, test_x, epochs=3, batch_size=20, **settings, **QUIET)


@pytest.mark.parametrize("settings", [{}, {"holdout": 0.25}, {"holdout": 0.25, "patience": 1, "learning_rate": 0.05}])
def test_the_weights_are_those_of_a_training_in_memory(settings, mapped, noise_images):
    model, history = train(noise_images, noise_images[:30], **settings)
    other, other_history = train(mapped, mapped[:30], **settings)
    assert other_history == history
    assert all(map(torch.equal, other.state_dict().values(), model.state_dict().values()))


def test_a_file_of_double_precision_gives_the_same_training(noise_images, tmp_path):
    np.save(tmp_path / "noise.npy", noise_images.astype(np.float64))
    assert train(np.load(tmp_path / "noise.npy", mmap_mode="r"))[1] == train(noise_images)[1]


def test_scores_are_those_of_the_array(mapped, noise_images):
    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    assert evaluate(model, mapped) == evaluate(model, noise_images)


def test_data_in_a_file_stay_there(mapped, noise_images):
    assert isinstance(make_loader(mapped, CPU), DiskLoader)
    assert isinstance(make_loader(noise_images, CPU), MemoryLoader)
    assert isinstance(make_loader(mapped[[3, 1]], CPU), MemoryLoader)  # NumPy has copied these


@pytest.mark.parametrize("rows", [None, np.array([2, 3, 5, 7, 11])])
def test_batches_are_the_same_from_memory_and_from_disk(rows, mapped, noise_images):
    parts = [make_loader(x, CPU, rows) for x in (noise_images, mapped)]
    order = torch.randperm(len(parts[0]), generator=torch.Generator().manual_seed(0))
    expected = torch.from_numpy(noise_images if rows is None else noise_images[rows])
    for part in parts:
        assert len(part) == len(expected)
        assert torch.equal(torch.cat([x for _, (x,) in part.in_order(2)]), expected)
        assert torch.equal(torch.cat([x for _, (x,) in part.shuffled(order, 2)]), expected[order])
    assert [len(x) for _, (x,) in parts[1].shuffled(order, 4)] == [len(part) for part in split_order(order, 4)]


def test_the_fingerprint_is_that_of_the_array(mapped, noise_images):
    assert fingerprint(mapped) == fingerprint(noise_images)
    rows = np.zeros((9000, 3), np.float32)
    rows[8999] = 1
    assert fingerprint(rows) != fingerprint(rows[::-1])


def test_bytes_are_divided_by_255(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (96, 5, 4), dtype=np.uint8)
    np.save(tmp_path / "bytes.npy", pixels)
    x = load_data(str(tmp_path / "bytes.npy")).x
    assert isinstance(make_loader(x, CPU), DiskLoader)
    assert train(x)[1] == train(pixels.astype(np.float32) / np.float32(255))[1]


def test_values_that_are_not_finite_are_found_before_training(noise_images, tmp_path):
    noise_images = noise_images.copy()
    noise_images[17, 2, 1] = np.nan
    np.save(tmp_path / "x.npy", noise_images)
    with pytest.raises(InputError, match="row 17"):
        train(np.load(tmp_path / "x.npy", mmap_mode="r"))


def test_batches_in_a_fixed_order_are_an_error(noise_images):
    loader = torch.utils.data.DataLoader(torch.from_numpy(noise_images), batch_size=10)
    with pytest.raises(InputError) as error:
        train(loader)
    assert error.value.got == "DataLoader"


def test_values_outside_of_the_likelihood_are_an_error(tmp_path):
    np.save(tmp_path / "far.npy", np.full((30, 5, 4), 7.0, np.float32))
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        train(np.load(tmp_path / "far.npy", mmap_mode="r"))


def test_memory_does_not_grow_with_the_file(python, tmp_path):
    code = """
import numpy as np, torch
from vaeviz_models import fit, mlp
def write(count):
    x = np.lib.format.open_memmap("{path}", mode="w+", dtype=np.float32, shape=(count, 64, 64))
    x[:] = 0.5
def peak(count):
    write(count)
    before = resident()
    seen = []
    model = mlp((64, 64), hidden=(8,))
    terms = model.terms
    model.terms = lambda *batch: (seen.append(resident()), terms(*batch))[1]
    fit(model, np.load("{path}", mmap_mode="r"), epochs=1, batch_size=100, holdout=0.1, device="cpu", progress=False)
    return max(seen) - before
def resident():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
peak(200)
print(peak(200), peak(4000))
""".replace("{path}", str(tmp_path / "big.npy"))
    small, large = map(int, python(code).split())
    assert large - small < 32_000  # kB, half of the larger file; the allocator keeps some of what it had


def test_the_command_finds_its_file_from_another_folder(mapped, vaeviz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = ("train", "mlp", "--hidden", 16, "--epochs", 2, "--device", "cpu")
    assert vaeviz(*train, "--data", "noise.npy", "--out", "run").code == 0
    assert read_config(tmp_path / "run")["data"]["name"] == str(tmp_path / "noise.npy")
    monkeypatch.chdir("/")
    assert vaeviz("train", "--resume", tmp_path / "run", "--epochs", 3).code == 0
    np.savez(tmp_path / "noise.npz", x=mapped)
    assert vaeviz(*train, "--epochs", 3, "--data", tmp_path / "noise.npz", "--out", tmp_path / "npz").code == 0
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("run", "npz")]
    assert weights[0] == weights[1]
