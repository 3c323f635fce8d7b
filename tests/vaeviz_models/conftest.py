"""Shared by the tests of `vaeviz_models`: torch seeded and on one thread, a little data, the command line."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Sums in one order, so that weights can be compared bit for bit, also with those of another process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _first_weights():
    """Those of models that a test builds: the same whatever ran before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def noise_images():
    """(96, 5, 4) values in [0, 1], no two samples alike."""
    return np.random.default_rng(0).random((96, 5, 4), dtype=np.float32)


@dataclass
class Done:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error that it ended with, after the usage that click may write above it."""
        assert self.code == 2
        lines = self.err.strip().splitlines()
        assert len(lines) == 1 or lines[0].startswith("Usage:")
        return lines[-1]


@pytest.fixture
def vaeviz(capsys, monkeypatch):
    """Run a command line, ``vaeviz("train", "mlp", ...)``, in this process."""
    from vaeviz.cli.main import main

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main replaces it for good

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(arg) for arg in args])
        return Done(stopped.value.code, *capsys.readouterr())

    return run
