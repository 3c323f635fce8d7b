"""Draw small data sets whose structure is known exactly."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split

N_SAMPLES = {"train": 4000, "test": 1000}
SEEDS = {"train": 0, "test": 1, "all": 2}


def pinwheel(*, split: Split = "train") -> Dataset:
    """Draw points in the plane on five bent arms.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to draw, each with a seed of its own.

    Returns
    -------
    Dataset
        Points (N, 2), labeled by arm.
    """
    rng, n_samples = _rng_and_count(split)
    arm = rng.integers(5, size=n_samples)
    radial, tangential = 1 + 0.35 * rng.standard_normal(n_samples), 0.07 * rng.standard_normal(n_samples)
    angle = 2 * np.pi * arm / 5 + 0.35 * np.exp(radial)
    rotation = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Dataset(
        np.einsum("ijn,jn->ni", rotation, np.stack([radial, tangential])).astype(np.float32), arm, name="pinwheel"
    )


def linear_gaussian(*, split: Split = "train") -> Dataset:
    """Draw x = W z + ε in 16 dimensions with z ~ N(0, I₃).

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to draw, each with a seed of its own.

    Returns
    -------
    Dataset
        Rows (N, 16) whose covariance has the eigenvalues 4, 2, 1 and thirteen of 0.1; the factors are z.
    """
    rng, n_samples = _rng_and_count(split)
    basis, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((16, 16)))
    factors = rng.standard_normal((n_samples, 3))
    x = factors * np.sqrt(np.array([4, 2, 1]) - 0.1) @ basis[:, :3].T + np.sqrt(0.1) * rng.standard_normal(
        (n_samples, 16)
    )
    return Dataset(x.astype(np.float32), factors=factors, name="linear-gaussian")


def waves(*, split: Split = "train") -> Dataset:
    """Draw sine, square and sawtooth waves.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to draw, each with a seed of its own.

    Returns
    -------
    Dataset
        Signals (N, 128) in [0, 1], labeled by shape; the factors are frequency and phase.
    """
    rng, n_samples = _rng_and_count(split)
    shape = rng.integers(3, size=n_samples)
    frequency, phase = rng.uniform(1, 4, n_samples), rng.uniform(0, 1, n_samples)
    cycles = (frequency[:, None] * np.linspace(0, 1, 128) + phase[:, None]) % 1
    forms = np.stack([np.sin(2 * np.pi * cycles), np.where(cycles < 0.5, 1.0, -1.0), 2 * cycles - 1])
    x = 0.5 + 0.45 * forms[shape, np.arange(n_samples)] + 0.01 * rng.standard_normal((n_samples, 128))
    return Dataset(
        np.clip(x, 0, 1).astype(np.float32),
        shape,
        ("sine", "square", "sawtooth"),
        np.column_stack([frequency, phase]),
        "waves",
        factor_names=("frequency", "phase"),
    )


def chirps(*, split: Split = "train") -> Dataset:
    """Draw spectrograms of tones that rise, fall or stay.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to draw, each with a seed of its own.

    Returns
    -------
    Dataset
        Spectrograms (N, 33, 31) of frequencies by times, labeled by direction. Decibels are scaled from 60 below the
        loudest at 0 to the loudest at 1; the factors are the first and last frequency, as shares of the highest.
    """
    from scipy.signal import spectrogram

    rng, n_samples = _rng_and_count(split)
    direction = rng.integers(3, size=n_samples)
    low, high = np.sort(rng.uniform(0.08, 0.92, (2, n_samples)), axis=0)
    first, last = np.choose(direction, [low, high, low]), np.choose(direction, [high, low, low])
    time = np.arange(1024)
    cycles = 0.5 * (first[:, None] * time + (last - first)[:, None] * time**2 / (2 * time[-1]))
    tones = np.sin(2 * np.pi * (cycles + rng.uniform(size=(n_samples, 1)))) + 0.02 * rng.standard_normal(
        (n_samples, 1024)
    )
    power = spectrogram(tones, nperseg=64, noverlap=32)[2]
    loudness = 10 * np.log10(power / power.max(axis=(1, 2), keepdims=True) + 1e-12)
    return Dataset(
        np.clip(1 + loudness / 60, 0, 1).astype(np.float32),
        direction,
        ("rising", "falling", "steady"),
        np.column_stack([first, last]),
        "chirps",
        factor_names=("first frequency", "last frequency"),
        kind="spectrogram",
    )


def squares(*, split: Split = "train") -> Dataset:
    """Draw images of one bright square.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to draw, each with a seed of its own.

    Returns
    -------
    Dataset
        Images (N, 32, 32) in [0, 1], labeled by size; the factors are column, row and half side of the square.
    """
    rng, n_samples = _rng_and_count(split)
    side = rng.choice([3.0, 5.0, 7.0], n_samples)
    column, row = rng.uniform(8, 24, (2, n_samples))
    pixels = np.arange(32) + 0.5
    horizontal = _coverage(pixels, column, side)
    vertical = _coverage(pixels, row, side)
    x = (vertical[:, :, None] * horizontal[:, None, :]).astype(np.float32)
    size = np.searchsorted([3, 5, 7], side)
    factors = np.column_stack([column, row, side])
    return Dataset(
        x, size, ("small", "medium", "large"), factors, "squares", factor_names=("column", "row", "half side")
    )


def _coverage(pixels: np.ndarray, center: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return the share (N, pixels) of each pixel that the interval center ± half covers."""
    return np.asarray(np.clip(half[:, None] + 0.5 - np.abs(pixels - center[:, None]), 0, 1))


def _rng_and_count(split: Split) -> tuple[np.random.Generator, int]:
    """Return the random generator of a split and its number of samples."""
    n_samples = sum(N_SAMPLES.values()) if split == "all" else N_SAMPLES[split]
    return np.random.default_rng(SEEDS[split]), n_samples
