"""Decide which values of a file become 0 and 1, or ask for them."""

from __future__ import annotations

from vaeviz.errors import Fix, InputError

MIN_USED_SHARE = 1 / 16  # 12-bit camera data in 16-bit files, and masks of 0 and 1 in bytes, use less of their range
USUAL_MAXIMA = (1, 255, 4095, 65535)  # of shares and of 8, 12 and 16 bits


def check_used_range(largest: float, bound: float, source: str, loader: str, path: str) -> None:
    """Raise InputError if values use so little of the range of their type that it cannot be their range.

    Parameters
    ----------
    largest : float
        The largest value.
    bound : float
        The largest value of the type, e.g. 255 for bytes.
    source : str
        What error messages call the values.
    loader : str
        Name of the data set, e.g. ``"npz"``.
    path : str
        The file or folder that was passed to the data set.

    Raises
    ------
    InputError
        If the largest value is above 0 and below 1/16 of `bound`. The fix declares the range.
    """
    if 0 < largest < MIN_USED_SHARE * bound:
        raise unknown_range(f"{source} has values up to {largest:g} of {bound:g}", 0, largest, loader, path)


def unknown_range(message: str, lowest: float, largest: float, loader: str, path: str) -> InputError:
    """Return the error that asks for a value range.

    Parameters
    ----------
    message : str
        What was found, without a full stop.
    lowest, largest : float
        The smallest and the largest value that were found.
    loader : str
        Name of the data set, e.g. ``"images"``.
    path : str
        The file or folder that was passed to the data set.

    Returns
    -------
    InputError
        Its fix declares the usual range that holds the values.
    """
    low = f"{min(lowest, 0):g}"
    high = f"{next((maximum for maximum in USUAL_MAXIMA if largest <= maximum), largest):g}"
    return InputError(
        f"{message}, so it is not known which values become 0 and 1.",
        got=f"values from {lowest:g} to {largest:g}",
        expected="a declared value range",
        fix=Fix(
            f'Write load_data("{loader}:{path}", value_range=({low}, {high})) if this is their range.',
            f"Write --data {loader}:{low},{high}:{path} if this is their range.",
        ),
    )
