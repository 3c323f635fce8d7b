"""What a sample is, told by its shape and names: an image, a signal, a point in the plane, or a row of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from vaeviz.data.channels import is_channels_first
from vaeviz.errors import InputError, UnknownName

if TYPE_CHECKING:
    import numpy as np

SampleKind = Literal["image", "spectrogram", "signal", "point", "table"]

MIN_SIGNAL_LENGTH = 32  # a vector of fewer numbers is taken for a row of a table
MAX_SIGNAL_CHANNELS = 4  # of a signal; what is wider is an image


def sample_kind(shape: tuple[int, ...], kind: SampleKind | None = None, names: Sequence[str] = ()) -> SampleKind:
    """The kind of samples of that shape, unless `kind` says which.

    A vector whose values have `names` is a row of a table. (H, W), (H, W, 1|3|4) and (1|3|4, H, W) are images, and so
    are vectors of a square number of values from 64 up; other vectors are signals from 32 values up, and so are
    (L, C) and (C, L) of up to 4 channels; two values are a point; fewer than 32 are a row of a table. A spectrogram
    has the shape of an image and is never guessed.
    """
    if kind is not None:
        return _checked(kind, shape)
    told = infer_kind(shape, names)
    if told is None:
        raise InputError(f"samples of shape {shape} cannot be drawn; images are (H, W), (H, W, 1|3|4) or (1|3|4, H, W)")
    return told


def infer_kind(shape: tuple[int, ...], names: Sequence[str] = ()) -> SampleKind | None:
    """The kind that a shape and names tell; None for what cannot be drawn."""
    size = math.prod(shape)
    if len(shape) == 1 and names:
        return "point" if size == 2 else "table"
    if _has_colors(shape):
        return "image"
    if len(shape) > 2:
        return None
    if len(shape) == 2 and min(shape) > 1:
        return "signal" if min(shape) <= MAX_SIGNAL_CHANNELS and max(shape) >= MIN_SIGNAL_LENGTH else "image"
    if size == 2:
        return "point"
    if len(shape) == 1 and size >= 64 and math.isqrt(size) ** 2 == size:
        return "image"
    return "signal" if size >= MIN_SIGNAL_LENGTH else "table"


def as_images(samples: np.ndarray, n_leading_axes: int) -> np.ndarray:
    """Samples with `n_leading_axes` leading axes as images (..., H, W) or (..., H, W, 3|4); square vectors are folded."""
    shape = samples.shape[n_leading_axes:]
    if is_channels_first(shape):
        import numpy as np

        samples = np.moveaxis(samples, n_leading_axes, -1)
        shape = samples.shape[n_leading_axes:]
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        return samples.reshape(*samples.shape[:n_leading_axes], side, side)
    if len(shape) == 3 and shape[-1] == 1:
        return samples[..., 0]
    return samples


def as_signals(samples: np.ndarray, n_leading_axes: int) -> np.ndarray:
    """Samples with `n_leading_axes` leading axes as signals (..., L, C): the longer of two sides runs along."""
    length, *channels = _sides(samples.shape[n_leading_axes:])
    signals = samples.reshape(*samples.shape[:n_leading_axes], length, *(channels or [1]))
    return signals.swapaxes(-1, -2) if channels and length < channels[0] else signals


def column_names(names: Any, x: Any = None) -> tuple[str, ...]:
    """The names that were given, else those of the columns of x (a data frame's); () where there are none."""
    if names is not None and len(names):
        return tuple(map(str, names))
    columns = tuple(getattr(x, "columns", ()))
    return columns if all(isinstance(column, str) for column in columns) else ()


def label_factors(names: tuple[str, ...], factors: np.ndarray | None) -> tuple[str, ...]:
    """The names of factors (N, K), ``factor 1`` and so on where there are none; `InputError` if too few or many."""
    count = 0 if factors is None else 1 if factors.ndim == 1 else factors.shape[1]
    if names and len(names) != count:
        raise InputError(f"factor_names: got {len(names)} names for {count} factors")
    return names or tuple(f"factor {k + 1}" for k in range(count))


def displayed_names(names: tuple[str, ...], kind: SampleKind | None, shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of what is drawn apart: the values of a table, the coordinates of a point, a signal's channels.

    () where there are none, or where they name something else (pixels, say). `InputError` if they are too few or many.
    """
    size, parts = math.prod(shape), {"table": "values", "point": "coordinates", "signal": "channels"}
    if not names or kind not in parts:
        return ()
    count = min(_sides(shape)) if kind == "signal" and len(_sides(shape)) > 1 else 1 if kind == "signal" else size
    if len(names) == count:
        return names
    if kind == "signal" and len(names) == size:
        return ()
    raise InputError(f"feature_names: got {len(names)} names for samples of {count} {parts[kind]}")


def _sides(shape: tuple[int, ...]) -> list[int]:
    """The sides that are longer than 1, or the one that there is."""
    return [side for side in shape if side > 1] or [1]


def _has_colors(shape: tuple[int, ...]) -> bool:
    return (len(shape) == 3 and shape[-1] in (1, 3, 4)) or is_channels_first(shape)


def _checked(kind: SampleKind, shape: tuple[int, ...]) -> SampleKind:
    size = math.prod(shape)
    if kind not in get_args(SampleKind):
        raise UnknownName("kind of sample", str(kind), get_args(SampleKind))
    if kind == "point" and size != 2:
        raise InputError(f"kind='point': samples have {size} values, expected 2")
    if kind == "image" and len(shape) == 1 and math.isqrt(size) ** 2 != size:
        raise InputError(f"kind='image': {size} values are no square image; declare the decoder's sample_shape=(H, W)")
    if kind == "image" and len(shape) > 2 and not _has_colors(shape):
        raise InputError(f"samples of shape {shape} cannot be drawn; images are (H, W), (H, W, 1|3|4) or (1|3|4, H, W)")
    if kind == "spectrogram" and not (len(shape) == 2 or (_has_colors(shape) and 1 in (shape[0], shape[-1]))):
        raise InputError(f"kind='spectrogram': got samples of shape {shape}, expected (F, T), frequencies by times")
    if kind == "signal" and len(_sides(shape)) > 2:
        raise InputError(f"kind='signal': got samples of shape {shape}, expected (L,), (L, C) or (C, L)")
    return kind
