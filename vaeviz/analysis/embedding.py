"""Maps of codes in two dimensions, by a registered engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz import registry
from vaeviz.errors import InputError
from vaeviz.options import options_of


def embed(z: np.ndarray, engine: str, **settings: Any) -> np.ndarray:
    """A map (N, 2) of codes z (N, D) by the engine registered under that name.

    The engine is given those settings that it takes. Raises `UnknownName` for an unknown engine.
    """
    function = registry.load("vaeviz.embeddings", engine)
    taken = {name: value for name, value in settings.items() if name in options_of(function)}
    embedded = np.asarray(function(z, **taken))
    if embedded.shape != (len(z), 2):
        raise InputError(f"embedding {engine!r}: got shape {embedded.shape}, expected {(len(z), 2)}")
    return embedded
