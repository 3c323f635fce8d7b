"""Load scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split

MAX_GRAY_LEVEL = 16


def digits(*, split: Split = "train") -> Dataset:
    """Load 1,797 handwritten digits of 8 × 8 pixels.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load. Every fifth digit is in the test split.

    Returns
    -------
    Dataset
        Gray images in [0, 1], labeled by digit.

    References
    ----------
    Alpaydin & Kaynak, "Cascading classifiers", Kybernetika 34(4), 1998.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = Dataset((bunch.images / MAX_GRAY_LEVEL).astype(np.float32), bunch.target, name="digits")
    is_test = np.arange(len(data)) % 5 == 0
    return data if split == "all" else data[is_test if split == "test" else ~is_test]
