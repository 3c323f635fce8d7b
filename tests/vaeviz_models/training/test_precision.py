"""`precision="bfloat16"`: only products use it, only with hardware support, and a run records it."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from vaeviz.errors import InputError
from vaeviz_models import TrainState, evaluate, fit, mlp, seeded
from vaeviz_models.networks import PosteriorHead
from vaeviz_models.runs.checkpoint import load_checkpoint
from vaeviz_models.runs.folder import read_config
from vaeviz_models.training import precision
from vaeviz_models.training.precision import autocast_for, has_bfloat16_units

CPU = torch.device("cpu")
QUIET = {"device": "cpu", "progress": False}
TRAIN = ("train", "mlp", "--data", "digits", "--hidden", 16, "--device", "cpu")


@pytest.fixture
def units(monkeypatch):
    """A CPU that claims to support bfloat16; torch computes with it on any."""
    monkeypatch.setattr(precision, "_cpu_features", lambda: {"sse2", "avx512_bf16"})


@pytest.fixture
def no_units(monkeypatch):
    monkeypatch.setattr(precision, "_cpu_features", lambda: {"sse2", "avx2", "avx512f"})


def small():
    return seeded(mlp, (5, 4), hidden=(16,), seed=0)


class TypeRecorder(nn.Module):
    """Layer that records the type of its products and of its weights."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(20, 20)
        self.seen = []

    def terms(self, x, generator=None):
        out = self.layer(x.flatten(1))
        self.seen.append(("train" if self.training else "score", out.dtype, self.layer.weight.dtype))
        return -out.float().square().sum(), None


def test_products_are_in_bfloat16_and_weights_and_scores_in_float32(units, noise_images):
    model = TypeRecorder()
    fit(model, noise_images, noise_images, epochs=1, precision="bfloat16", **QUIET)
    assert set(model.seen) == {("train", torch.bfloat16, torch.float32), ("score", torch.float32, torch.float32)}


def test_float32_is_the_default_and_differs_from_bfloat16(units, noise_images):
    histories = [
        fit(small(), noise_images, epochs=3, **settings, **QUIET)["train_elbo"]
        for settings in ({}, {"precision": "float32"}, {"precision": "bfloat16"})
    ]
    assert histories[0] == histories[1] != histories[2]
    np.testing.assert_allclose(histories[2], histories[0], rtol=0.01)


def test_adam_keeps_float32(units, noise_images):
    state = TrainState.start(small(), precision="bfloat16", device="cpu")
    fit(state.model, noise_images, epochs=1, resume=state, **QUIET)
    moments = [value for moment in state.optimizer.state.values() for value in moment.values()]
    assert {value.dtype for value in moments} == {torch.float32}


def test_codes_are_computed_in_float32():
    head, features = PosteriorHead(16, 2), torch.rand(3, 16)
    expected = head(features)
    with torch.autocast("cpu", torch.bfloat16):
        mean, log_var = head(features)
    assert torch.equal(mean, expected[0])
    assert torch.equal(log_var, expected[1])


def test_the_noise_is_that_of_a_float32_training(units, noise_images):
    states = [TrainState.start(small(), precision=kind, device="cpu") for kind in ("float32", "bfloat16")]
    for state in states:
        fit(state.model, noise_images, epochs=2, resume=state, **QUIET)
    assert torch.equal(*(state.noise.get_state() for state in states))


def test_resuming_equals_never_stopping(units, noise_images):
    whole = small()
    expected = fit(whole, noise_images, epochs=4, precision="bfloat16", **QUIET)
    state = TrainState.start(small(), precision="bfloat16", device="cpu")
    for epochs in (1, 4):
        history = fit(state.model, noise_images, epochs=epochs, resume=state, **QUIET)
    assert history == expected
    assert all(map(torch.equal, whole.state_dict().values(), state.model.state_dict().values()))


def test_a_cpu_without_support_is_an_error(no_units, noise_images):
    model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError) as error:
        fit(model, noise_images, precision="bfloat16", **QUIET)
    assert (error.value.got, error.value.expected) == ("bfloat16", "float32")
    assert error.value.fix.python == 'Pass precision="float32".'
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    autocast_for("float32", CPU)


def test_other_devices_have_no_support():
    assert not has_bfloat16_units(torch.device("mps"))
    with pytest.raises(InputError, match="mps"):
        autocast_for("bfloat16", torch.device("mps"))


@pytest.mark.parametrize(
    "line, has_units",
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16 avx512_vnni", True),
        ("flags\t\t: fpu avx512f amx_tile amx_bf16", True),
        ("Features\t: fp asimd bf16 i8mm", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", False),
        ("model name\t: a CPU without bf16", False),
    ],
)
def test_with_an_older_torch_linux_lists_the_features(line, has_units, monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n")
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert has_bfloat16_units(CPU) is has_units


def test_without_a_list_of_features_there_is_no_support(monkeypatch, tmp_path):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "nowhere")
    assert not has_bfloat16_units(CPU)


def test_a_run_records_its_precision_and_continues_in_it(units, vaeviz, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert vaeviz(*TRAIN, "--precision", "bfloat16", "--epochs", 2, "--out", whole).code == 0
    assert vaeviz(*TRAIN, "--precision", "bfloat16", "--epochs", 1, "--out", parts).code == 0
    assert read_config(parts)["training"]["precision"] == "bfloat16"
    assert "precision bfloat16" in vaeviz("info", parts).out
    assert vaeviz("train", "--resume", parts, "--epochs", 2).code == 0
    for name in ("weights.safetensors", "history.csv"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_an_older_run_without_a_precision_is_float32(vaeviz, tmp_path):
    assert vaeviz(*TRAIN, "--epochs", 1, "--out", tmp_path / "run").code == 0
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    del config["training"]["precision"]
    path.write_text(json.dumps(config))
    assert load_checkpoint(tmp_path / "run")[0].precision == "float32"


def test_a_refused_precision_writes_nothing(no_units, vaeviz, tmp_path):
    out = tmp_path / "run"
    assert "AVX512-BF16" in vaeviz(*TRAIN, "--precision", "bfloat16", "--out", out).error
    assert "'half'" in vaeviz(*TRAIN, "--precision", "half", "--out", out).error
    assert not out.exists()


def test_scores_of_a_bfloat16_training_are_those_of_its_weights(units, noise_images):
    model = small()
    history = fit(model, noise_images, noise_images, epochs=2, precision="bfloat16", **QUIET)
    assert history["test_elbo"][-1] == evaluate(model, noise_images)["elbo"]
