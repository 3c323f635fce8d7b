"""PyTorch: a VAE in one module, whose forward returns (reconstruction, mean, log-variance), is drawn as it is."""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU())
        self.mean, self.log_var = nn.Linear(128, 2), nn.Linear(128, 2)
        self.decoder = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid())

    def forward(self, x):
        hidden = self.trunk(x)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return self.decoder(z).view_as(x), mean, log_var


images, y = load_digits().images.astype("float32") / 16, load_digits().target
vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
for _ in range(30):
    for batch in torch.from_numpy(images)[torch.randperm(len(images))].split(128):
        recon, mean, log_var = vae(batch)
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum()
        loss = F.mse_loss(recon, batch, reduction="sum") / (2 * 0.2**2) + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(vaeviz.inspect(vae, images))
vaeviz.export_figures(out / "torch_whole_vae", model=vae, x=images, labels=y, plots=["latent_scatter", "manifold_grid"])
