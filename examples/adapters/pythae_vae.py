"""Pythae: a trained model, and the folder in which it was saved."""

import sys
import tempfile
from pathlib import Path

import torch
from pythae.models import VAE, VAEConfig
from sklearn.datasets import load_digits

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
images, y = load_digits().images.astype("float32") / 16, load_digits().target

vae = VAE(VAEConfig(input_dim=(1, 8, 8), latent_dim=2, reconstruction_loss="bce"))
x = torch.from_numpy(images)[:, None]
optimizer = torch.optim.Adam(vae.parameters(), lr=1e-3)
for _ in range(30):
    for rows in torch.randperm(len(x)).split(128):
        loss = vae({"data": x[rows]}).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

ax = vaeviz.latent_scatter(vae, images, labels=y)
ax.figure.savefig(out / "pythae_scatter.png", dpi=150)
with tempfile.TemporaryDirectory() as folder:
    vae.save(folder)
    ax = vaeviz.manifold_grid(folder, folder, images, n_grid=12)
    ax.figure.savefig(out / "pythae_manifold.png", dpi=150)
