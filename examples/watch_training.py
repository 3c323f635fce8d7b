"""Watch the latent space while a PyTorch model trains in a plain loop, and animate it afterwards."""

import copy
import sys
from pathlib import Path

import torch
from torch import nn

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)


class VAE(nn.Module):
    """A small VAE of pictures of 28 × 28 pixels."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 4))
        self.decoder = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 784))

    def encode(self, x):
        """Return mean and log-variance."""
        return self.encoder(x).chunk(2, dim=1)

    def decode(self, z):
        """Return pixels in [0, 1]."""
        return self.decoder(z).sigmoid().view(-1, 28, 28)

    def loss(self, x):
        """Return the negative ELBO per sample, in nats."""
        mean, log_var = self.encode(x)
        logits = self.decoder(mean + torch.randn_like(mean) * (0.5 * log_var).exp())
        reconstruction = nn.functional.binary_cross_entropy_with_logits(logits, x.flatten(1), reduction="sum")
        return (reconstruction + 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum()) / len(x)


torch.manual_seed(0)
data, test = (vaeviz.load_data("glyphs", split=split) for split in ("train", "test"))
x = torch.from_numpy(data.x)
vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
encoders = {}


def parts(model):
    """Declare what the encoder returns."""
    return vaeviz.Encoder(model.encode, returns="mean,log_var"), model.decode


with vaeviz.watch(
    ["latent_scatter", "samples"], test, to=out / "training", every="doubling", max_fraction=None
) as watch:
    for epoch in range(1, 9):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = vae.loss(x[rows])
            loss.backward()
            optimizer.step()
        watch(epoch, *parts(vae), loss=loss)
        encoders[f"epoch {epoch}"] = parts(copy.deepcopy(vae))[0]

print(watch)
vaeviz.animate("latent_scatter", encoders, data=test, out=out / "watch_training.gif")
