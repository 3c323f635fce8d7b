"""Color: patches of the two photographs that scikit-learn has in it."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split

SIDE = 16
SIZES = {"train": 4000, "test": 1000}
COLUMNS = {"train": (0, 512), "test": (512, 640)}
"""Where patches are cut from the photographs, 640 pixels wide: no pixel is in both splits."""


def patches(*, split: Split = "train") -> Dataset:
    """16 × 16 color patches of two photographs, a palace and a flower; those of the right fifth for testing."""
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    splits = tuple(SIZES) if split == "all" else (split,)
    parts = [_cut(photographs, part) for part in splits]
    x, labels = (np.concatenate(both) for both in zip(*parts))
    return Dataset(x.astype(np.float32) / np.float32(255), labels, ("palace", "flower"), name="patches")


def _cut(photographs: list[np.ndarray], split: str) -> tuple[np.ndarray, np.ndarray]:
    """(patches (N, 16, 16, 3), the photograph of each (N,))."""
    rng = np.random.default_rng(list(SIZES).index(split))
    count, (left, right) = SIZES[split], COLUMNS[split]
    labels = rng.integers(len(photographs), size=count)
    rows = rng.integers(photographs[0].shape[0] - SIDE + 1, size=count)
    columns = rng.integers(left, right - SIDE + 1, size=count)
    cut = [photographs[k][row : row + SIDE, column : column + SIDE] for k, row, column in zip(labels, rows, columns)]
    return np.stack(cut), labels
