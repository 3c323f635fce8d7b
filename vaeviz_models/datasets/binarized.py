"""Binarize another data set for likelihoods of binary pixels: ``binarized:mnist``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError

SEED = 0


def binarized(
    name: str,
    *,
    split: Split = "train",
    data_dir: Path | None = None,
    labels: str | None = None,
    value_range: tuple[float, float] | None = None,
) -> Dataset:
    """Draw values of 0 and 1 once, with those of another data set as probabilities (binarized:mnist).

    The draw is always the same. ``vaeviz train --binarize true`` draws anew in every epoch.

    Parameters
    ----------
    name : str
        The other data set, with values in [0, 1].
    split : {"train", "test", "all"}, default: "train"
        The part to load.
    data_dir : Path, optional
        Folder with the files of the other data set.
    labels : str, optional
        The array, column or file with its labels.
    value_range : tuple of float, optional
        The values of its files that become 0 and 1.

    Returns
    -------
    Dataset
        The samples, with the labels and names of the other data set.

    Raises
    ------
    InputError
        If a value is outside [0, 1].

    References
    ----------
    Salakhutdinov & Murray, "On the quantitative analysis of deep belief networks", ICML 2008.
    """
    gray = load_data(name, split=split, data_dir=data_dir, labels=labels, value_range=value_range)
    low, high = float(gray.x.min()), float(gray.x.max())
    if low < 0 or high > 1:
        raise InputError(
            f"{name} has values from {low:.3g} to {high:.3g}, but only probabilities in [0, 1] can be binarized.",
            got=f"{low:.3g} to {high:.3g}",
            expected="0 to 1",
        )
    uniform = np.random.default_rng(SEED).random(gray.x.shape, dtype=np.float32)
    return replace(gray, x=(uniform < gray.x).astype(np.float32), name=f"binarized {gray.name}")
