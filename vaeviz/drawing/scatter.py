"""Clouds of points, readable and quick at any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.cbook import normalize_kwargs
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from vaeviz.drawing.colors import MISSING_COLOR, LabelColors
from vaeviz.drawing.laying_out import is_laying_out
from vaeviz.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

MAX_VECTOR_POINTS = 20_000
"""Above so many points the marks are an image inside vector files, unless `rasterized` says otherwise."""

MIN_ROUNDS = 16  # the points are dealt into at least so many rounds, and in each every class is drawn once
MAX_ROUND_POINTS = 20_000  # points of a round: of more, its last class would hide the others where the cloud is dense


class ClassScatter(Collection):
    """Marks at points (N, 2) in the colors of their classes, drawn in an order that lets no class hide another.

    One artist. A stamp, which has the properties of a Line2D, is set at some points of one color at a time: many
    times quicker than a scatter of as many colors, in less memory, and the same kind of picture at any N, zoom and
    resolution. Where the cloud is dense it shows the mixture of classes, not how many points lie there.
    """

    def __init__(self, points: np.ndarray, colors: LabelColors, *, seed: int = 0, **look: Any):
        self.stamp = Line2D([], [], **{"linestyle": "", "marker": "o", "markeredgewidth": 0} | look)
        super().__init__(zorder=self.stamp.get_zorder(), rasterized=self.stamp.get_rasterized())
        Artist.update_from(self, self.stamp)
        self.points, self.colors, self.seed = points, colors, seed

    def get_offsets(self) -> np.ndarray:
        return self.points

    def get_datalim(self, transData: Any) -> Bbox:
        return Bbox([self.points.min(axis=0), self.points.max(axis=0)]) if len(self.points) else Bbox.null()

    def layers(self) -> Iterator[tuple[Any, np.ndarray]]:
        """(color, rows of the points) in the order in which they are drawn; missing labels first, underneath."""
        index = self.colors.index
        labeled = np.arange(len(index), dtype=np.int32)
        missing = labeled[index < 0]
        if len(missing):
            for rows in np.array_split(missing, _rounds(missing)):
                yield MISSING_COLOR, rows
            labeled = labeled[index >= 0]
        rng = np.random.default_rng(self.seed)
        rng.shuffle(labeled)
        for rows in np.array_split(labeled, max(_rounds(labeled), MIN_ROUNDS)):
            codes = index[rows]
            for code in rng.permutation(np.unique(codes)):
                yield self.colors.colors[code], rows[codes == code]

    @allow_rasterization
    def draw(self, renderer: RendererBase) -> None:
        if not self.get_visible() or is_laying_out(renderer):
            return
        Artist.update_from(self.stamp, self)  # whatever was set since: transform, clipping, opacity
        for color, rows in self.layers():
            self.stamp.set(data=self.points[rows].T, color=color)
            self.stamp.draw(renderer)
        self.stamp.set_data([], [])
        self.stale = False


def draw_scatter(
    ax: Axes,
    points: np.ndarray,
    colors: LabelColors,
    *,
    marker_size: float | None = None,
    alpha: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict | None = None,
    seed: int = 0,
) -> ClassScatter:
    """Marks at `points` (N, 2), in an order that lets no class hide another; missing labels underneath.

    marker_size: diameter in points; alpha: 0 to 1; both follow N unless given. marker_kws: properties of a Line2D, by long
    or short names; one color for all takes the place of the classes' own, in the marks that are returned, too.
    """
    total = len(points)
    given = check_marker_kws(marker_kws)
    color = _one_color(given)
    if color is not None:
        colors = replace(colors, colors=[color] * len(colors.colors), names=(), mappable=None)
    look = {
        "markersize": default_marker_size(total) * _scale_of_style() if marker_size is None else marker_size,
        "alpha": default_alpha(total) if alpha is None else alpha,
        "rasterized": total > MAX_VECTOR_POINTS if rasterized is None else rasterized,
    }
    marks = ClassScatter(points, colors, seed=seed, **look | given)
    ax.add_collection(marks)
    ax.autoscale_view()
    return marks


def _rounds(rows: np.ndarray) -> int:
    return -(-len(rows) // MAX_ROUND_POINTS)


def check_marker_kws(marker_kws: dict | None) -> dict[str, Any]:
    """Properties of a Line2D by their long names; `InputError` for what is none."""
    try:
        given = normalize_kwargs(marker_kws or {}, Line2D)
        Line2D([], [], **given)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"marker_kws: {error}") from None
    return given


def _one_color(marker_kws: dict[str, Any]) -> Any:
    """The color that these properties give to all marks, or None where classes keep theirs, on the edges at least."""
    face = marker_kws.get("markerfacecolor")
    has_edges = marker_kws.get("markeredgewidth", 0) > 0
    return marker_kws.get("color", None if has_edges else face)


def _scale_of_style() -> float:
    """How much larger marks are in the style in force than by default."""
    import matplotlib

    return matplotlib.rcParams["lines.markersize"] / matplotlib.rcParamsDefault["lines.markersize"]


def default_marker_size(total: int) -> float:
    """Diameter in points: 4.5 for a handful, 1.5 for ten thousand, never under 0.8."""
    return float(np.clip(11.5 * max(total, 1) ** -0.22, 0.8, 4.5))


def default_alpha(total: int) -> float:
    """Nearly opaque for a thousand points, two thirds for ten thousand, never under 0.3."""
    return float(np.clip(1.9 * max(total, 1) ** -0.11, 0.3, 0.95))
