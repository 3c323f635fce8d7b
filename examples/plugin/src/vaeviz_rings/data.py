"""A synthetic data set."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vaeviz import Dataset

SIZES = {"train": 3000, "test": 900}
RADII = (1.0, 0.7, 0.4)


def rings(*, split: Literal["train", "test"] = "train") -> Dataset:
    """Return points (N, 6) near three circles, each in two dimensions of its own, labeled by circle."""
    rng = np.random.default_rng(list(SIZES).index(split))
    ring = rng.integers(3, size=SIZES[split])
    angle = rng.uniform(0, 2 * np.pi, len(ring))
    x = 0.05 * rng.standard_normal((len(ring), 6))
    radius = np.asarray(RADII)[ring]
    x[np.arange(len(ring)), 2 * ring] += radius * np.cos(angle)
    x[np.arange(len(ring)), 2 * ring + 1] += radius * np.sin(angle)
    return Dataset(x.astype(np.float32), ring, class_names=("large", "middle", "small"), name="rings")
