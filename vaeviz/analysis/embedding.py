"""Maps of codes in two dimensions, by a registered engine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from vaeviz import registry
from vaeviz.errors import InputError, NotApplicable
from vaeviz.options import options_of


def embed(z: np.ndarray, engine: str, **settings: Any) -> np.ndarray:
    """A map (N, 2) of codes z (N, D) by the engine registered under that name.

    The engine is given those settings that it takes. The last few maps are remembered: the same codes, engine and
    settings give the same map again, at once. Raises `UnknownName` for an unknown engine, `NotApplicable` where all
    codes are the same.
    """
    if not np.ptp(z, axis=0).any():
        raise NotApplicable(f"all {len(z)} codes are the same, there is nothing to map: has the posterior collapsed?")
    function = registry.load("vaeviz.embeddings", engine)
    taken = {name: value for name, value in settings.items() if name in options_of(function)}
    z = np.ascontiguousarray(z)
    embedded = _embedded(function, z.tobytes(), z.dtype.str, z.shape, tuple(taken.items()))
    if embedded.shape != (len(z), 2):
        raise InputError(f"embedding {engine!r}: got shape {embedded.shape}, expected {(len(z), 2)}")
    return embedded.copy()


@functools.lru_cache(maxsize=4)
def _embedded(function: Callable, content: bytes, dtype: str, shape: tuple, settings: tuple) -> np.ndarray:
    """The map of the codes that `content` holds; keyed by them, since an array cannot be a key."""
    return np.asarray(function(np.frombuffer(content, dtype).reshape(shape).copy(), **dict(settings)))
