"""Recognize and move the channel axis of images and signals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vaeviz.errors import InputError

if TYPE_CHECKING:  # the command line reads the sample kinds, and NumPy would slow it down
    import numpy as np


def match_shape(samples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Bring samples to another shape without scrambling their channels.

    Parameters
    ----------
    samples : np.ndarray, shape (N, ...)
        Images, signals or vectors.
    shape : tuple of int
        The shape of one sample, e.g. ``(3, 32, 32)``. One side may be -1.

    Returns
    -------
    np.ndarray, shape (N, *shape)
        The channels are moved to where `shape` has them; flat samples are reshaped.

    Raises
    ------
    InputError
        If the shapes hold different numbers of values.

    Examples
    --------
    >>> import numpy as np
    >>> match_shape(np.zeros((10, 32, 32, 3)), (3, 32, 32)).shape
    (10, 3, 32, 32)
    """
    import numpy as np

    own = samples.shape[1:]
    if own == shape:
        return samples
    if len(own) > 1 and shape == (*own[1:], own[0]) and own[0] > 1:
        return np.moveaxis(samples, 1, -1)
    if len(own) > 1 and shape == (own[-1], *own[:-1]) and own[-1] > 1:
        return np.moveaxis(samples, -1, 1)
    if -1 not in shape and math.prod(own) != math.prod(shape):
        raise InputError(
            f"The samples have shape {own}, which cannot become {shape}.", got=str(own), expected=str(shape)
        )
    return samples.reshape(len(samples), *shape)


def channels_first_shape(sample_shape: tuple[int, ...], spatial: int = 2) -> tuple[int, ...]:
    """Return the shape of a sample with its channels first.

    Parameters
    ----------
    sample_shape : tuple of int
        ``(H, W)`` or ``(H, W, C)``; of signals ``(L,)`` or ``(L, C)``.
    spatial : int, default: 2
        Number of spatial axes: 2 for images, 1 for signals.

    Returns
    -------
    tuple of int
        ``(C, H, W)`` or ``(C, L)``, with one channel if there is no channel axis.

    Examples
    --------
    >>> channels_first_shape((28, 28))
    (1, 28, 28)
    """
    if len(sample_shape) == spatial:
        return (1, *sample_shape)
    return (sample_shape[-1], *sample_shape[:-1])


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Return True if a shape can only be ``(C, H, W)``.

    Parameters
    ----------
    shape : tuple of int
        The shape of one sample.

    Returns
    -------
    bool
        True if the first side is 1, 3 or 4 and the last is not.
    """
    return len(shape) == 3 and shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
