"""Recognize what a sample is by its shape and names: an image, a signal, a point in the plane, or a row of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from vaeviz.data.channels import is_channels_first
from vaeviz.errors import Fix, InputError, UnknownName, printable_text

if TYPE_CHECKING:  # the command line reads the kinds, and NumPy would slow it down
    import numpy as np

SampleKind = Literal["image", "spectrogram", "signal", "point", "table"]

MIN_SIGNAL_LENGTH = 32  # shorter vectors are rows of tables
MAX_SIGNAL_CHANNELS = 4  # wider arrays are images
MIN_FLAT_IMAGE_SIZE = 64  # shorter vectors of a square number of values are not images
COLOR_CHANNELS = (1, 3, 4)  # gray, RGB, RGBA
IMAGE_SHAPES = "(H, W), (H, W, 1|3|4) or (1|3|4, H, W)"
ANOTHER_KIND = Fix("Leave kind out, or pass another one.", "Leave --kind out, or name another one.")


def sample_kind(shape: tuple[int, ...], kind: SampleKind | None = None, names: Sequence[str] = ()) -> SampleKind:
    """Return the kind of samples of a shape.

    Parameters
    ----------
    shape : tuple of int
        The shape of one sample.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        The kind that was declared. It is checked and returned.
    names : sequence of str, optional
        Names of the values.

    Returns
    -------
    str
        The kind.

    Raises
    ------
    UnknownName
        If the declared kind does not exist.
    InputError
        If the shape does not fit the declared kind, or no kind.

    Notes
    -----
    A vector whose values have names is a row of a table. ``(H, W)``, ``(H, W, 1|3|4)`` and ``(1|3|4, H, W)`` are
    images, and so are vectors of a square number of values, 64 or more. Other vectors of 32 values or more are signals,
    and so are ``(L, C)`` and ``(C, L)`` with up to 4 channels. Two values are a point, other short vectors are rows of
    a table. A spectrogram has the shape of an image and must be declared.

    Examples
    --------
    >>> sample_kind((28, 28)), sample_kind((128,)), sample_kind((13,))
    ('image', 'signal', 'table')
    """
    if kind is not None:
        _check_kind(kind, shape)
        return kind
    inferred = infer_kind(shape, names)
    if inferred is None:
        raise _not_an_image(shape)
    return inferred


def infer_kind(shape: tuple[int, ...], names: Sequence[str] = ()) -> SampleKind | None:
    """Infer the kind of samples from their shape and the names of their values.

    Parameters
    ----------
    shape : tuple of int
        The shape of one sample.
    names : sequence of str, optional
        Names of the values.

    Returns
    -------
    str or None
        The kind by the rules of `sample_kind`; None for samples that cannot be drawn.
    """
    size = math.prod(shape)
    if len(shape) == 1 and names:
        return "point" if size == 2 else "table"
    if _has_color_channels(shape):
        return "image"
    if len(shape) > 2:
        return None
    if len(shape) == 2 and min(shape) > 1:
        return "signal" if min(shape) <= MAX_SIGNAL_CHANNELS and max(shape) >= MIN_SIGNAL_LENGTH else "image"
    if size == 2:
        return "point"
    if len(shape) == 1 and size >= MIN_FLAT_IMAGE_SIZE and math.isqrt(size) ** 2 == size:
        return "image"
    return "signal" if size >= MIN_SIGNAL_LENGTH else "table"


def as_images(samples: np.ndarray, n_leading_axes: int) -> np.ndarray:
    """Reshape samples to images with their channels last.

    Parameters
    ----------
    samples : np.ndarray, shape (..., *sample)
        Images, or vectors of a square number of values.
    n_leading_axes : int
        Number of axes before those of a sample.

    Returns
    -------
    np.ndarray, shape (..., H, W) or (..., H, W, 3) or (..., H, W, 4)
        The images; a single channel has no axis.
    """
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
    """Reshape samples to signals with their channels last.

    Parameters
    ----------
    samples : np.ndarray, shape (..., *sample)
        Signals ``(L,)``, ``(L, C)`` or ``(C, L)``.
    n_leading_axes : int
        Number of axes before those of a sample.

    Returns
    -------
    np.ndarray, shape (..., L, C)
        The signals; the longer of two sides is L.
    """
    length, *channels = _long_sides(samples.shape[n_leading_axes:])
    signals = samples.reshape(*samples.shape[:n_leading_axes], length, *(channels or [1]))
    return signals.swapaxes(-1, -2) if channels and length < channels[0] else signals


def column_names(names: Any, x: Any = None) -> tuple[str, ...]:
    """Return given names, or else those of the columns of a table.

    Parameters
    ----------
    names : sequence of str or None
        The names that were given.
    x : object, optional
        Samples or factors, with names if they are a data frame of pandas or polars, an AnnData, a `vaeviz.Dataset`,
        or a table of Hugging Face or Ray.

    Returns
    -------
    tuple of str
        The names, empty if there are none.

    Raises
    ------
    InputError
        If `names` is not a sequence.
    """
    names = () if names is None else names
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable) or getattr(names, "ndim", 1) == 0:
        raise InputError(
            f"The names are of type {type(names).__name__}, expected a sequence of names.",
            got=type(names).__name__,
            expected="a sequence of names",
            fix='Pass names such as ["width", "height"].',
        )
    given = tuple(map(printable_text, names))
    if given:
        return given
    if hasattr(x, "named_labels"):
        return tuple(x.feature_names)
    from vaeviz.data.out_of_core import block_columns  # NumPy would slow the command line down

    if (columns := block_columns(x)) is not None:
        return tuple(map(printable_text, columns))
    named = getattr(x, "var_names" if hasattr(x, "var_names") else "columns", ())
    columns = () if callable(named) else tuple(named)
    return tuple(map(printable_text, columns)) if all(isinstance(column, str) for column in columns) else ()


def column_renames(columns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return the new name of each column that has to be renamed.

    Parameters
    ----------
    columns : sequence of str
        Names that the columns have.
    names : sequence of str
        Names that they need, in the same order.

    Returns
    -------
    dict of str to str
        New names by old names.

    Examples
    --------
    >>> column_renames(["a", "b"], ["a", "c"])
    {'b': 'c'}
    """
    return {column: name for column, name in zip(columns, names) if column != name}


