"""Another data set in black and white, for likelihoods of binary pixels: ``binarised:mnist``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vaeviz.data import Dataset, Split, load_data
from vaeviz.errors import InputError

SEED = 0


def binarised(name: str, *, split: Split = "train", data_dir: Path | None = None, labels: str | None = None) -> Dataset:
    """Samples of 0 and 1, drawn once from the data set NAME with its values as chances of a 1.

    The draw is always the same (Salakhutdinov & Murray 2008). ``vaeviz train --binarise true`` draws anew each time.
    """
    grey = load_data(name, split=split, data_dir=data_dir, labels=labels)
    low, high = float(grey.x.min()), float(grey.x.max())
    if low < 0 or high > 1:
        raise InputError(f"binarised: {name} lies in [{low:.3g}, {high:.3g}], expected chances of a 1, in [0, 1]")
    chances = np.random.default_rng(SEED).random(grey.x.shape, dtype=np.float32)
    return replace(grey, x=(chances < grey.x).astype(np.float32), name=f"binarised {grey.name}")
