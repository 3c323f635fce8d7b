"""Check whether a part returns the same for the same rows: it may sample, or use statistics of the whole batch."""

from __future__ import annotations

import numpy as np

from vaeviz.errors import GuessWarning

N_REPEATED_ROWS = 2  # as few as possible: normalization over so few rows gives other numbers, and no error

MAX_DIFFERENCE = 0.02  # of the standard deviation: rounding of bfloat16 may depend on the size of a batch


def first_rows(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Return the first rows of a batch, to be sent alone.

    Parameters
    ----------
    arrays : list of ndarray, shape (n, ...)
        The batch, and its conditions if there are any.

    Returns
    -------
    list of ndarray
        Their first rows.
    """
    return [array[:N_REPEATED_ROWS] for array in arrays]


def same_rows(one: np.ndarray, other: np.ndarray) -> bool:
    """Return True if two results are the same, up to rounding, in the rows that both have.

    Parameters
    ----------
    one, other : ndarray, shape (n, ...)
        What a part returned for the same rows, and for others after them.

    Returns
    -------
    bool
        The answer.
    """
    n_rows = min(len(one), len(other))
    if one.shape[1:] != other.shape[1:]:
        return False
    difference = np.abs(one[:n_rows].astype(np.float64) - other[:n_rows]).max()
    return bool(difference <= MAX_DIFFERENCE * max(float(np.std(other)), 1e-3 * float(np.abs(other).max())))


def repeatability_warning(part: str, outputs: str, *, is_steady: bool) -> GuessWarning:
    """Return the warning that a part samples, or that what it returns for a row depends on the other rows.

    Parameters
    ----------
    part : str
        What to call it, e.g. ``"decoder f"``.
    outputs : str
        What it returned, e.g. ``"samples"``.
    is_steady : bool
        Whether it returns the same for the same batch.

    Returns
    -------
    GuessWarning
        The warning.
    """
    if is_steady:
        return GuessWarning(
            f"{part} returned other {outputs} for the same input in a smaller batch: it uses the whole batch.",
            fix="Use statistics of the training data instead of those of the batch, e.g. those that a model has in "
            "eval mode.",
        )
    return GuessWarning(
        f"{part} returned other {outputs} for the same input the second time: it samples.",
        fix="Return its mean instead, or put it in eval mode.",
    )
