"""Load scikit-learn's tables, standardized; they need no download."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.data.dataset import Dataset, Split


def wine(*, split: Split = "train") -> Dataset:
    """Load 13 standardized measures of 178 wines of three cultivars.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load. Every fifth wine is in the test split.

    Returns
    -------
    Dataset
        Rows of a table, labeled by cultivar.

    References
    ----------
    Forina et al., "PARVUS: An extendible package for data exploration", 1991.
    """
    from sklearn.datasets import load_wine

    return _standardize(load_wine(), split, ("cultivar 1", "cultivar 2", "cultivar 3"), "wine")


def breast_cancer(*, split: Split = "train") -> Dataset:
    """Load 30 standardized measures of the cell nuclei of 569 tumors.

    Parameters
    ----------
    split : {"train", "test", "all"}, default: "train"
        The part to load. Every fifth tumor is in the test split.

    Returns
    -------
    Dataset
        Rows of a table, labeled malignant or benign.

    References
    ----------
    Street et al., "Nuclear feature extraction for breast tumor diagnosis", SPIE 1905, 1993.
    """
    from sklearn.datasets import load_breast_cancer

    return _standardize(load_breast_cancer(), split, ("malignant", "benign"), "breast-cancer")


def _standardize(bunch: Any, split: Split, class_names: tuple[str, ...], name: str) -> Dataset:
    """Standardize a table by the mean and standard deviation of its training split, and return a split."""
    is_test = np.arange(len(bunch.data)) % 5 == 0
    train = bunch.data[~is_test]
    x = ((bunch.data - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
    names = tuple(str(feature).replace("_", " ") for feature in bunch.feature_names)
    data = Dataset(x, bunch.target, class_names, name=name, feature_names=names)
    return data if split == "all" else data[is_test if split == "test" else ~is_test]
