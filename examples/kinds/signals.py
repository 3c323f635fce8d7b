"""Signals: lines over time. Encodes two channels of a damped pendulum with PCA; the legend names the channels."""

import sys
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

import vaeviz

PLOTS = ("latent_scatter", "samples", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

# Each pendulum has its own pace and friction; x (N, 120, 2) holds its angle and its speed.
rng = np.random.default_rng(0)
pace, friction = rng.uniform(1.5, 3, 1500), rng.uniform(0.05, 0.6, 1500)
time = np.linspace(0, 6, 120)
angle = np.exp(-friction[:, None] * time) * np.cos(pace[:, None] * time)
speed = np.gradient(angle, time, axis=1)
x = np.stack([angle, speed], axis=-1) + 0.03 * rng.standard_normal((1500, 120, 2))

data = vaeviz.Dataset(
    x.astype(np.float32), friction, name="pendulum", feature_names=("angle", "speed"),
    factors=np.column_stack([pace, friction]), factor_names=("pace", "friction"),
)  # fmt: skip
pca = PCA(3).fit(data.x.reshape(len(data), -1))
vaeviz.export_figures(out / "signals", model=pca, data=data, plots=PLOTS)
