"""Shared by the tests of weights: a small VAE, and files in which its weights are found."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class SmallVAE(nn.Module):
    """A VAE of 6 features with an option."""

    def __init__(self, latent_dim: int = 2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh())
        self.mean = nn.Linear(8, latent_dim)
        self.log_var = nn.Linear(8, latent_dim)
        self.decoder = nn.Linear(latent_dim, 6)

    def encode(self, x):
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_var(hidden)

    def decode(self, z):
        return self.decoder(z)


@pytest.fixture
def vae_class():
    return SmallVAE


@pytest.fixture
def trained():
    """A VAE with other weights than a new one has."""
    torch.manual_seed(1)
    return SmallVAE().eval()


@pytest.fixture
def check_same():
    """Check that two modules have the same weights."""

    def check(loaded, expected):
        own, other = loaded.state_dict(), expected.state_dict()
        assert own.keys() == other.keys()
        assert all(torch.equal(own[name], other[name]) for name in own)

    return check


@pytest.fixture
def saved(tmp_path):
    """Write content with ``torch.save`` and return the path."""

    def save(content, name="weights.pt", **options):
        torch.save(content, tmp_path / name, **options)
        return tmp_path / name

    return save
