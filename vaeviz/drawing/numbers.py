"""Numbers as figures show them."""

from __future__ import annotations

import math

MIN_ERROR = 1e-9  # smaller errors are those of floating-point arithmetic


def with_error(value: float, error: float) -> str:
    """Return a value and its standard error as text, with two digits of the error.

    Parameters
    ----------
    value : float
        The value.
    error : float
        Its standard error; NaN if unknown, and then left out.

    Returns
    -------
    str
        The text, with a true minus sign.

    Examples
    --------
    >>> with_error(-24.913, 0.127)
    '−24.91 ± 0.13'
    """
    if error > MIN_ERROR:
        decimals = max(0, 1 - math.floor(math.log10(error)))
        text = f"{value:.{decimals}f} ± {error:.{decimals}f}"
    else:
        text = f"{round(value, 9):.3g}" + (" ± 0" if error <= MIN_ERROR else "")
    return text.replace("-", "−")
