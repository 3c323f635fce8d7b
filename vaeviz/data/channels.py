"""Where the channels of images stand, and samples brought from one shape to another without scrambling them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vaeviz.errors import InputError

if TYPE_CHECKING:
    import numpy as np


def match_shape(samples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Samples (N, *any) as (N, *shape): channels are moved to where `shape` has them, flat samples are folded.

    Raises `InputError` where the shapes hold different numbers of values.
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
        raise InputError(f"got samples of shape {own}, expected {shape}")
    return samples.reshape(len(samples), *shape)


def channels_first_shape(sample_shape: tuple[int, ...], spatial: int = 2) -> tuple[int, ...]:
    """The shape (C, H, W) of a sample (H, W) or (H, W, C); likewise for signals with ``spatial=1``."""
    if len(sample_shape) == spatial:
        return (1, *sample_shape)
    return (sample_shape[-1], *sample_shape[:-1])


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether a shape can only be (C, H, W): one, three or four channels lead, and do not end it."""
    return len(shape) == 3 and shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
