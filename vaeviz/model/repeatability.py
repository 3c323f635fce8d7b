"""Check whether a part returns the same for the same rows: it may sample, or use statistics of the whole batch."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vaeviz.errors import Fix, GuessWarning, advise

N_REPEATED_ROWS = 2  # as few as possible: normalization over so few rows gives other numbers, and no error

MAX_DIFFERENCE = 0.02  # of the standard deviation: rounding of bfloat16 may depend on the size of a batch


def last_rows(arrays: list[np.ndarray], n_rows: int = N_REPEATED_ROWS) -> list[np.ndarray]:
    """Return the last rows of a batch, to be sent alone.

    Alone they have other places than in the batch, so noise from a fixed seed gives them other numbers.

    Parameters
    ----------
    arrays : list of ndarray, shape (n, ...)
        The batch, and its conditions if there are any.
    n_rows : int, optional
        How many rows. As few as show whether they depend on others by default.

    Returns
    -------
    list of ndarray
        Their last rows.
    """
    return [array[-n_rows:] for array in arrays]


def same_rows(one: np.ndarray, other: np.ndarray) -> bool:
    """Return True if two results are the same, up to rounding, in the last rows, which both have.

    Parameters
    ----------
    one, other : ndarray, shape (n, ...)
        What a part returned for the same rows, and for others before them.

    Returns
    -------
    bool
        The answer.
    """
    n_rows = min(len(one), len(other))
    if one.shape[1:] != other.shape[1:]:
        return False
    if np.array_equal(one[:n_rows], other[:n_rows]):
        return True  # computed before, and returned by place
    difference = np.abs(one[-n_rows:].astype(np.float64) - other[-n_rows:]).max()
    return bool(difference <= MAX_DIFFERENCE * max(float(np.std(other)), 1e-3 * float(np.abs(other).max())))


def repeatability_warning(role: Literal["encoder", "decoder"], name: str, *, is_steady: bool) -> GuessWarning:
    """Return the warning that a part samples, or that what it returns for a row depends on the other rows.

    Parameters
    ----------
    role : {"encoder", "decoder"}
        Which part it is.
    name : str
        Its name.
    is_steady : bool
        Whether it returns the same for the same batch.

    Returns
    -------
    GuessWarning
        The warning.
    """
    outputs, rows = {"encoder": ("means", "x"), "decoder": ("samples", "z")}[role]
    same_input = f"{role} {name} returned other {outputs} for the same input"
    if not is_steady:
        return GuessWarning(
            f"{same_input} the second time: it samples.", fix="Return its mean instead, or put it in eval mode."
        )
    in_eval_mode = "Put it in eval mode, in which it uses statistics of the training data, and return its mean."
    in_one_batch = Fix(f"Write vaeviz.{role.capitalize()}(fn, batch_size=len({rows})).")
    return GuessWarning(
        f"{same_input} in a smaller batch: it uses the whole batch, or noise from a fixed seed.",
        fix=advise(
            ("If it normalizes over the batch, drops values or samples", Fix(in_eval_mode)),
            ("If each row depends on those beside it, as in a time series", in_one_batch),
        ),
    )
