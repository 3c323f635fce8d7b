"""How the samples of a plot are drawn: as what, on which scale, in which colors, under which names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeviz.data.out_of_core import as_samples, subsample
from vaeviz.data.sample_kind import SampleKind, column_names, displayed_names, infer_kind, sample_kind

UNLIKE = 20
"""Features of a table are drawn each on a scale of its own where the largest span is so many times the smallest."""


@dataclass(frozen=True, eq=False)
class SampleStyle:
    """What draws a sample, beside its values.

    kind: None where the shape tells. cmap: of what has one channel; None for the kind's own. value_range: shared by
    all samples; None for their own. names: of the values of a sample. spans: (lows (D,), highs (D,)) of the features
    of a table, where their scales are unlike. data: (M, 2) points of x, which decoded ones are seen against.
    unit: what a color bar calls the values; None for "value", or "share of span" where features have own scales.
    """

    kind: SampleKind | None = None
    cmap: str | None = None
    value_range: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    spans: tuple[np.ndarray, np.ndarray] | None = None
    data: np.ndarray | None = None
    unit: str | None = None

    def kind_of(self, shape: tuple[int, ...]) -> SampleKind:
        """The kind of samples of that shape."""
        return sample_kind(shape, self.kind, self.names)

    def names_of(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """The names of the values, coordinates or channels of samples of that shape."""
        return displayed_names(self.names, self.kind_of(shape), shape)

    def has_own_scales(self, shape: tuple[int, ...]) -> bool:
        """Whether each value of samples of that shape is drawn as a share of its feature's span."""
        return self.spans is not None and self.kind_of(shape) == "table" and shape == self.spans[0].shape

    def unit_of(self, shape: tuple[int, ...]) -> str:
        """What a color bar calls the values of samples of that shape."""
        return self.unit or ("share of span" if self.has_own_scales(shape) else "value")

    def scaled(self, samples: np.ndarray, n_leading_axes: int) -> np.ndarray:
        """Samples with `n_leading_axes` leading axes as they are colored: as they are, or as shares of their features' spans."""
        if not self.has_own_scales(samples.shape[n_leading_axes:]):
            return samples
        low, high = self.spans
        return (samples - low) / (high - low)

    def range_for(self, scaled: np.ndarray, shape: tuple[int, ...]) -> tuple[float, float]:
        """The ends of the scale on which scaled samples of that shape are drawn."""
        if self.has_own_scales(shape):
            return 0.0, 1.0
        return self.value_range or shared_range(scaled, self.kind_of(shape))


def sample_style(
    x: Any, feature_names: Any = None, *, kind: SampleKind | None = None, cmap: str | None = None
) -> SampleStyle:
    """How samples like x (N, ...) are drawn, decoded ones among them; x may be None.

    feature_names: of the values of a sample; by default the columns of x, where it is a data frame. A large x is judged
    by a thousand of its samples.
    """
    names = column_names(feature_names, x)
    if x is None:
        return SampleStyle(kind, cmap, None, names)
    few = subsample(as_samples(x, "x")).astype(np.float32)
    drawn = kind or infer_kind(few.shape[1:], names)
    if drawn == "point" and few[0].size == 2:
        return SampleStyle(kind, cmap, shared_range(few), names, data=few.reshape(-1, 2))
    return SampleStyle(kind, cmap, shared_range(few, drawn), names, unlike_spans(few) if few.ndim == 2 else None)


def shared_range(values: np.ndarray, kind: SampleKind | None = None) -> tuple[float, float]:
    """[0, 1] for values that keep to it, but for one in a hundred that overshoots; else their own range, of a table
    without the one in a hundred that lies farthest out."""
    bulk = tuple(map(float, np.nanquantile(values, (0.005, 0.995))))
    if bulk[0] >= -0.25 and 0.05 < bulk[1] <= 1.25:
        return 0.0, 1.0
    low, high = bulk if kind == "table" else (float(np.nanmin(values)), float(np.nanmax(values)))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def unlike_spans(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(lows (D,), highs (D,)) between which all but 1 % of each feature of x (N, D) lie, if their scales are unlike."""
    low, high = np.quantile(x, (0.005, 0.995), axis=0)
    spans = high - low
    varying = spans[spans > 0]
    if len(varying) < 2 or varying.max() < UNLIKE * varying.min():
        return None
    return np.where(spans > 0, low, low - 0.5), np.where(spans > 0, high, high + 0.5)
