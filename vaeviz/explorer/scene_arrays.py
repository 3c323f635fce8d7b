"""The arrays of a scene: named little-endian bytes, and what the scene says of each."""

from __future__ import annotations

import gzip
import re
from typing import Any, Literal

import numpy as np

DType = Literal["float64", "float32", "float16", "int32", "uint8"]
ArrayRef = dict[str, Any]
"""Reference to an array: its name, dtype and shape, and whether its bytes are compressed."""

MIN_SAVED_SHARE = 0.1  # of the bytes; a compression that saves less is not worth the time to undo it
GZIP_LEVEL = 6


class SceneArrays:
    """Named arrays that a scene refers to.

    Parameters
    ----------
    prefix : str, default ""
        Beginning of each name, so that two scenes can share their arrays.

    Attributes
    ----------
    data : dict of str to bytes
        The bytes of each array by its name, little-endian, compressed by gzip where the reference says so.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.data: dict[str, bytes] = {}

    def add(self, name: str, values: np.ndarray, dtype: DType = "float32", *, compress: bool = True) -> ArrayRef:
        """Add an array, and return the reference to it.

        Parameters
        ----------
        name : str
            Its name. Characters other than small letters and digits become hyphens.
        values : ndarray
            The values.
        dtype : str, default "float32"
            Type to store them in.
        compress : bool, default True
            Compress the bytes if that saves a tenth of them.

        Returns
        -------
        dict
            Name, dtype and shape; ``"gzip": True`` if the bytes are compressed.

        Examples
        --------
        >>> arrays = SceneArrays()
        >>> arrays.add("codes", np.zeros((2, 3)), compress=False)
        {'name': 'codes', 'dtype': 'float32', 'shape': [2, 3]}
        >>> len(arrays.data["codes"])
        24
        """
        unique = self.prefix + re.sub("[^a-z0-9]+", "-", name.lower())
        while unique in self.data:
            unique = f"{unique}-{len(self.data)}"
        stored = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).tobytes()
        reference: ArrayRef = {"name": unique, "dtype": dtype, "shape": list(np.shape(values))}
        if compress:
            compressed = gzip.compress(stored, GZIP_LEVEL, mtime=0)  # the time would change the bytes of each page
            if len(compressed) <= (1 - MIN_SAVED_SHARE) * len(stored):
                stored, reference = compressed, reference | {"gzip": True}
        self.data[unique] = stored
        return reference
