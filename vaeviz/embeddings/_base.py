"""Two-dimensional maps of codes by a registered engine."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vaeviz.data.arrays import as_matrix
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plugins import registry
from vaeviz.plugins.options import check_arguments, options_of
from vaeviz.plugins.short_repr import ShortRepr
from vaeviz.plugins.signature import hide_private_parameters

if TYPE_CHECKING:
    import pandas as pd

Place = Callable[[np.ndarray], np.ndarray]

AUTO = "auto"
MAX_SKLEARN_CODES = 1000  # up to here scikit-learn's t-SNE is as fast as openTSNE
N_CACHED_MAPS = 4  # a figure set draws one map several times


@hide_private_parameters
@dataclass(frozen=True, eq=False, repr=False)
class Embedding(ShortRepr):
    """A two-dimensional map of codes.

    Attributes
    ----------
    points : ndarray, shape (N, 2)
        The mapped codes.
    engine : str
        Name of the engine.
    size : int
        Dimension D of the codes.
    """

    points: np.ndarray
    engine: str
    size: int
    _place: Place | None = field(default=None, repr=False)

    @property
    def can_place(self) -> bool:
        """True if further codes can be placed into the map."""
        return self._place is not None

    def place(self, z: np.ndarray) -> np.ndarray:
        """Place further codes into the map, which stays as it is.

        Parameters
        ----------
        z : array_like, shape (M, D)
            Codes.

        Returns
        -------
        ndarray, shape (M, 2)
            Their points on the map.

        Raises
        ------
        NotApplicable
            If the engine cannot place further codes.
        InputError
            If the codes have another dimension.

        Examples
        --------
        >>> import numpy as np
        >>> from vaeviz import embed
        >>> z = np.random.default_rng(0).standard_normal((50, 4))
        >>> found = embed(z, engine="pca")
        >>> np.allclose(found.place(z[:3]), found.points[:3])
        True
        """
        if self._place is None:
            raise NotApplicable(
                f"Engine {self.engine!r} cannot place further codes into its map.",
                fix='Use engine="opentsne", "torch_tsne", "umap" or "pca".',
            )
        z = np.asarray(z)
        if z.ndim != 2 or z.shape[1] != self.size:
            raise InputError(
                f"The codes to place have shape {z.shape}, but the mapped codes have {self.size} dimensions.",
                got=f"shape {z.shape}",
                expected=f"(M, {self.size})",
                fix=f"Pass codes of {self.size} dimensions, from the same encoder.",
            )
        return np.asarray(self._place(z))

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per code.

        Returns
        -------
        pandas.DataFrame
            Columns ``x`` and ``y``.
        """
        import pandas as pd

        return pd.DataFrame(self.points, columns=["x", "y"])


def embed(z: np.ndarray, engine: str = AUTO, **settings: Any) -> Embedding:
    """Map codes to two dimensions.

    Parameters
    ----------
    z : array_like, shape (N, D)
        Codes.
    engine : str, default: "auto"
        Registered engine: "tsne" (scikit-learn), "opentsne", "torch_tsne" (on a GPU), "umap", "pca" or one of a
        plug-in. "auto" is the fastest t-SNE of those available, see `choose_engine`.
    **settings
        Settings such as ``perplexity=50.0`` or ``seed=1``. Those that the engine does not have are ignored.

    Returns
    -------
    Embedding
        The map. The last few maps are cached: the same codes, engine and settings return the same map.

    Raises
    ------
    UnknownName
        If the engine is not registered.
    InputError
        If the codes are not a matrix, or the engine's library is not installed.
    NotApplicable
        If all codes are equal.

    Examples
    --------
    >>> embed(np.eye(3, 4), "pca").points.shape
    (3, 2)
    """
    check_arguments(embed, locals())
    z = as_matrix(z, "z")
    if not np.ptp(z, axis=0).any():
        raise NotApplicable(f"All {len(z)} codes are equal, so there is nothing to map.")
    engine = choose_engine(len(z), settings.get("perplexity", 1.0)) if engine == AUTO else engine
    function = cast("Callable[..., Any]", registry.load("vaeviz.embeddings", engine))
    options = options_of(function)
    known = tuple((name, options[name].check(value)) for name, value in settings.items() if name in options)
    points, place = _cached_map(function, _HashableCodes(z), known)
    if points.shape != (len(z), 2):
        raise InputError(
            f"Embedding engine {engine!r} returned shape {points.shape}, but a map of {len(z)} codes has shape "
            f"{(len(z), 2)}.",
            got=f"shape {points.shape}",
            expected=f"shape {(len(z), 2)}",
        )
    return Embedding(points.copy(), engine, z.shape[1], place)


def choose_engine(n_codes: int, perplexity: float = 1.0) -> str:
    """Return the t-SNE engine that "auto" selects.

    Parameters
    ----------
    n_codes : int
        Number of codes.
    perplexity : float, default: 1.0
        Perplexity; the faster engines need more than three times as many codes.

    Returns
    -------
    str
        For more than 1,000 codes "torch_tsne" if torch is in use and finds a GPU, else "opentsne" if it is installed;
        otherwise "tsne".
    """
    check_arguments(choose_engine, locals())
    if n_codes <= max(MAX_SKLEARN_CODES, 3 * perplexity):
        return "tsne"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return "torch_tsne"
    return "opentsne" if importlib.util.find_spec("openTSNE") else "tsne"


def clear_embedding_cache() -> None:
    """Forget all cached maps and their codes."""
    _cached_map.cache_clear()


class _HashableCodes:
    """Codes that can be the key of a cache: equal if their values, type and shape are."""

    def __init__(self, z: np.ndarray) -> None:
        self.z = np.ascontiguousarray(z)
        self.key = (self.z.dtype.str, self.z.shape, hashlib.sha256(self.z.data).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _HashableCodes) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@functools.lru_cache(maxsize=N_CACHED_MAPS)
def _cached_map(
    function: Callable[..., Any], codes: _HashableCodes, settings: tuple[tuple[str, Any], ...]
) -> tuple[np.ndarray, Place | None]:
    result = function(codes.z.copy(), **dict(settings))
    points, place = result if isinstance(result, tuple) else (result, None)
    return np.asarray(points), place
