"""Class structure of codes: the share of neighbors that have the class of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.jackknife import jackknife_error
from vaeviz.errors import InputError, NotApplicable
from vaeviz.plugins.short_repr import ShortRepr

if TYPE_CHECKING:
    import pandas as pd

N_GROUPS = 10  # of the jackknife
SPARE_NEIGHBORS = 10  # beyond twice the number that votes, so that enough are left without a group
MAX_SILHOUETTES = 2000  # points; all their pairwise distances are held at once


@dataclass(frozen=True, eq=False, repr=False)
class ClassStructure(ShortRepr):
    """How well the neighbors of points predict their classes.

    Attributes
    ----------
    k : ndarray of int, shape (K,)
        Numbers of neighbors.
    hits : ndarray of bool, shape (K, N)
        Whether the k nearest other points vote for a point's own class.
    accuracy_error : ndarray, shape (K,)
        Standard errors of `accuracy`; NaN for fewer than 20 points.
    confusion : ndarray, shape (C, C)
        Share of the points of a class (row) that were voted into each class (column), at the middle k.
    silhouettes : ndarray, shape (S,)
        Silhouettes of points, from −1 to 1 (Rousseeuw 1987).
    silhouette_error : float
        Standard error of their mean; NaN for fewer than 20 points.
    chance : float
        Accuracy of always predicting the largest class.
    """

    k: np.ndarray
    hits: np.ndarray
    accuracy_error: np.ndarray
    confusion: np.ndarray
    silhouettes: np.ndarray
    silhouette_error: float
    chance: float

    @property
    def accuracy(self) -> np.ndarray:
        """Leave-one-out accuracy, shape (K,)."""
        return np.asarray(self.hits.mean(axis=1))

    @property
    def silhouette(self) -> Estimate:
        """Mean silhouette."""
        return Estimate(float(self.silhouettes.mean()), self.silhouette_error)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per number of neighbors.

        Returns
        -------
        pandas.DataFrame
            Columns ``k``, ``accuracy``, ``accuracy_error`` and ``chance``.
        """
        import pandas as pd

        accuracy = {"accuracy": self.accuracy, "accuracy_error": self.accuracy_error}
        return pd.DataFrame({"k": self.k, **accuracy, "chance": self.chance})


