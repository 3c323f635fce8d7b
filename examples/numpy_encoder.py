"""An encoder and a decoder that are plain NumPy functions: the two leading principal axes of handwritten digits."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

digits = load_digits()
x, y = digits.data / 16, digits.target
center = x.mean(axis=0)
axes = np.linalg.svd(x - center, full_matrices=False)[2][:2]


def encoder(x):
    return (x - center) @ axes.T


def decoder(z):
    return center + z @ axes


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
vaeviz.latent_scatter(encoder, x, labels=y, ax=left)
vaeviz.manifold_grid(decoder, encoder, x, n_grid=12, ax=right)
figure.savefig(out / "numpy_encoder.png", dpi=150)
