import numpy as np
import pytest
import torch


class TinyVAE(torch.nn.Module):
    """A VAE of 6 values with two latent dimensions, dropout and batch normalization."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2))
        self.head = torch.nn.Linear(8, 4)
        self.decoder = torch.nn.Linear(2, 6)

    def encode(self, x):
        mean, log_var = self.head(self.body(x)).chunk(2, dim=1)
        return mean, log_var

    def decode(self, z):
        return self.decoder(z)

    def loss(self, x):
        mean, log_var = self.encode(x)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1)
        return (0.5 * ((self.decode(z) - x) ** 2).sum(dim=1) + kl).mean()


@pytest.fixture
def tiny_vae():
    torch.manual_seed(0)
    return TinyVAE()


@pytest.fixture(scope="session")
def x():
    return np.random.default_rng(0).standard_normal((64, 6)).astype(np.float32)


@pytest.fixture(scope="session")
def labels():
    return np.arange(64) % 3


@pytest.fixture
def read_events():
    """Return a function that reads the scalars, the images and the texts of event files, by tag."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder):
        events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
        events.Reload()
        tags = events.Tags()
        scalars = {tag: {one.step: one.value for one in events.Scalars(tag)} for tag in tags["scalars"]}
        images = {tag: [one.step for one in events.Images(tag)] for tag in tags["images"]}
        return scalars, images

    return read