def class_structure(
    points: np.ndarray, classes: np.ndarray, ks: tuple[int, ...] = (1, 5, 10, 20), *, seed: int = 0
) -> ClassStructure:
    """Measure how well nearest neighbors predict classes, and compute silhouettes.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        Points, such as codes.
    classes : ndarray of int, shape (N,)
        Classes from 0 to C − 1.
    ks : tuple of int, default: (1, 5, 10, 20)
        Numbers of neighbors. A tied vote goes to the class of the nearest.
    seed : int, default: 0
        Seed of the choice of at most 2,000 points for silhouettes, and of the groups of the jackknife.

    Returns
    -------
    ClassStructure
        Votes, confusion and silhouettes.

    Raises
    ------
    NotApplicable
        If there is only one class, if no class has two samples, if all points are equal, or if there are too few
        points.
    InputError
        If a number of neighbors is below 1.

    Notes
    -----
    A point is a neighbor of others, so that votes and silhouettes are not independent: standard errors are by the
    jackknife, which leaves out groups of points altogether.

    References
    ----------
    Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis".
    """
    from scipy.spatial.distance import cdist

    n_classes = int(classes.max()) + 1
    counts = np.bincount(classes, minlength=n_classes)
    _check_classes(points, classes, counts, ks)
    nearest = nearest_others(points, min(2 * max(ks) + SPARE_NEIGHBORS, len(points) - 1))
    votes = [_majority_classes(classes[nearest[:, :k]], n_classes) for k in ks]
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, (classes, votes[len(ks) // 2]), 1)
    chosen = np.random.default_rng(seed).permutation(len(points))[:MAX_SILHOUETTES]
    some, of_chosen = points[chosen].astype(np.float64), classes[chosen]
    distances = cdist(some, some)

    def accuracies(rows: np.ndarray) -> list[float]:
        near = classes[_nearest_among(rows, nearest, max(ks))]
        return [(_majority_classes(near[:, :k], n_classes) == classes[rows]).mean() for k in ks]

    def mean_silhouette(rows: np.ndarray) -> float:
        return float(_silhouettes(distances, of_chosen, rows).mean())

    silhouette_error = jackknife_error(mean_silhouette, len(chosen), n_groups=N_GROUPS, seed=seed)
    return ClassStructure(
        k=np.array(ks),
        hits=np.array([vote == classes for vote in votes]),
        accuracy_error=jackknife_error(accuracies, len(classes), n_groups=N_GROUPS, seed=seed),
        confusion=confusion / np.maximum(counts, 1)[:, None],
        silhouettes=_silhouettes(distances, of_chosen, np.arange(len(chosen))),
        silhouette_error=float(silhouette_error),
        chance=float(counts.max() / len(classes)),
    )


def nearest_others(points: np.ndarray, k: int) -> np.ndarray:
    """Return the nearest other points of each point.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        Points.
    k : int
        Number of neighbors, below N.

    Returns
    -------
    ndarray of int, shape (N, k)
        Rows of the neighbors, the nearest first.
    """
    from sklearn.neighbors import NearestNeighbors

    return np.asarray(NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False))


def principal_components(x: np.ndarray, n_components: int) -> np.ndarray:
    """Return the leading principal components of samples.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Samples.
    n_components : int
        Number of components; fewer are returned if x has fewer values.

    Returns
    -------
    ndarray, shape (N, n_components)
        Scores of the samples.
    """
    from sklearn.decomposition import PCA

    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    return np.asarray(PCA(min(n_components, *flat.shape), random_state=0).fit_transform(flat))


def _check_classes(points: np.ndarray, classes: np.ndarray, counts: np.ndarray, ks: tuple[int, ...]) -> None:
    if len(np.unique(classes)) < 2:
        raise NotApplicable("All samples belong to one class, so there is no class structure to measure.")
    if counts.max() < 2:
        raise NotApplicable(
            "Every label occurs once, so neighbors cannot predict it.",
            fix="Pass class labels that several samples share.",
        )
    if not np.ptp(points, axis=0).any():
        raise NotApplicable(f"All {len(points)} codes are equal, so they have no neighbors: the posterior collapsed.")
    if not len(ks) or min(ks) < 1:
        raise InputError(
            f"k = {min(ks, default='none')} neighbors were requested, but at least 1 is needed.",
            got=str(min(ks, default="none")),
            expected="1 or more",
        )
    if max(ks) >= len(points):
        raise NotApplicable(
            f"{max(ks)} neighbors need more than {len(points)} labeled points.", fix="Use fewer neighbors."
        )


def _nearest_among(rows: np.ndarray, nearest: np.ndarray, k: int) -> np.ndarray:
    """Return the k nearest (R, k) of each of some points among these, from the nearest of all points (N, K)."""
    is_left_out = np.ones(len(nearest), dtype=bool)
    is_left_out[rows] = False
    near = nearest[rows]
    return np.take_along_axis(near, np.argsort(is_left_out[near], axis=1, kind="stable")[:, :k], axis=1)


def _majority_classes(nearest: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the class with most votes among classes (N, k) of neighbors; ties go to the nearest, shape (N,)."""
    rows, size = np.arange(len(nearest)), (len(nearest), n_classes)
    votes = np.bincount((rows[:, None] * n_classes + nearest).ravel(), minlength=len(nearest) * n_classes).reshape(size)
    most = np.take_along_axis(votes, nearest, axis=1).argmax(axis=1)  # the first maximum belongs to the nearest
    return np.asarray(nearest[rows, most])


def _silhouettes(distances: np.ndarray, classes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return silhouettes among some of the points; a single NaN if they have one class, or one sample per class.

    The distances (N, N) are those of all points, so that the jackknife computes them once.
    """
    from sklearn.metrics import silhouette_samples

    if not 2 <= len(np.unique(classes[rows])) < len(rows):
        return np.full(1, np.nan)
    return np.asarray(silhouette_samples(distances[np.ix_(rows, rows)], classes[rows], metric="precomputed"))
