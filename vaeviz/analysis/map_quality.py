"""Measure how well a two-dimensional map keeps the neighborhoods of the original points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vaeviz.errors import InputError
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

NeighborhoodMeasure = Literal["trustworthiness", "continuity", "recall"]

MEASURES = ("trustworthiness", "continuity", "recall")
MAX_BLOCK_ROWS = 256  # rows whose distances to all points are held at once
N_GROUPS = 10  # of the jackknife


@dataclass(frozen=True, eq=False, repr=False)
class MapQuality(ShortRepr):
    """How well a map keeps neighborhoods, for each of Q points and each k; 1 is best.

    Attributes
    ----------
    k : ndarray of int, shape (K,)
        Sizes of a neighborhood.
    rows : ndarray of int, shape (Q,)
        The points whose neighborhoods were compared.
    trustworthiness : ndarray, shape (K, Q)
        Penalizes neighbors on the map that are far apart in the original (Venna & Kaski 2001); about 0.5 for a
        random map.
    continuity : ndarray, shape (K, Q)
        Penalizes neighbors in the original that are far apart on the map; about 0.5 for a random map.
    recall : ndarray, shape (K, Q)
        Share of the k nearest neighbors that are the same; k / (N − 1) for a random map.
    errors : ndarray, shape (3, K)
        Standard errors of the means of the three.
    """

    k: np.ndarray
    rows: np.ndarray
    trustworthiness: np.ndarray
    continuity: np.ndarray
    recall: np.ndarray
    errors: np.ndarray

    def mean(self, measure: NeighborhoodMeasure) -> np.ndarray:
        """Return the mean of a measure over the points.

        Parameters
        ----------
        measure : {"trustworthiness", "continuity", "recall"}
            Name of the measure.

        Returns
        -------
        ndarray, shape (K,)
            Mean for each k.
        """
        return np.asarray(getattr(self, measure).mean(axis=1))

    def error(self, measure: NeighborhoodMeasure) -> np.ndarray:
        """Return the standard error of the mean of a measure.

        Parameters
        ----------
        measure : {"trustworthiness", "continuity", "recall"}
            Name of the measure.

        Returns
        -------
        ndarray, shape (K,)
            Standard error for each k, NaN for fewer than 20 points. It is that of other points on this map.
        """
        return np.asarray(self.errors[MEASURES.index(measure)])

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per k and point.

        Returns
        -------
        pandas.DataFrame
            Columns ``k``, ``row`` (of the point), ``trustworthiness``, ``continuity`` and ``recall``.
        """
        import pandas as pd

        measures = {name: getattr(self, name).ravel() for name in MEASURES}
        k, rows = np.repeat(self.k, len(self.rows)), np.tile(self.rows, len(self.k))
        return pd.DataFrame({"k": k, "row": rows, **measures})


