"""Cut color patches from the two photographs of scikit-learn, which need no download."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split

SIDE = 16
N_PATCHES = {"train": 4000, "test": 1000}
COLUMNS = {"train": (0, 512), "test": (512, 640)}  # of photographs 640 pixels wide: the splits share no pixel


def patches(*, split: Split = "train") -> Dataset:
    """Load color patches of 16 × 16 pixels from two photographs, a palace and a flower.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load. Test patches are cut from the right fifth of the photographs.

    Returns
    -------
    Dataset
        Images (N, 16, 16, 3) in [0, 1], labeled by photograph.
    """
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    splits = tuple(N_PATCHES) if split == "all" else (split,)
    parts = [_cut_patches(photographs, part) for part in splits]
    x, labels = (np.concatenate(both) for both in zip(*parts))
    return Dataset(x.astype(np.float32) / np.float32(255), labels, ("palace", "flower"), name="patches")


def _cut_patches(photographs: list[np.ndarray], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return patches (N, 16, 16, 3) and the index of the photograph of each (N,)."""
    rng = np.random.default_rng(list(N_PATCHES).index(split))
    n_patches, (left, right) = N_PATCHES[split], COLUMNS[split]
    labels = rng.integers(len(photographs), size=n_patches)
    rows = rng.integers(photographs[0].shape[0] - SIDE + 1, size=n_patches)
    columns = rng.integers(left, right - SIDE + 1, size=n_patches)
    cut = [photographs[k][row : row + SIDE, column : column + SIDE] for k, row, column in zip(labels, rows, columns)]
    return np.stack(cut), labels
