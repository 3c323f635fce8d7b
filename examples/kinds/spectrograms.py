"""Spectrograms: frequency over time. They have the shape of photographs, so the data set declares its kind."""

import sys
from pathlib import Path

import numpy as np
from scipy.signal import chirp, spectrogram

import vaeviz
import vaeviz_models

PLOTS = ("latent_scatter", "samples", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

# Tones of one second in noise; the frequency changes linearly.
rng = np.random.default_rng(0)
rate, time = 2000, np.arange(2000) / 2000
first, last = rng.uniform(100, 900, (2, 1200))
tones = np.stack([chirp(time, low, 1, high) for low, high in zip(first, last)])
power = spectrogram(tones + 0.05 * rng.standard_normal(tones.shape), rate, nperseg=64, noverlap=16)[2]
decibels = 10 * np.log10(power / power.max(axis=(1, 2), keepdims=True))
x = np.clip(1 + decibels / 50, 0, 1).astype(np.float32)  # (N, frequencies, times), from −50 dB to the maximum

data = vaeviz.Dataset(
    x, np.where(last > first, "rising", "falling"), factors=np.column_stack([first, last]), name="chirps",
    factor_names=("first frequency", "last frequency"), kind="spectrogram",
)  # fmt: skip
train, test = data[200:], data[:200]
vae = vaeviz_models.seeded(vaeviz_models.mlp, x.shape[1:], seed=0, latent_dim=3, hidden=(256,))
vaeviz_models.fit(vae, train.x, test.x, epochs=30, learning_rate=2e-3)
vaeviz.export_figures(out / "spectrograms", model=vae, data=test, plots=PLOTS)
