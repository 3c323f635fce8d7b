"""Fixtures for the tests of `vaeviz_models`: torch seeded and on one thread, small data, the command line."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded; two threads are slow where they spin

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Run torch on one thread, so that weights are equal bit for bit, also between processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _seed_first_weights():
    """Seed torch, so that the first weights of a model do not depend on the tests before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def noise_images():
    """Uniform noise in [0, 1], shape (96, 5, 4)."""
    return np.random.default_rng(0).random((96, 5, 4), dtype=np.float32)


class RecordingModel(nn.Module):
    """A model that records the samples it was trained on, and those it was scored on."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.trained, self.scored = [], []

    def terms(self, x, generator=None):
        (self.trained if self.training else self.scored).append(x.clone())
        return (self.weight * x).sum(), self.weight.square()


@pytest.fixture
def recording_model():
    """Make a model that records what it was trained and scored on."""
    return RecordingModel


@dataclass
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Error message, without the usage that click may write above it."""
        assert self.code == 2
        lines = self.err.strip().splitlines()
        assert len(lines) == 1 or lines[0].startswith("Usage:")
        return lines[-1]


@pytest.fixture
def vaeviz(capsys, monkeypatch):
    """Run a command line in this process: ``vaeviz("train", "mlp", ...)``."""
    from vaeviz.cli.main import main

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main replaces it

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(arg) for arg in args])
        return CommandResult(stopped.value.code, *capsys.readouterr())

    return run
