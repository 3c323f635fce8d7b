"""
A PyTorch model of your own
===========================

vaeviz draws your modules as they are. This page trains a small VAE with a loop of
its own, shows what vaeviz infers about it, and what to declare.
"""

# %%
# A model, and a training loop
# ----------------------------

import torch
import vaeviz
from torch import nn
from torch.nn import functional as F

from example_runs import DATA

torch.manual_seed(0)
data = vaeviz.load_data(DATA)
n_pixels = data.x[0].size


class Encoder(nn.Module):
    """Two heads on one hidden layer."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(n_pixels, 256)
        self.mean = nn.Linear(256, 2)
        self.log_var = nn.Linear(256, 2)

    def forward(self, x):
        """Return mean and log-variance of q(z | x)."""
        h = F.relu(self.hidden(x))
        return self.mean(h), self.log_var(h)


encoder = Encoder()
decoder = nn.Sequential(
    nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, n_pixels)
)

x = torch.tensor(data.x).flatten(1)
optimizer = torch.optim.Adam(
    [*encoder.parameters(), *decoder.parameters()], lr=2e-3
)
for _ in range(100):
    for batch in x[torch.randperm(len(x))].split(128):
        mean, log_var = encoder(batch)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum()
        loss = (
            F.binary_cross_entropy_with_logits(
                decoder(z), batch, reduction="sum"
            )
            + kl
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# %%
# What vaeviz infers
# ------------------
# ``inspect`` shows how the outputs are read, and from what evidence. Nothing is
# guessed silently: what cannot be known is an error or a warning with the line to
# write.

print(vaeviz.inspect((encoder, decoder), data.x))

# %%
# Images go in as they are, (N, H, W): vaeviz flattens them, since the first layer
# says so.

vaeviz.latent_scatter(encoder, data.x, labels=data.labels)

# %%
# What to declare
# ---------------
# This decoder returns logits, which vaeviz would draw as they are. Declared, they
# are drawn as probabilities. A declaration takes precedence over everything that
# is inferred, and ``inspect`` prints the one to paste.

encoder = vaeviz.Encoder(encoder, returns="mean,log_var", prior="normal")
decoder = vaeviz.Decoder(
    decoder,
    output="logits",
    latent_shape=(2,),
    sample_shape=data.x.shape[1:],
    prior="normal",
)
vaeviz.manifold_grid(decoder, encoder, data.x)

# %%
vaeviz.reconstruction_pairs(encoder, decoder, data.x, labels=data.labels)

# %%
# Codes as numbers
# ----------------
# ``encode`` runs the model in batches, in eval mode and without gradients, and
# returns a `Posterior`.

posterior = vaeviz.encode(encoder, data.x)
posterior

# %%
posterior.to_frame(labels=data.labels).groupby("label").mean().round(2)

# %%
# All figures at once
# -------------------
# ``export_figures`` draws what model and data allow, and says why it skips a plot.

import tempfile

folder = tempfile.mkdtemp()
plots = ["latent_scatter", "samples", "disentanglement"]
vaeviz.export_figures(
    folder,
    encoder=encoder,
    decoder=decoder,
    x=data.x,
    labels=data.labels,
    plots=plots,
)
