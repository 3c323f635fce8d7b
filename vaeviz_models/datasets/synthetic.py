"""Small data sets whose structure is known exactly. Train and test are drawn with seeds of their own."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split

SIZES = {"train": 4000, "test": 1000}
SEEDS = {"train": 0, "test": 1}


def pinwheel(*, split: Split = "train") -> Dataset:
    """Points in the plane on five bent arms, labeled by arm."""
    rng, count = _drawn(split)
    arm = rng.integers(5, size=count)
    along, across = 1 + 0.35 * rng.standard_normal(count), 0.07 * rng.standard_normal(count)
    angle = 2 * np.pi * arm / 5 + 0.35 * np.exp(along)
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Dataset(np.einsum("ijn,jn->ni", turn, np.stack([along, across])).astype(np.float32), arm, name="pinwheel")


def linear_gaussian(*, split: Split = "train") -> Dataset:
    """x = W z + ε in 16 dimensions with z ~ N(0, I₃): covariance eigenvalues 4, 2, 1 and thirteen of 0.1."""
    rng, count = _drawn(split)
    basis, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((16, 16)))
    factors = rng.standard_normal((count, 3))
    x = factors * np.sqrt(np.array([4, 2, 1]) - 0.1) @ basis[:, :3].T + np.sqrt(0.1) * rng.standard_normal((count, 16))
    return Dataset(x.astype(np.float32), factors=factors, name="linear-gaussian")


def waves(*, split: Split = "train") -> Dataset:
    """Signals of 128 values in [0, 1]: sine, square and sawtooth waves; the factors are frequency and phase."""
    rng, count = _drawn(split)
    shape = rng.integers(3, size=count)
    frequency, phase = rng.uniform(1, 4, count), rng.uniform(0, 1, count)
    turns = (frequency[:, None] * np.linspace(0, 1, 128) + phase[:, None]) % 1
    forms = np.stack([np.sin(2 * np.pi * turns), np.where(turns < 0.5, 1.0, -1.0), 2 * turns - 1])
    x = 0.5 + 0.45 * forms[shape, np.arange(count)] + 0.01 * rng.standard_normal((count, 128))
    return Dataset(
        np.clip(x, 0, 1).astype(np.float32),
        shape,
        ("sine", "square", "sawtooth"),
        np.column_stack([frequency, phase]),
        "waves",
        factor_names=("frequency", "phase"),
    )


def chirps(*, split: Split = "train") -> Dataset:
    """Spectrograms, 33 frequencies by 31 times, of tones that rise, fall or stay; the factors are both ends of each.

    Decibels, from 60 below the loudest at 0 to the loudest at 1. The frequencies are shares of the highest.
    """
    from scipy.signal import spectrogram

    rng, count = _drawn(split)
    way = rng.integers(3, size=count)
    low, high = np.sort(rng.uniform(0.08, 0.92, (2, count)), axis=0)
    first, last = np.choose(way, [low, high, low]), np.choose(way, [high, low, low])
    time = np.arange(1024)
    turns = 0.5 * (first[:, None] * time + (last - first)[:, None] * time**2 / (2 * time[-1]))
    tones = np.sin(2 * np.pi * (turns + rng.uniform(size=(count, 1)))) + 0.02 * rng.standard_normal((count, 1024))
    power = spectrogram(tones, nperseg=64, noverlap=32)[2]
    loudness = 10 * np.log10(power / power.max(axis=(1, 2), keepdims=True) + 1e-12)
    return Dataset(
        np.clip(1 + loudness / 60, 0, 1).astype(np.float32),
        way,
        ("rising", "falling", "steady"),
        np.column_stack([first, last]),
        "chirps",
        factor_names=("first frequency", "last frequency"),
        kind="spectrogram",
    )


def squares(*, split: Split = "train") -> Dataset:
    """32 × 32 pictures of a gray square; the factors are its column, row and half side, the label its size."""
    rng, count = _drawn(split)
    side = rng.choice([3.0, 5.0, 7.0], count)
    column, row = rng.uniform(8, 24, (2, count))
    pixels = np.arange(32) + 0.5
    across = _covered(pixels, column, side)
    up = _covered(pixels, row, side)
    x = (up[:, :, None] * across[:, None, :]).astype(np.float32)
    size = np.searchsorted([3, 5, 7], side)
    factors = np.column_stack([column, row, side])
    return Dataset(
        x, size, ("small", "medium", "large"), factors, "squares", factor_names=("column", "row", "half side")
    )


def _covered(pixels: np.ndarray, center: np.ndarray, half: np.ndarray) -> np.ndarray:
    """How much of each pixel the interval center ± half covers, (N, pixels)."""
    return np.clip(half[:, None] + 0.5 - np.abs(pixels - center[:, None]), 0, 1)


def _drawn(split: Split) -> tuple[np.random.Generator, int]:
    if split == "all":
        return np.random.default_rng(2), sum(SIZES.values())
    return np.random.default_rng(SEEDS[split]), SIZES[split]
