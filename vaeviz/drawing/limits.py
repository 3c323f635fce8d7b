"""Limits of scales, which a few extreme values do not change."""

from __future__ import annotations

import numpy as np

FENCE = 3.0  # interquartile ranges beyond the quartiles; values outside are "far out" (Tukey 1977)
MAX_FAR_SHARE = 0.01  # more values than this are a group of their own, which a scale must show
MIN_SHRINKAGE = 2.0  # a scale that far values stretch by less is not worth cutting


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest value, without a few that are far out.

    Parameters
    ----------
    values : ndarray
        Finite numbers, at least one.

    Returns
    -------
    low, high : float
        The range of all values, unless at most 1 % of them (or one) are more than three interquartile ranges beyond
        the quartiles, and the others have less than half of the range.

    Examples
    --------
    >>> robust_range(np.array([0.0, 1, 2, 3, 4, 5, 6, 1000]))
    (0.0, 6.0)
    """
    low, high = float(values.min()), float(values.max())
    first, third = np.quantile(values, (0.25, 0.75))
    reach = FENCE * (third - first)
    if reach == 0 or (low >= first - reach and high <= third + reach):
        return low, high
    is_inside = (values >= first - reach) & (values <= third + reach)
    if len(values) - np.count_nonzero(is_inside) > max(1, MAX_FAR_SHARE * len(values)):
        return low, high
    inside = values[is_inside]
    is_stretched = high - low > MIN_SHRINKAGE * np.ptp(inside)
    return (float(inside.min()), float(inside.max())) if is_stretched else (low, high)


def robust_points(points: np.ndarray) -> np.ndarray:
    """Return the points that are in the `robust_range` of each of their coordinates.

    Parameters
    ----------
    points : ndarray, shape (N, D)
        The points, at least one.

    Returns
    -------
    ndarray, shape (M, D)
        The points without a few that are far out; the same array if there are none.
    """
    low, high = np.array([robust_range(column) for column in points.T], points.dtype).T
    if (points.min(axis=0) >= low).all() and (points.max(axis=0) <= high).all():
        return points
    is_inside = ((points >= low) & (points <= high)).all(axis=1)
    return np.asarray(points[is_inside])
