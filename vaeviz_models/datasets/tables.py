"""scikit-learn's tables, embedded: features by name, each in standard deviations from its mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.data.dataset import Dataset, Split


def wine(*, split: Split = "train") -> Dataset:
    """178 wines of three cultivars by 13 measures, standardized (Forina et al. 1991); every fifth for testing."""
    from sklearn.datasets import load_wine

    return _standardized(load_wine(), split, ("cultivar 1", "cultivar 2", "cultivar 3"), "wine")


def breast_cancer(*, split: Split = "train") -> Dataset:
    """569 tumours by 30 measures of cell nuclei, standardized (Street et al. 1993); every fifth for testing."""
    from sklearn.datasets import load_breast_cancer

    return _standardized(load_breast_cancer(), split, ("malignant", "benign"), "breast-cancer")


def _standardized(bunch: Any, split: Split, class_names: tuple[str, ...], name: str) -> Dataset:
    """The split of a table; mean and standard deviation are those of the rows for training."""
    testing = np.arange(len(bunch.data)) % 5 == 0
    train = bunch.data[~testing]
    x = ((bunch.data - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
    names = tuple(str(feature).replace("_", " ") for feature in bunch.feature_names)
    data = Dataset(x, bunch.target, class_names, name=name, feature_names=names)
    return data if split == "all" else data[testing if split == "test" else ~testing]
