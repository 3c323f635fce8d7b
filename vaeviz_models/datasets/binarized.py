"""Another data set in black and white, for likelihoods of binary pixels: ``binarized:mnist``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vaeviz.data.dataset import Dataset, Split
from vaeviz.data.loading import load_data
from vaeviz.errors import InputError

SEED = 0


def binarized(name: str, *, split: Split = "train", data_dir: Path | None = None, labels: str | None = None) -> Dataset:
    """Samples of 0 and 1, drawn once from the data set NAME with its values as chances of a 1.

    The draw is always the same (Salakhutdinov & Murray 2008). ``vaeviz train --binarize true`` draws anew each time.
    """
    gray = load_data(name, split=split, data_dir=data_dir, labels=labels)
    low, high = float(gray.x.min()), float(gray.x.max())
    if low < 0 or high > 1:
        raise InputError(f"binarized: {name} lies in [{low:.3g}, {high:.3g}], expected chances of a 1, in [0, 1]")
    chances = np.random.default_rng(SEED).random(gray.x.shape, dtype=np.float32)
    return replace(gray, x=(chances < gray.x).astype(np.float32), name=f"binarized {gray.name}")
