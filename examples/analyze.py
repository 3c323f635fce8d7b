"""Check whether a latent space is healthy: a linear VAE at its optimum, and the same VAE with two planted defects."""

import sys
from pathlib import Path

import numpy as np

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

x = np.random.default_rng(0).standard_normal((1000, 6)) * np.sqrt([6, 4, 3, 0.4, 0.4, 0.4])
vae = vaeviz.fitted_linear_vae(x, 3)


def encoder(x):
    mean, log_var = vae.encode(x)
    return mean * [1, 1, 0.4], log_var + [0, 0, np.log(0.4**2)]  # the third dimension is too narrow


def decoder(z):
    return vae.decode(z * [1, 0, 2.5])  # the second dimension is ignored


def likelihood(x, z):
    return vae.log_likelihood(x, z * [1, 0, 2.5])


print(vaeviz.analyze(vae, x, likelihood=vae.log_likelihood, title="healthy"), end="\n\n")

report = vaeviz.analyze(encoder=encoder, decoder=decoder, x=x, likelihood=likelihood, title="defects")
print(report)
report.save(out / "report.json")
print(f"effect of each dimension: {report['ignored'].numbers['effect']}")

# A figure set shows the same report above its figures.
vaeviz.export_figures(out / "analyze", encoder=encoder, decoder=decoder, x=x, plots=["latent_triage"], analysis=True)