def map_quality(
    original: np.ndarray,
    mapped: np.ndarray,
    ks: tuple[int, ...] = (10,),
    *,
    n_samples: int | None = None,
    seed: int = 0,
) -> MapQuality:
    """Measure how well a map keeps the neighborhoods of the original points.

    Parameters
    ----------
    original : ndarray, shape (N, D)
        Points before mapping.
    mapped : ndarray, shape (N, E)
        The same points on the map.
    ks : tuple of int, default: (10,)
        Sizes of a neighborhood, each below N/2.
    n_samples : int, optional
        Compare the neighborhoods of this many random points, among all N; by default of all.
    seed : int, default: 0
        Seed of their choice, and of the groups of the jackknife.

    Returns
    -------
    MapQuality
        Trustworthiness, continuity and recall, by Euclidean distance.

    Raises
    ------
    InputError
        If the numbers of points differ, or a neighborhood is too large.

    Notes
    -----
    The trustworthiness of point i is 1 − 2 Σ_j (r_ij − k) / (k (2N − 3k − 1)), summed over the points j that are among
    its k nearest on the map but not in the original, where r_ij is the rank of j in the original. Continuity exchanges
    both sets. Points are neighbors of each other, so that their values are not independent: standard errors are by the
    jackknife, which leaves out groups of points altogether.

    References
    ----------
    Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods", ICANN.

    Examples
    --------
    >>> points = np.random.default_rng(0).standard_normal((50, 2))
    >>> map_quality(points, 3 * points[:, ::-1]).mean("trustworthiness").tolist()
    [1.0]
    """
    total = len(original)
    if len(mapped) != total:
        raise InputError(
            f"The map has {len(mapped)} points but the original has {total}.",
            got=f"{len(mapped)} points",
            expected=f"{total} points",
        )
    if not ks or min(ks) < 1 or max(ks) >= total / 2:
        raise InputError(
            f"k = {max(ks, default=None)} neighbors were requested for {total} points, but k must be at least 1 and "
            "below half of the points.",
            got=f"k = {max(ks, default=None)}",
            expected="from 1 to fewer than half of the points",
            fix="Use fewer neighbors or more points.",
        )
    rows = np.arange(total)
    if n_samples is not None and n_samples < total:
        rows = np.sort(np.random.default_rng(seed).permutation(total)[:n_samples])
    groups = np.random.default_rng(seed).permutation(total) % N_GROUPS
    parts, sums = [], np.zeros((N_GROUPS, len(MEASURES), len(ks)))
    for block in np.array_split(rows, -(-len(rows) // MAX_BLOCK_ROWS)):
        ranks = neighbor_ranks(original, block), neighbor_ranks(mapped, block)
        parts.append(_measure_neighborhoods(*ranks, ks))
        for group in range(N_GROUPS if total >= 2 * N_GROUPS else 0):
            kept = groups != group
            left = [_ranks_among(some[kept[block]], kept) for some in ranks]
            sums[group] += _measure_neighborhoods(left[0], left[1], ks).sum(axis=2)
    errors = np.full(sums.shape[1:], np.nan)
    if total >= 2 * N_GROUPS:
        means = sums / [[[np.count_nonzero(groups[rows] != group)]] for group in range(N_GROUPS)]
        errors = math.sqrt(N_GROUPS - 1) * means.std(axis=0)
    trustworthiness, continuity, recall = np.concatenate(parts, axis=2)
    return MapQuality(np.array(ks), rows, trustworthiness, continuity, recall, errors)


def neighbor_ranks(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the rank of every point among the neighbors of some points.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        Points.
    rows : ndarray of int, shape (Q,)
        The points whose neighbors are ranked.

    Returns
    -------
    ndarray of int, shape (Q, N)
        1 for the nearest neighbor, 0 for the point itself.
    """
    from scipy.spatial.distance import cdist

    distances = cdist(points[rows].astype(np.float64), points.astype(np.float64))
    distances[np.arange(len(rows)), rows] = -1  # the point itself comes first, before its duplicates
    order = np.argsort(distances, axis=1, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, np.arange(len(points), dtype=np.int32)[None], axis=1)
    return ranks


def _ranks_among(ranks: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return ranks (Q, N) among some points only, shape (Q, kept)."""
    is_left_out = np.zeros(ranks.shape, dtype=bool)
    np.put_along_axis(is_left_out, ranks, ~kept[None], axis=1)
    n_nearer = np.cumsum(is_left_out, axis=1, dtype=np.int32)
    return np.asarray(ranks[:, kept] - np.take_along_axis(n_nearer, ranks[:, kept], axis=1))


def _measure_neighborhoods(original: np.ndarray, mapped: np.ndarray, ks: tuple[int, ...]) -> np.ndarray:
    """Return trustworthiness, continuity and recall from ranks (Q, N) each, shape (3, K, Q)."""
    total = original.shape[1]
    measures = []
    for k in ks:
        near, near_on_map = (original > 0) & (original <= k), (mapped > 0) & (mapped <= k)
        intruding = np.where(near_on_map & ~near, original - k, 0).sum(axis=1)
        missing = np.where(near & ~near_on_map, mapped - k, 0).sum(axis=1)
        worst = k * (2 * total - 3 * k - 1) / 2
        measures.append((1 - intruding / worst, 1 - missing / worst, (near & near_on_map).sum(axis=1) / k))
    return np.moveaxis(np.array(measures), 0, 1)
