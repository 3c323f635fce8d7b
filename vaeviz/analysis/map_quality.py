"""Whether a map keeps the neighborhoods of what it maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.jackknife import mean_standard_error
from vaeviz.errors import InputError

BLOCK = 256  # rows ranked at once


@dataclass(frozen=True, eq=False)
class MapQuality:
    """What a map keeps of the neighborhoods, for each of Q points and each k; 1 is best.

    k: (K,) sizes of a neighborhood. rows: (Q,) the points that were asked.
    trustworthiness: (K, Q) punishes neighbors on the map that are none in the original, continuity: (K, Q) the
    reverse, each by how far off they are (Venna & Kaski 2001): about 0.5 for a random map. recall: (K, Q) the share
    of the k nearest that are the same; k / (N − 1) for a random map.
    """

    k: np.ndarray
    rows: np.ndarray
    trustworthiness: np.ndarray
    continuity: np.ndarray
    recall: np.ndarray

    def mean(self, measure: str) -> np.ndarray:
        """The average of a measure over the points, (K,)."""
        return getattr(self, measure).mean(axis=1)

    def error(self, measure: str) -> np.ndarray:
        """Its standard error over the points, (K,)."""
        return mean_standard_error(getattr(self, measure).T)


def map_quality(
    original: np.ndarray, mapped: np.ndarray, ks: tuple[int, ...] = (10,), *, asked: int | None = None, seed: int = 0
) -> MapQuality:
    """How well a map (N, E) keeps the neighborhoods of the original (N, D), by Euclidean distance.

    ks: sizes of a neighborhood, each under N/2. asked: rank the neighbors of so many points, chosen at random with
    `seed`, among all N; None asks all. Memory is bounded: some rows at a time.
    """
    total = len(original)
    if len(mapped) != total:
        raise InputError(f"map: got {len(mapped)} points for {total} originals")
    if not ks or min(ks) < 1 or max(ks) >= total / 2:
        raise InputError(f"neighbors: got k = {max(ks, default=None)} for {total} points, expected fewer than half")
    rows = np.arange(total)
    if asked is not None and asked < total:
        rows = np.sort(np.random.default_rng(seed).permutation(total)[:asked])
    parts = [
        _kept(neighbor_ranks(original, block), neighbor_ranks(mapped, block), ks)
        for block in np.array_split(rows, -(-len(rows) // BLOCK))
    ]
    trustworthiness, continuity, recall = np.concatenate(parts, axis=2)
    return MapQuality(np.array(ks), rows, trustworthiness, continuity, recall)


def neighbor_ranks(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rank of every point among the neighbors of some `rows`: (Q, N), 1 the nearest, 0 the point itself."""
    from scipy.spatial.distance import cdist

    distances = cdist(points[rows].astype(np.float64), points.astype(np.float64))
    distances[np.arange(len(rows)), rows] = -1  # first, whatever lies on the same spot
    order = np.argsort(distances, axis=1, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, np.arange(len(points), dtype=np.int32)[None], axis=1)
    return ranks


def _kept(original: np.ndarray, mapped: np.ndarray, ks: tuple[int, ...]) -> np.ndarray:
    """Trustworthiness, continuity and recall from ranks (Q, N) each: (3, K, Q)."""
    total = original.shape[1]
    measures = []
    for k in ks:
        near, near_on_map = (original > 0) & (original <= k), (mapped > 0) & (mapped <= k)
        intruding = np.where(near_on_map & ~near, original - k, 0).sum(axis=1)
        missing = np.where(near & ~near_on_map, mapped - k, 0).sum(axis=1)
        worst = k * (2 * total - 3 * k - 1) / 2
        measures.append((1 - intruding / worst, 1 - missing / worst, (near & near_on_map).sum(axis=1) / k))
    return np.moveaxis(np.array(measures), 0, 1)
