"""A PyTorch VAE with its own training loop: vaeviz draws its two modules as they are."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 256)
        self.mean = nn.Linear(256, 2)
        self.log_var = nn.Linear(256, 2)

    def forward(self, x):
        h = F.relu(self.hidden(x))
        return self.mean(h), self.log_var(h)


encoder = Encoder()
decoder = nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, 64), nn.Sigmoid())

images, y = load_digits().images / 16, load_digits().target
x = torch.tensor(images, dtype=torch.float32).flatten(1)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
for _ in range(60):
    for batch in x[torch.randperm(len(x))].split(128):
        mean, log_var = encoder(batch)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum()
        loss = F.mse_loss(decoder(z), batch, reduction="sum") / (2 * 0.2**2) + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
vaeviz.latent_scatter(encoder, images, labels=y, ax=axes[0])
vaeviz.manifold_grid(decoder, encoder, images, ax=axes[1])
figure.savefig(out / "torch_module.png", dpi=150)

# Draw all plots, with a page that shows them.
vaeviz.export_figures(out / "torch_module", encoder=encoder, decoder=decoder, x=images, labels=y)
