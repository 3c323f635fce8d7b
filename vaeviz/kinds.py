"""What a sample is, told by its shape: an image, a signal, a point in the plane, or a row of a table."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from vaeviz.errors import InputError, UnknownName
from vaeviz.layout import has_channels_first

Kind = Literal["image", "signal", "point", "table"]

SIGNAL_FROM = 32  # a vector of fewer numbers is taken for a row of a table


def sample_kind(shape: tuple[int, ...], kind: Kind | None = None) -> Kind:
    """The kind of samples of that shape, unless `kind` says which.

    (H, W), (H, W, 1|3|4) and (1|3|4, H, W) are images, and so are vectors of a square number of values from 64
    up; other vectors are signals from 32 values up; two values are a point; fewer than 32 are a row of a table.
    """
    colour = (len(shape) == 3 and shape[-1] in (1, 3, 4)) or has_channels_first(shape)
    if len(shape) > 2 and not colour and kind in (None, "image"):
        raise InputError(f"samples of shape {shape} cannot be drawn; images are (H, W), (H, W, 1|3|4) or (1|3|4, H, W)")
    if kind is not None:
        return _checked(kind, shape)
    if colour or (len(shape) == 2 and min(shape) > 1):
        return "image"
    size = math.prod(shape)
    if size == 2:
        return "point"
    if size >= 64 and math.isqrt(size) ** 2 == size:
        return "image"
    return "signal" if size >= SIGNAL_FROM else "table"


def as_images(samples: np.ndarray, lead: int) -> np.ndarray:
    """Samples with `lead` leading axes as images (..., H, W) or (..., H, W, 3|4); square vectors are folded."""
    shape = samples.shape[lead:]
    if has_channels_first(shape):
        samples = np.moveaxis(samples, lead, -1)
        shape = samples.shape[lead:]
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        return samples.reshape(*samples.shape[:lead], side, side)
    if len(shape) == 3 and shape[-1] == 1:
        return samples[..., 0]
    return samples


def _checked(kind: Kind, shape: tuple[int, ...]) -> Kind:
    size = math.prod(shape)
    if kind not in get_args(Kind):
        raise UnknownName("kind of sample", str(kind), get_args(Kind))
    if kind == "point" and size != 2:
        raise InputError(f"kind='point': samples have {size} values, expected 2")
    if kind == "image" and len(shape) == 1 and math.isqrt(size) ** 2 != size:
        raise InputError(f"kind='image': {size} values are no square image; write Decoder(fn, sample_shape=(H, W))")
    return kind
