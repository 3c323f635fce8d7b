"""PyTorch without its Python: a TorchScript file and a torch.export program, opened by their paths."""

import sys
import tempfile
import warnings
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
images, y = load_digits().images.astype("float32") / 16, load_digits().target

encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
decoder = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
x = torch.from_numpy(images)
for _ in range(300):
    loss = (decoder(encoder(x)).view_as(x) - x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with tempfile.TemporaryDirectory() as folder:
    with warnings.catch_warnings(action="ignore"):  # torch calls TorchScript deprecated; the files are still there
        torch.jit.trace(encoder.eval(), x[:2]).save(f"{folder}/encoder.pt")
    torch.export.save(torch.export.export(decoder.eval(), (torch.zeros(16, 2),)), f"{folder}/decoder.pt2")
    # Both kinds of files are programs, so they open only with trust. A traced function may be an encoder or a decoder.
    encoder = vaeviz.open(f"{folder}/encoder.pt", role="encoder", trust=True).encoder
    decoder = vaeviz.open(f"{folder}/decoder.pt2", trust=True).decoder
    ax = vaeviz.latent_scatter(encoder, images, labels=y)
    ax.figure.savefig(out / "torch_files_scatter.png", dpi=150)
    ax = vaeviz.manifold_grid(decoder, encoder, images, n_grid=12)
    ax.figure.savefig(out / "torch_files_manifold.png", dpi=150)
