"""Value ranges: which bytes are gray levels, and which samples are in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaeviz.data.sample_kind import SampleKind
from vaeviz.errors import Fix, GuessWarning, InputError, advise, warn_user

BYTE_RANGE = (0, 255)
LEVELS = (255, 4095, 65535)  # white in pictures of 8, 12 and 16 bits
MIN_USED_SHARE = 1 / 8  # values that span less of a range are probably of another one
RANGE_TOLERANCE = 0.1  # by which values may leave [0, 1], as resized pictures do


def are_gray_levels(values: np.ndarray, kind: SampleKind | None, names: Sequence[str], name: str) -> bool:
    """Return True if bytes are read as gray levels, of which 0 is black and 255 is white.

    Parameters
    ----------
    values : np.ndarray, shape (n, ...)
        Some of the samples, of any type.
    kind : str or None
        The kind of the samples, if it is declared.
    names : sequence of str
        Names of the values of a sample. Values with names belong to a table.
    name : str
        What warnings call the samples.

    Returns
    -------
    bool
        True for ``uint8`` samples of any shape, unless they are declared as a table, signals or points, or hold only 0
        and 1, which are a mask.

    Warns
    -----
    GuessWarning
        If no sample is brighter than 31 of 255.
    """
    if values.dtype != np.uint8 or not values.size or names or kind in ("table", "signal", "point"):
        return False
    brightest = int(values.max())
    if 1 < brightest < MIN_USED_SHARE * BYTE_RANGE[1]:
        warn_user(
            GuessWarning(
                f"{name} holds bytes up to {brightest}, which were divided by 255, so pictures are nearly black.",
                fix=f"If {brightest} is white, pass x / {brightest}. If these are not gray levels, pass "
                'x.astype("float32").',
            )
        )
    return brightest > 1


def warn_of_gray_levels(values: np.ndarray, encoder: str) -> None:
    """Warn if samples hold the whole numbers of pictures with 8, 12 or 16 bits, which few networks are trained on.

    Parameters
    ----------
    values : np.ndarray, shape (n, ...)
        Samples as an encoder receives them. Vectors often hold counts, so only those of 8 bits cause a warning.
    encoder : str
        Name of the encoder in messages.
    """
    lowest, highest = values.min(), values.max()
    levels = LEVELS if values.ndim > 2 else LEVELS[:1]
    white = next((level for level in levels if highest <= level), 0)
    if lowest >= 0 and BYTE_RANGE[1] / 2 < highest <= white and bool((values == values.round()).all()):
        warn_user(
            GuessWarning(
                f"encoder {encoder} received whole numbers from {lowest:g} to {highest:g}.",
                fix=advise(
                    ("If it expects [0, 1]", Fix(f"Pass x / {white}.")),
                    (
                        "If it expects these values",
                        Fix(
                            f"Pass x / {white}, and write vaeviz.Encoder(fn, value_range=(0, {white})).",
                            f"Add --value-range 0,{white}.",
                        ),
                    ),
                ),
            )
        )


def expand_unit_range(values: np.ndarray, value_range: tuple[float, float], encoder: str) -> np.ndarray:
    """Map samples in [0, 1] to the range that an encoder expects.

    Parameters
    ----------
    values : np.ndarray of float32
        The samples.
    value_range : tuple of float
        What 0 and 1 become.
    encoder : str
        Name of the encoder in messages.

    Returns
    -------
    np.ndarray of float32
        The samples for the encoder.

    Raises
    ------
    InputError
        If the samples are not in [0, 1].

    Examples
    --------
    >>> expand_unit_range(np.array([0, 0.25, 1], np.float32), (-1, 1), "encode")
    array([-1. , -0.5,  1. ], dtype=float32)
    """
    low, high = value_range
    lowest, highest = float(values.min()), float(values.max())
    if lowest < -RANGE_TOLERANCE or highest > 1 + RANGE_TOLERANCE:
        raise InputError(
            f"x has values from {lowest:.3g} to {highest:.3g}, but encoder {encoder} declares "
            f"value_range=({low:g}, {high:g}), which is for x in [0, 1].",
            got=f"{lowest:.3g} to {highest:.3g}",
            expected="0 to 1",
            fix=_unit_range_advice(lowest, highest, value_range),
        )
    return values * np.float32(high - low) + np.float32(low)


def _unit_range_advice(lowest: float, highest: float, declared: tuple[float, float]) -> str:
    """Return the line that brings samples to [0, 1] from the range that they probably have."""
    for low, high in (declared, (-1, 1), BYTE_RANGE):
        if low <= lowest and highest <= high and highest - lowest >= MIN_USED_SHARE * (high - low):
            shifted = "x" if low == 0 else f"(x {'+' if low < 0 else '-'} {abs(low):g})"
            return f"Pass {shifted} / {high - low:g}."
    if lowest >= 0:
        return f"If {highest:g} is white, pass x / {highest:g}."
    return "Leave value_range out if the encoder expects these values. Otherwise, pass x in [0, 1]."
