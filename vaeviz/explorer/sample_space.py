"""The layout of samples in a page, and the ranges of their values."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from vaeviz.data.sample_kind import as_images, as_signals
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.errors import InputError


@dataclass(frozen=True, eq=False)
class SampleSpace:
    """The layout of samples in a page, and the range of their values.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample in the data.
    shown : tuple of int
        Its shape in the page: images with the channels last, signals with the time first.
    dims : tuple of int, optional
        The axes of the data in the order of the page. None if only the shape differs.
    spans : ndarray, shape () or (S,)
        Range of the values, of all or of each feature.
    is_picture : bool
        A sample is an image or a spectrogram, whose values share one scale.
    """

    shape: tuple[int, ...]
    shown: tuple[int, ...]
    dims: tuple[int, ...] | None
    spans: np.ndarray
    is_picture: bool = False

    @property
    def size(self) -> int:
        """Number of values of a sample, S."""
        return math.prod(self.shape)

    def flatten(self, samples: np.ndarray) -> np.ndarray:
        """Return the values of samples in the order of the page.

        Parameters
        ----------
        samples : ndarray, shape (N, *shape)
            Samples.

        Returns
        -------
        ndarray of float32, shape (N, S)
            Their values.
        """
        if self.dims is not None:
            samples = samples.reshape(len(samples), *self.shape).transpose(0, *(dim + 1 for dim in self.dims))
        return np.ascontiguousarray(samples.reshape(len(samples), -1), np.float32)

    def shares(self, differences: np.ndarray) -> np.ndarray:
        """Return differences of values as shares of their ranges.

        Parameters
        ----------
        differences : ndarray, shape (..., S)
            Differences.

        Returns
        -------
        ndarray, shape (..., S)
            Shares, 0 or more.
        """
        return np.asarray(np.abs(differences) / self.spans)


def sample_space(shape: tuple[int, ...], style: SampleStyle) -> SampleSpace:
    """Return how samples of a shape are arranged in a page.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    style : SampleStyle
        How samples are drawn.

    Returns
    -------
    SampleSpace
        Their arrangement; that of the data for samples that cannot be drawn.

    Examples
    --------
    >>> sample_space((3, 8, 9), SampleStyle()).shown, sample_space((64,), SampleStyle()).shown
    ((8, 9, 3), (8, 8))
    """
    places = np.arange(math.prod(shape)).reshape(1, *shape)
    try:
        kind = style.kind_of(shape)
    except InputError:
        return SampleSpace(shape, shape, None, np.array(_span(style)))
    is_picture = kind in ("image", "spectrogram")
    if is_picture:
        shown = as_images(places, 1)
    elif kind == "signal":
        shown = as_signals(places, 1)
        shown = shown[..., 0] if shown.shape[-1] == 1 else shown
    else:
        shown = places.reshape(1, -1)
    spans = np.array(_span(style))
    if style.feature_ranges is not None and style.has_feature_scales(shape):
        spans = style.feature_ranges[1] - style.feature_ranges[0]
    order = None
    if not np.array_equal(shown.ravel(), places.ravel()):
        orders = itertools.permutations(range(len(shape)))
        order = next(one for one in orders if np.array_equal(places[0].transpose(one).ravel(), shown.ravel()))
    return SampleSpace(shape, shown.shape[1:], order, spans, is_picture)


def _span(style: SampleStyle) -> float:
    low, high = style.value_range or (0.0, 1.0)
    return float(high - low)
