"""Maps of codes in two dimensions, by a registered engine."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vaeviz.errors import InputError, NotApplicable
from vaeviz.plugins import registry
from vaeviz.plugins.options import options_of

AUTO = "auto"
SMALL = 1000
"""Up to so many codes ``engine="auto"`` takes scikit-learn, where it is as quick."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """A map of codes.

    points: (N, 2). engine: the one that made it. size: of the codes, D.
    """

    points: np.ndarray
    engine: str
    size: int
    _place: Callable | None = field(default=None, repr=False)

    @property
    def can_place(self) -> bool:
        """Whether further codes can be placed into the map."""
        return self._place is not None

    def place(self, z: np.ndarray) -> np.ndarray:
        """Where further codes z (M, D) come to lie in the map, which itself stays: (M, 2).

        Raises `NotApplicable` where the engine cannot, and `InputError` for codes of another size.
        """
        if self._place is None:
            raise NotApplicable(f"engine {self.engine!r} cannot place further codes; opentsne, umap and pca can")
        z = np.asarray(z)
        if z.ndim != 2 or z.shape[1] != self.size:
            raise InputError(f"codes to place: got shape {z.shape}, expected (M, {self.size})")
        return np.asarray(self._place(z))


def embed(z: np.ndarray, engine: str = AUTO, **settings: Any) -> Embedding:
    """A map of codes z (N, D) by the engine registered under that name, e.g. ``embed(z, perplexity=50.0, seed=1)``.

    engine: "tsne" (scikit-learn), "opentsne", "umap", "pca", one of a plug-in, or "auto": see `engine_for`.
    settings: those that the engine takes are given to it. The last few maps are remembered: the same codes, engine and
    settings give the same map again, at once. Raises `UnknownName` for an unknown engine, `InputError` for one whose
    library is not installed, `NotApplicable` where all codes are the same.
    """
    z = np.asarray(z)
    if z.ndim != 2:
        raise InputError(f"codes to map: got shape {z.shape}, expected (N, D)")
    if not np.ptp(z, axis=0).any():
        raise NotApplicable(f"all {len(z)} codes are the same, there is nothing to map: has the posterior collapsed?")
    engine = choose_engine(len(z), settings.get("perplexity", 0.0)) if engine == AUTO else engine
    function = registry.load("vaeviz.embeddings", engine)
    taken = tuple((name, value) for name, value in settings.items() if name in options_of(function))
    points, place = _mapped(function, _Codes(z), taken)
    if points.shape != (len(z), 2):
        raise InputError(f"embedding {engine!r}: got shape {points.shape}, expected {(len(z), 2)}")
    return Embedding(points.copy(), engine, z.shape[1], place)


def choose_engine(total: int, perplexity: float = 0.0) -> str:
    """The t-SNE that "auto" stands for: "opentsne" for more than 1,000 codes where it is installed, else "tsne"."""
    many = total > max(SMALL, 3 * perplexity)
    return "opentsne" if many and importlib.util.find_spec("openTSNE") else "tsne"


def clear_embedding_cache() -> None:
    """Let go of the maps that are remembered, and of their codes."""
    _mapped.cache_clear()


class _Codes:
    """Codes as a key: equal where their values, type and shape are."""

    def __init__(self, z: np.ndarray):
        self.z = np.ascontiguousarray(z)
        self.key = (self.z.dtype.str, self.z.shape, hashlib.sha256(self.z.data).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Codes) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@functools.lru_cache(maxsize=4)
def _mapped(function: Callable, codes: _Codes, settings: tuple) -> tuple[np.ndarray, Callable | None]:
    made = function(codes.z.copy(), **dict(settings))
    points, place = made if isinstance(made, tuple) else (made, None)
    return np.asarray(points), place
