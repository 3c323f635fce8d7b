"""Seeded subsets and pairs of samples, balanced over classes."""

from __future__ import annotations

import numpy as np

from vaeviz.errors import InputError, NotApplicable


def subsample_rows(max_points: int | None, total: int, seed: int) -> np.ndarray:
    """Return random rows in ascending order.

    Parameters
    ----------
    max_points : int or None
        Largest number of rows, at least 1; None for all.
    total : int
        Number of rows to choose from.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray of int
        Rows.

    Raises
    ------
    InputError
        If `max_points` is below 1.
    """
    if max_points is not None and max_points < 1:
        raise InputError(
            f"max_points = {max_points} leaves no points.",
            got=f"max_points = {max_points}",
            expected="1 or more",
            fix="Pass a positive max_points, or None for all points.",
        )
    return stratified_rows(total if max_points is None else max_points, total, None, seed)


def representative_rows(points: np.ndarray, n_rows: int, seed: int) -> np.ndarray:
    """Return rows that represent all regions of points, each the nearest to a center of k-means.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        Points.
    n_rows : int
        Number of rows. There may be fewer, since two centers can have the same nearest point.
    seed : int
        Seed of k-means.

    Returns
    -------
    ndarray of int
        Rows in ascending order; all if there are no more than `n_rows`.

    Examples
    --------
    >>> representative_rows(np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]]), 2, seed=0)
    array([1, 4])
    """
    from scipy.cluster.vq import kmeans2
    from scipy.spatial.distance import cdist

    if len(points) <= n_rows:
        return np.arange(len(points))
    centers = kmeans2(np.asarray(points, np.float64), n_rows, minit="++", seed=seed)[0]
    return np.unique(cdist(centers, points).argmin(axis=1))


def stratified_rows(n_samples: int, total: int, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """Return different random rows, distributed over the classes as evenly as possible.

    Parameters
    ----------
    n_samples : int
        Number of rows; all are returned if there are fewer.
    total : int
        Number of rows to choose from.
    labels : ndarray of int, shape (total,), or None
        Class codes; negative codes mark missing labels, which are chosen last.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray of int
        Rows in ascending order, grouped by class if there are labels.
    """
    n_samples = min(n_samples, total)
    shuffled = np.random.default_rng(seed).permutation(total)
    if labels is None:
        return np.sort(shuffled[:n_samples])
    codes = labels[shuffled]
    turn = np.empty(total, dtype=int)  # number of earlier rows of the same class
    for code in np.unique(codes):
        members = codes == code
        turn[members] = np.arange(members.sum()) + (total if code < 0 else 0)
    rows = shuffled[np.argsort(turn, kind="stable")[:n_samples]]
    return np.asarray(rows[np.lexsort((labels[rows], labels[rows] < 0))])


def cross_class_pairs(n_pairs: int, total: int, labels: np.ndarray | None, seed: int) -> list[tuple[int, int]]:
    """Return random pairs of different rows, of different classes if there are two or more.

    Parameters
    ----------
    n_pairs : int
        Number of pairs.
    total : int
        Number of rows to choose from.
    labels : ndarray of int, shape (total,), or None
        Class codes. Samples with a missing label (negative codes) are left out if at least two others exist.
    seed : int
        Seed of the choice.

    Returns
    -------
    list of tuple of int
        Pairs of rows.

    Raises
    ------
    NotApplicable
        If there are fewer than two samples.
    """
    if labels is not None and (labels >= 0).sum() > 1 and (labels < 0).any():
        labeled = np.flatnonzero(labels >= 0)
        pairs = cross_class_pairs(n_pairs, len(labeled), labels[labeled], seed)
        return [(int(labeled[a]), int(labeled[b])) for a, b in pairs]
    if total < 2:
        raise NotApplicable(f"A pair needs two samples, but there is {total}.")
    rng = np.random.default_rng(seed)
    classes = labels if labels is not None and len(np.unique(labels)) > 1 else None
    chosen: list[tuple[int, int]] = []
    while len(chosen) < n_pairs:
        a, b = map(int, rng.integers(total, size=2))
        if a != b and (classes is None or classes[a] != classes[b]):
            chosen.append((a, b))
    return chosen


def same_class_pairs(n_pairs: int, groups: np.ndarray, seed: int) -> list[tuple[int, int]]:
    """Return random pairs of different rows within a group, distributed evenly over the groups.

    Parameters
    ----------
    n_pairs : int
        Number of pairs.
    groups : ndarray, shape (N,)
        Group of each row.
    seed : int
        Seed of the choice.

    Returns
    -------
    list of tuple of int
        Pairs of rows; empty if no group has two rows.
    """
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(groups, return_counts=True)
    names = rng.permutation(names[sizes > 1])
    turns = np.sort(names[np.arange(n_pairs) % len(names)]) if len(names) else names
    pairs = (rng.choice(np.flatnonzero(groups == name), size=2, replace=False) for name in turns)
    return [(int(a), int(b)) for a, b in pairs]


def pairs_between(classes: tuple[int, int], labels: np.ndarray, n_pairs: int, seed: int) -> list[tuple[int, int]]:
    """Return random pairs of different rows from one class to another.

    Parameters
    ----------
    classes : tuple of int
        Class codes of the first and of the second row.
    labels : ndarray of int, shape (N,)
        Class codes of all rows.
    n_pairs : int
        Number of pairs.
    seed : int
        Seed of the choice.

    Returns
    -------
    list of tuple of int
        Pairs of rows.

    Raises
    ------
    InputError
        If both classes are the same and have a single sample.
    """
    rng = np.random.default_rng(seed)
    starts, stops = (np.flatnonzero(labels == code) for code in classes)
    if len(np.union1d(starts, stops)) < 2:
        raise InputError(
            "A pair within a class needs two samples, but the class has one.",
            got="a class with one sample",
            expected="a class with two samples, or two classes",
        )
    first = rng.choice(starts, size=n_pairs)
    return [(int(a), int(rng.choice(stops[stops != a]))) for a in first]
