"""Foreign arrays as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaeviz.errors import InputError


def as_array(value: Any) -> np.ndarray:
    """A foreign array (NumPy, torch, JAX, sparse, nested lists, the X of an AnnData) as a NumPy array of numbers."""
    if hasattr(value, "obs") and hasattr(value, "X"):
        value = value.X
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float().numpy() if value.is_floating_point() else value.numpy()
    elif hasattr(value, "toarray"):  # a sparse matrix
        value = value.toarray()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"got a ragged {type(value).__name__}, expected an array ({error})") from None
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16 of JAX
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        got = type(value).__name__ if array.dtype == object else f"an array of {array.dtype}"
        raise InputError(f"got {got}, expected an array of real numbers")
    return array