def check_same_columns(x: Any, other_x: Any) -> None:
    """Raise InputError if other samples have columns of other names, or in another order.

    Parameters
    ----------
    x, other_x : object
        Samples. Only those with names are compared.

    Raises
    ------
    InputError
        If the names differ, or their order does.
    """
    from vaeviz.data.out_of_core import block_columns

    names, others = column_names(None, x), column_names(None, other_x)
    if not names or not others or names == others:
        return
    is_reordered = sorted(names) == sorted(others)
    wrong = next((pair for pair in zip(names, others) if pair[0] != pair[1]), (str(len(names)), str(len(others))))
    if block_columns(other_x) is not None:
        chosen, same = (
            f"other_x.select_columns({list(names)})",
            f"other_x.rename_columns({column_renames(others, names)})",
        )
    else:
        is_frame = hasattr(other_x, "columns")
        chosen = f"other_x[{list(names)}]" if is_frame else "it with the features in the order of x"
        same = "other_x.to_numpy()"
    if set(names) <= set(others):
        fix = Fix(f"Pass {chosen}.", "Save it with the columns in the order of those of --data.")
    elif len(names) == len(others):
        fix = Fix(
            f"Pass {same} if they mean the same in this order.",
            "Save it with the names of the columns of --data.",
        )
    else:
        fix = Fix(f"Pass it with the columns {list(names)}.", "Save it with the columns of --data.")
    raise InputError(
        f"other_x has {'the columns of x in another order' if is_reordered else 'other columns than x'}.",
        got=wrong[1],
        expected=wrong[0],
        fix=fix,
    )


