"""Class structure of codes: do samples of a class lie together?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaeviz.analysis.jackknife import mean_standard_error
from vaeviz.errors import InputError, NotApplicable


@dataclass(frozen=True, eq=False)
class ClassStructure:
    """How well the classes of points are told by their neighbors.

    k: (K,) numbers of neighbors. hits: (K, N) whether the k nearest other points vote for a point's own class.
    confusion: (C, C) share of the points of a class (row) that were voted into each class (column), at the middle k.
    silhouettes: (S,) of points, from −1 to 1 (Rousseeuw 1987).
    chance: the accuracy of always voting for the largest class.
    """

    k: np.ndarray
    hits: np.ndarray
    confusion: np.ndarray
    silhouettes: np.ndarray
    chance: float

    @property
    def accuracy(self) -> np.ndarray:
        """Leave-one-out accuracy, (K,)."""
        return self.hits.mean(axis=1)

    @property
    def accuracy_error(self) -> np.ndarray:
        """Standard errors of `accuracy` over the points, (K,)."""
        return mean_standard_error(self.hits.T)

    @property
    def silhouette(self) -> tuple[float, float]:
        """Mean silhouette and its standard error."""
        return float(self.silhouettes.mean()), float(mean_standard_error(self.silhouettes))


def class_structure(
    points: np.ndarray, classes: np.ndarray, ks: tuple[int, ...] = (1, 5, 10, 20), *, seed: int = 0
) -> ClassStructure:
    """Votes of the nearest other points, and silhouettes, of points (N, D) with classes (N,) from 0 to C − 1.

    A tied vote goes to the class of the nearest. Silhouettes are of at most 2,000 points, chosen with `seed`.
    Raises `NotApplicable` for one class, for classes of one, for equal points, and for no more points than neighbors.
    """
    total = int(classes.max()) + 1
    if len(np.unique(classes)) < 2:
        raise NotApplicable("all samples are of one class, there is no class structure to measure")
    counts = np.bincount(classes, minlength=total)
    if counts.max() < 2:
        raise NotApplicable("no two samples share a label, so neighbors cannot tell it: are the labels classes?")
    if not np.ptp(points, axis=0).any():
        raise NotApplicable(f"all {len(points)} codes are the same and have no neighbors: has the posterior collapsed?")
    if not ks or min(ks) < 1:
        raise InputError(f"neighbors: got k = {min(ks, default='none')}, expected 1 or more")
    if max(ks) >= len(points):
        raise NotApplicable(f"{max(ks)} neighbors need more than {len(points)} labeled points; ask for fewer")
    nearest = classes[nearest_others(points, max(ks))]
    votes = [_winners(nearest[:, :k], total) for k in ks]
    middle = votes[len(ks) // 2]
    confusion = np.zeros((total, total))
    np.add.at(confusion, (classes, middle), 1)
    return ClassStructure(
        np.array(ks),
        np.array([vote == classes for vote in votes]),
        confusion / np.maximum(counts, 1)[:, None],
        _silhouettes(points, classes, seed),
        float(counts.max() / len(classes)),
    )


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other points of each point (N, D), the nearest first: (N, k) rows."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)


def principal_components(x: np.ndarray, count: int) -> np.ndarray:
    """The leading principal components of samples x (N, ...): (N, count), fewer where x has fewer values."""
    from sklearn.decomposition import PCA

    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    return PCA(min(count, *flat.shape), random_state=0).fit_transform(flat)


def _winners(nearest: np.ndarray, total: int) -> np.ndarray:
    """The class with most votes among (N, k) classes, the nearest one's if some are even: (N,)."""
    votes, each = np.zeros((len(nearest), total)), np.arange(len(nearest))
    np.add.at(votes, (each[:, None], nearest), 1)
    most = np.take_along_axis(votes, nearest, axis=1).argmax(axis=1)  # the first of equal ones, so the nearest
    return nearest[each, most]


def _silhouettes(points: np.ndarray, classes: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.metrics import silhouette_samples

    rows = np.random.default_rng(seed).permutation(len(points))[:2000]
    if not 2 <= len(np.unique(classes[rows])) < len(rows):
        return np.full(1, np.nan)
    return silhouette_samples(points[rows], classes[rows])
