"""diffusers: an AutoencoderKL with spatial codes, trained briefly on color patches; use a pretrained one likewise."""

import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from sklearn.datasets import load_sample_images

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)

photos, rng = load_sample_images().images, np.random.default_rng(0)
labels = np.array(["temple", "flower"])[np.arange(256) % 2]
corners = rng.integers(0, 400, size=(256, 2))
patches = np.stack([photos[i % 2][a : a + 16, b : b + 16] for i, (a, b) in enumerate(corners)]).astype("float32") / 255

autoencoder = AutoencoderKL(
    block_out_channels=(16, 32),
    down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2,
    latent_channels=4,
    norm_num_groups=4,
    scaling_factor=1.0,
)
x = torch.from_numpy(patches).permute(0, 3, 1, 2) * 2 - 1
optimizer = torch.optim.Adam(autoencoder.parameters(), lr=2e-3)
for _ in range(10):
    for batch in x[torch.randperm(len(x))].split(32):
        posterior = autoencoder.encode(batch).latent_dist
        recon = autoencoder.decode(posterior.sample()).sample
        loss = (recon - batch).square().sum() + 1e-4 * posterior.kl().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

ax = vaeviz.reconstruction_pairs(autoencoder, autoencoder, patches)
ax.figure.savefig(out / "diffusers_pairs.png", dpi=150)
ax = vaeviz.tsne(autoencoder, patches, labels=labels)
ax.figure.savefig(out / "diffusers_tsne.png", dpi=150)
