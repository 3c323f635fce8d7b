"""Short representations of dataclasses that hold arrays."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_LISTED = 8  # numbers of a vector; of a longer one, its type and shape are enough to know what it is


class ShortRepr:
    """Base of dataclasses whose ``repr`` gives type and shape of long arrays, and leaves out what is empty.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(repr=False)
    ... class Codes(ShortRepr):
    ...     mean: np.ndarray
    ...     std: np.ndarray | None = None
    >>> Codes(np.zeros((3, 2)))
    Codes(mean=<float64 array (3, 2)>)
    """

    def __repr__(self: DataclassInstance) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.repr}
        shown = [f"{name}={_short_value(value)}" for name, value in values.items() if not _is_empty(value)]
        return f"{type(self).__name__}({', '.join(shown)})"


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, tuple, list, dict)) and not value)


def _short_value(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.size <= MAX_LISTED:
        value = value.tolist()
    if isinstance(value, (float, np.floating)):
        return repr(float(f"{value:.6g}"))
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} array {value.shape}>"
    if isinstance(value, (list, tuple)):
        listed = ", ".join([*map(_short_value, value[:MAX_LISTED]), *["..."] * (len(value) > MAX_LISTED)])
        return f"({listed}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{listed}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_short_value(item)}' for key, item in value.items())}}}"
    text = repr(value)
    return f"<{type(value).__name__}>" if "\n" in text else text  # a table
