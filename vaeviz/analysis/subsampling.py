"""Which samples to show: seeded, and fair to every class."""

from __future__ import annotations

import numpy as np

from vaeviz.errors import InputError, NotApplicable


def subsample_rows(most: int | None, total: int, seed: int) -> np.ndarray:
    """At most `most` rows of `total`, at random, in their order; all of them for None. `InputError` below 1."""
    if most is not None and most < 1:
        raise InputError(f"max_points = {most}: expected 1 or more, or none for all")
    return stratified_rows(total if most is None else most, total, None, seed)


def stratified_rows(count: int, total: int, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """`count` different rows of `total`, at random but as evenly over the labels as they allow, in their order.

    labels: (total,) class codes, or None; negative codes stand for a missing label and come last.
    """
    count = min(count, total)
    shuffled = np.random.default_rng(seed).permutation(total)
    if labels is None:
        return np.sort(shuffled[:count])
    codes = labels[shuffled]
    turn = np.empty(total, dtype=int)  # how many of its class were dealt before it
    for code in np.unique(codes):
        mine = codes == code
        turn[mine] = np.arange(mine.sum()) + (total if code < 0 else 0)
    dealt = shuffled[np.argsort(turn, kind="stable")[:count]]
    return dealt[np.lexsort((labels[dealt], labels[dealt] < 0))]


def cross_class_pairs(count: int, total: int, labels: np.ndarray | None, seed: int) -> list[tuple[int, int]]:
    """`count` random pairs of different rows, of different labels where there are two or more;
    samples without a label (negative codes) are left out where others are enough."""
    if labels is not None and (labels >= 0).sum() > 1:
        among = np.flatnonzero(labels >= 0)
        if len(among) < total:
            return [
                (int(among[a]), int(among[b])) for a, b in cross_class_pairs(count, len(among), labels[among], seed)
            ]
    if total < 2:
        raise NotApplicable(f"a pair needs two samples, got {total}")
    rng = np.random.default_rng(seed)
    apart = labels is not None and len(np.unique(labels)) > 1
    pairs: list[tuple[int, int]] = []
    while len(pairs) < count:
        a, b = map(int, rng.integers(total, size=2))
        if a != b and not (apart and labels[a] == labels[b]):
            pairs.append((a, b))
    return pairs


def same_class_pairs(count: int, groups: np.ndarray, seed: int) -> list[tuple[int, int]]:
    """`count` random pairs of different rows, each of one group (N,), the groups in turn; none where all are single."""
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(groups, return_counts=True)
    several = rng.permutation(names[sizes > 1])
    turns = np.sort(several[np.arange(count) % len(several)]) if len(several) else several
    return [tuple(map(int, rng.choice(np.flatnonzero(groups == name), size=2, replace=False))) for name in turns]


def pairs_between(wanted: tuple[int, int], labels: np.ndarray, count: int, seed: int) -> list[tuple[int, int]]:
    """`count` random pairs of different rows, the first of one class code and the second of the other."""
    rng = np.random.default_rng(seed)
    starts, stops = (np.flatnonzero(labels == code) for code in wanted)
    if len(np.union1d(starts, stops)) < 2:
        raise InputError("a pair needs two samples, and that label has one")
    first = rng.choice(starts, size=count)
    return [(int(a), int(rng.choice(stops[stops != a]))) for a in first]