def label_factors(names: tuple[str, ...], factors: Any) -> tuple[str, ...]:
    """Return one name per factor.

    Parameters
    ----------
    names : tuple of str
        The names that were given, or none.
    factors : np.ndarray or DataFrame, shape (N, K) or (N,), or None
        Known factors.

    Returns
    -------
    tuple of str
        The names, ``factor 1`` to ``factor K`` if none were given.

    Raises
    ------
    InputError
        If the number of names is not K.

    Examples
    --------
    >>> import numpy as np
    >>> label_factors((), np.zeros((10, 2)))
    ('factor 1', 'factor 2')
    """
    n_factors = 0 if factors is None else 1 if factors.ndim == 1 else factors.shape[1]
    if names and len(names) != n_factors:
        raise InputError(
            f"factor_names has {len(names)} names for {n_factors} factors.",
            got=str(len(names)),
            expected=str(n_factors),
            fix="Pass one name per factor, or none.",
        )
    return names or tuple(f"factor {k + 1}" for k in range(n_factors))


def displayed_names(names: tuple[str, ...], kind: SampleKind | None, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names that a plot of samples shows.

    Parameters
    ----------
    names : tuple of str
        Names of the values, or of the channels of a signal.
    kind : str or None
        The kind of the samples.
    shape : tuple of int
        The shape of one sample.

    Returns
    -------
    tuple of str
        The names of the values of a table, the coordinates of a point or the channels of a signal. Empty for other
        kinds, and if the names are of something else, e.g. of the values of a signal.

    Raises
    ------
    InputError
        If there are too few or too many names.
    """
    size, parts = math.prod(shape), {"table": "values", "point": "coordinates", "signal": "channels"}
    if not names or kind not in parts:
        return ()
    sides = _long_sides(shape)
    n_parts = (min(sides) if len(sides) > 1 else 1) if kind == "signal" else size
    if len(names) == n_parts:
        return names
    if kind == "signal" and len(names) == size:
        return ()
    raise InputError(
        f"feature_names has {len(names)} names for samples of {n_parts} {parts[kind]}.",
        got=str(len(names)),
        expected=str(n_parts),
        fix=f"Pass {n_parts} names, or none.",
    )


def _long_sides(shape: tuple[int, ...]) -> list[int]:
    """Return the sides longer than 1, or a single 1."""
    return [side for side in shape if side > 1] or [1]


def _has_color_channels(shape: tuple[int, ...]) -> bool:
    return (len(shape) == 3 and shape[-1] in COLOR_CHANNELS) or is_channels_first(shape)


def _not_an_image(shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"Samples of shape {shape} cannot be drawn. Images have the shape {IMAGE_SHAPES}.",
        got=str(shape),
        expected=IMAGE_SHAPES,
    )


def _check_kind(kind: SampleKind, shape: tuple[int, ...]) -> None:
    """Check that samples of a shape can be drawn as a declared kind."""
    if kind not in get_args(SampleKind):
        raise UnknownName("kind of sample", str(kind), get_args(SampleKind))
    size, expected, fix = math.prod(shape), "", ANOTHER_KIND
    if kind == "point" and size != 2:
        expected = "(2,)"
    if kind == "image" and len(shape) == 1 and math.isqrt(size) ** 2 != size:
        expected = "a square number of values, or (height, width)"
        height = next(side for side in range(math.isqrt(size), 0, -1) if size % side == 0)
        fix = Fix(f"Pass x.reshape(-1, {height}, {size // height}), or with the height and width that they have.")
    if kind == "image" and len(shape) > 2 and not _has_color_channels(shape):
        raise _not_an_image(shape)
    if kind == "spectrogram" and not (len(shape) == 2 or (_has_color_channels(shape) and 1 in (shape[0], shape[-1]))):
        expected = "(F, T), frequencies by times"
    if kind == "signal" and len(_long_sides(shape)) > 2:
        expected = "(L,), (L, C) or (C, L)"
    if expected:
        raise InputError(
            f"kind={kind!r} does not fit samples of shape {shape}, expected {expected}.",
            got=str(shape),
            expected=expected,
            fix=fix,
        )
