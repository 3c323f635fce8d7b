"""Keep axes, colors and places the same in all frames of an animation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure


def keep_axes_stable(figures: Sequence[Figure]) -> bool:
    """Set limits, color scales and positions of axes that are the same in all figures.

    Parameters
    ----------
    figures : sequence of Figure
        Figures whose layout is done. They are left unchanged if their numbers of axes differ.

    Returns
    -------
    bool
        Whether the axes are now the same in all figures. Axes that show pictures keep their ticks.
    """
    if len({len(figure.axes) for figure in figures}) > 1:
        return False
    reference, columns = figures[-1], list(zip(*(figure.axes for figure in figures)))
    for column in columns:
        _share_color_scales(column)
        if not any(ax.images for ax in column):
            _share_limits(column, _box_shape(column[-1]))
    reference.draw_without_rendering()  # with the tick labels of the new limits
    places = [ax.get_position(original=True).frozen() for ax in reference.axes]
    for figure in figures:
        figure.set_layout_engine("none")
        for ax, place in zip(figure.axes, places):
            ax.set_position(place)
    return all(len({_scale_of(ax) for ax in column}) == 1 for column in columns)


def _scale_of(ax: Axes) -> tuple[object, ...]:
    """Return the limits of an Axes and, where it shows pictures, its tick labels."""
    labels = [text.get_text() for text in (*ax.get_xticklabels(), *ax.get_yticklabels())] if ax.images else []
    return *np.round([*ax.get_xlim(), *ax.get_ylim()], 9).tolist(), *labels


def _box_shape(ax: Axes) -> float:
    """Return the height / width of the place of an Axes."""
    box = ax.get_window_extent()
    return float(box.height / box.width) if box.width else 1.0


def _share_limits(column: Sequence[Axes], shape: float) -> None:
    """Give Axes limits that hold those of all; where both axes have one scale, they fill a box of this shape."""
    low = np.array([[min(ax.get_xlim()), min(ax.get_ylim())] for ax in column]).min(axis=0)
    high = np.array([[max(ax.get_xlim()), max(ax.get_ylim())] for ax in column]).max(axis=0)
    if column[-1].get_aspect() == 1:
        half = (high - low) / 2
        half = np.maximum(half, half[::-1] * [1 / shape, shape])
        center = (low + high) / 2
        low, high = center - half, center + half
    for ax in column:
        ax.set_xlim((low[0], high[0]) if not ax.xaxis_inverted() else (high[0], low[0]))
        ax.set_ylim((low[1], high[1]) if not ax.yaxis_inverted() else (high[1], low[1]))


def _share_color_scales(column: Sequence[Axes]) -> None:
    """Give the n-th mappable of each Axes the range of all n-th ones."""
    for mappables in zip(*map(_mappables, column)):
        low = min(float(mappable.norm.vmin) for mappable in mappables)
        high = max(float(mappable.norm.vmax) for mappable in mappables)
        for mappable in mappables:
            mappable.set_clim(low, high)


def _mappables(ax: Axes) -> Iterator[Any]:
    """Yield what has a linear color scale."""
    for artist in ax.get_children():
        if isinstance(artist, ScalarMappable) and artist.get_array() is not None and type(artist.norm) is Normalize:
            yield artist
