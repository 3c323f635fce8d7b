"""scikit-learn's handwritten digits: embedded, so that everything runs without a network."""

from __future__ import annotations

import numpy as np

from vaeviz.data.dataset import Dataset, Split


def digits(*, split: Split = "train") -> Dataset:
    """1,797 handwritten digits of 8 × 8 pixels (Alpaydin & Kaynak 1998), embedded; every fifth one is for testing."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = Dataset((bunch.images / 16).astype(np.float32), bunch.target, name="digits")
    testing = np.arange(len(data)) % 5 == 0
    return data if split == "all" else data[testing if split == "test" else ~testing]
