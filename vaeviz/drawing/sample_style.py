"""The style of drawn samples: their kind, scale, colors and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import as_samples, is_dataset, subsample
from vaeviz.data.sample_kind import SampleKind, column_names, displayed_names, infer_kind, sample_kind
from vaeviz.drawing.text_fit import drawable_text

MAX_SPAN_RATIO = 20  # features whose spans differ more are drawn each on its own scale
BULK = (0.005, 0.995)  # quantiles between which all but 1 % of the values lie


@dataclass(frozen=True, eq=False)
class SampleStyle:
    """Kind, scale, colors and names with which samples are drawn.

    Parameters
    ----------
    kind : SampleKind, optional
        What samples are drawn as; by default it follows from their shape.
    cmap : str, optional
        Colormap of samples with one channel; by default that of the kind.
    value_range : tuple of float, optional
        Values at both ends of the scale; by default those of the samples that are drawn.
    names : tuple of str
        Names of the values of a sample.
    feature_ranges : tuple of ndarray, optional
        Lows and highs, both (D,), for rows of a table whose features are drawn each on its own scale.
    background : ndarray, shape (M, 2), optional
        Data points in the plane, drawn behind decoded ones.
    unit : str, optional
        Label of the color bar; by default "value", or "share of span" where features have their own scales.
    """

    kind: SampleKind | None = None
    cmap: str | None = None
    value_range: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    feature_ranges: tuple[np.ndarray, np.ndarray] | None = None
    background: np.ndarray | None = None
    unit: str | None = None

    def kind_of(self, shape: tuple[int, ...]) -> SampleKind:
        """Return the kind of samples of a shape.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample.

        Returns
        -------
        SampleKind
            The kind they are drawn as.
        """
        return sample_kind(shape, self.kind, self.names)

    def names_of(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of the values, coordinates or channels of samples of a shape.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample.

        Returns
        -------
        tuple of str
            Their names; empty where there are none.
        """
        return tuple(map(drawable_text, displayed_names(self.names, self.kind_of(shape), shape)))

    def unit_of(self, shape: tuple[int, ...]) -> str:
        """Return the label of a color bar for samples of a shape.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample.

        Returns
        -------
        str
            The label.
        """
        return self.unit or ("share of span" if self.has_feature_scales(shape) else "value")

    def has_feature_scales(self, shape: tuple[int, ...]) -> bool:
        """Return True if every feature of samples of a shape is drawn on its own scale.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample.

        Returns
        -------
        bool
            Whether `scaled` changes such samples.
        """
        return (
            self.feature_ranges is not None and self.kind_of(shape) == "table" and shape == self.feature_ranges[0].shape
        )

    def scaled(self, samples: np.ndarray, n_leading_axes: int) -> np.ndarray:
        """Return samples as they are colored: as they are, or as shares of the spans of their features.

        Parameters
        ----------
        samples : ndarray
            Samples after any leading axes.
        n_leading_axes : int
            Number of axes before those of a sample.

        Returns
        -------
        ndarray
            Values of the same shape.
        """
        if self.feature_ranges is None or not self.has_feature_scales(samples.shape[n_leading_axes:]):
            return samples
        low, high = self.feature_ranges
        return np.asarray((samples - low) / (high - low))

    def range_for(self, scaled: np.ndarray, shape: tuple[int, ...]) -> tuple[float, float]:
        """Return the values at both ends of the scale.

        Parameters
        ----------
        scaled : ndarray
            Samples as `scaled` returns them.
        shape : tuple of int
            Shape of one sample.

        Returns
        -------
        tuple of float
            Low and high.
        """
        if self.has_feature_scales(shape):
            return 0.0, 1.0
        return self.value_range or shared_range(scaled, self.kind_of(shape))


def sample_style(
    x: Any, feature_names: Any = None, *, kind: SampleKind | None = None, cmap: str | None = None
) -> SampleStyle:
    """Choose how samples like x are drawn, decoded ones included.

    Parameters
    ----------
    x : array_like, shape (N, ...), or None
        Data. The scale of large data is estimated from a thousand samples.
    feature_names : sequence of str, optional
        Names of the values of a sample; by default the columns of x if it is a table.
    kind : SampleKind, optional
        What samples are drawn as; by default it follows from their shape.
    cmap : str, optional
        Colormap of samples with one channel; by default that of the kind.

    Returns
    -------
    SampleStyle
        Kind, scale, colors and names.
    """
    names = column_names(feature_names, x)
    if x is None:
        return SampleStyle(kind, cmap, names=names)
    kind = x.kind if kind is None and is_dataset(x) else kind
    few = subsample(as_samples(x, "x")).astype(np.float32)
    inferred = kind or infer_kind(few.shape[1:], names)
    if inferred == "point" and few[0].size == 2:
        return SampleStyle(kind, cmap, shared_range(few), names, background=few.reshape(-1, 2))
    return SampleStyle(kind, cmap, shared_range(few, inferred), names, separate_ranges(few) if few.ndim == 2 else None)


def shared_range(values: np.ndarray, kind: SampleKind | None = None) -> tuple[float, float]:
    """Return the scale of values: [0, 1] where all but 1 % of them nearly lie in it, otherwise their range.

    Parameters
    ----------
    values : ndarray
        Values; NaN is ignored.
    kind : SampleKind, optional
        For tables, 1 % of outliers are left out of the range.

    Returns
    -------
    tuple of float
        Low and high.
    """
    bulk_low, bulk_high = map(float, np.nanquantile(values, BULK))
    if bulk_low >= -0.25 and 0.05 < bulk_high <= 1.25:
        return 0.0, 1.0
    if kind == "table":
        low, high = bulk_low, bulk_high
    else:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def separate_ranges(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return one range per feature if their spans differ too much for a shared scale.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        Rows of a table.

    Returns
    -------
    tuple of ndarray or None
        Lows and highs, both (D,), between which all but 1 % of each feature lie. None where one scale fits all.
    """
    low, high = np.quantile(x, BULK, axis=0)
    spans = high - low
    varying = spans[spans > 0]
    if len(varying) < 2 or varying.max() < MAX_SPAN_RATIO * varying.min():
        return None
    return np.where(spans > 0, low, low - 0.5), np.where(spans > 0, high, high + 0.5)
