"""A generator alone: a small GAN has no encoder. What needs only a decoder is drawn, the rest says what it lacks."""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
torch.manual_seed(0)
real = torch.from_numpy(load_digits().data.astype("float32")) / 8 - 1

generator = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh())
critic = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
of_generator, of_critic = (torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.9)) for m in (generator, critic))
for _ in range(40):
    for batch in real[torch.randperm(len(real))].split(128):
        fake = generator(torch.randn(len(batch), 2))
        loss = F.softplus(-critic(batch)).mean() + F.softplus(critic(fake.detach())).mean()
        of_critic.zero_grad()
        loss.backward()
        of_critic.step()
        loss = F.softplus(-critic(fake)).mean()
        of_generator.zero_grad()
        loss.backward()
        of_generator.step()

decoder = vaeviz.Decoder(generator, latent_shape=(2,), sample_shape=(8, 8), value_range=(-1, 1), prior="normal")
for record in vaeviz.export_figures(out / "generator_alone", decoder=decoder):
    print(f"{record.plot:<22} {record.status} {record.reason}")
