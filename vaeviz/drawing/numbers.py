"""Numbers as a figure writes them."""

from __future__ import annotations

import math

ROUNDING = 1e-9  # an error this small is that of the arithmetic


def with_error(value: float, error: float) -> str:
    """``−24.91 ± 0.13``: a value and its standard error, to two digits of the error; alone where that is not known."""
    if not error > ROUNDING:
        text = f"{round(value, 9):.3g}" + (" ± 0" if error <= ROUNDING else "")
    else:
        decimals = max(0, 1 - math.floor(math.log10(error)))
        text = f"{value:.{decimals}f} ± {error:.{decimals}f}"
    return text.replace("-", "−")
