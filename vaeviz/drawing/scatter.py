"""Clouds of points, readable and quick at any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.cbook import normalize_kwargs
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import Affine2D, Bbox

from vaeviz.drawing.colors import MISSING_COLOR, LabelColors
from vaeviz.drawing.layout_pass import is_layout_pass
from vaeviz.errors import Fix, InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import MouseEvent, RendererBase
    from matplotlib.transforms import Transform
    from matplotlib.typing import ColorType

MAX_VECTOR_POINTS = 20_000  # more markers are one image inside vector files, unless `rasterized` says otherwise
VECTOR_DPI = 300  # of that image, also where a figure is saved at fewer
MIN_ROUNDS = 16  # in each round every class is drawn once, so that no class is entirely on top
MAX_ROUND_POINTS = 20_000  # in larger rounds the last class would hide the others where the cloud is dense


@dataclass(frozen=True)
class ScatterStyle:
    """Size, opacity and other properties of markers. A size or opacity of None follows the number of points.

    Parameters
    ----------
    marker_size : float, optional
        Diameter in points.
    alpha : float, optional
        Opacity in [0, 1].
    rasterized : bool, optional
        Store the markers as an image in vector files; by default above 20,000 points.
    marker_kws : mapping, optional
        Properties of a Line2D, by long or short names, which win over the other parameters. A color replaces those of
        the classes.

    Raises
    ------
    InputError
        If a size or an opacity is out of range, or Line2D has no such property or value.
    """

    marker_size: float | None = None
    alpha: float | None = None
    rasterized: bool | None = None
    marker_kws: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.marker_size is not None and not self.marker_size > 0:
            raise _range_error("marker_size", self.marker_size, "greater than 0", 2.0)
        if self.alpha is not None and not 0 <= self.alpha <= 1:
            raise _range_error("alpha", self.alpha, "from 0 to 1", 0.5)
        check_marker_kws(self.marker_kws)

    def line_properties(self, n_points: int) -> dict[str, Any]:
        """Return the properties of the Line2D that draws the markers.

        Parameters
        ----------
        n_points : int
            Number of points.

        Returns
        -------
        dict
            Properties by long names.
        """
        size = default_marker_size(n_points) * _marker_scale() if self.marker_size is None else self.marker_size
        own = check_marker_kws(self.marker_kws)
        is_filled = MarkerStyle(own.get("marker", "o")).is_filled()
        defaults = {
            "markersize": size,
            "markeredgewidth": 0 if is_filled else min(1.0, own.get("markersize", size) / 4),  # crosses are all edge
            "alpha": default_alpha(n_points) if self.alpha is None else self.alpha,
            "rasterized": n_points > MAX_VECTOR_POINTS if self.rasterized is None else self.rasterized,
        }
        return defaults | own


class ClassScatter(Collection):
    """Markers in the colors of their classes, drawn in an order in which no class hides another.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        Points in data units.
    colors : LabelColors
        Color of each point.
    seed : int
        Seed of the drawing order.
    **line_properties
        Properties of the `matplotlib.lines.Line2D` that draws the markers.

    Notes
    -----
    One Line2D draws markers of one color at a time. This is many times faster than a scatter with as many colors, takes
    less memory, and looks the same at any N, zoom and resolution. Where the cloud is dense, it shows the mixture of
    classes, not the number of points.
    """

    def __init__(self, points: np.ndarray, colors: LabelColors, *, seed: int = 0, **line_properties: Any) -> None:
        defaults: dict[str, Any] = {"linestyle": "", "marker": "o", "markeredgewidth": 0}
        self.marker_line = Line2D([], [], **defaults | line_properties)
        super().__init__(zorder=self.marker_line.get_zorder(), rasterized=self.marker_line.get_rasterized())
        Artist.update_from(self, self.marker_line)
        self.points, self.colors, self.seed = points, colors, seed

    @property
    def marker(self) -> Any:
        """Marker of the points."""
        return self.marker_line.get_marker()

    def get_offsets(self) -> np.ndarray:
        """Return the points.

        Returns
        -------
        ndarray, shape (N, 2)
            Points in data units.
        """
        return self.points

    def get_datalim(self, transData: Transform) -> Bbox:  # noqa: N803 (matplotlib's name)
        """Return the box around the points.

        Parameters
        ----------
        transData : Transform
            Transform from the units of the box to pixels.

        Returns
        -------
        Bbox
            The box; empty without points.
        """
        if not len(self.points):
            return Bbox.null()
        corners = np.array([self.points.min(axis=0), self.points.max(axis=0)], dtype=float)
        return Bbox((self.get_transform() - transData).transform(corners))

    def contains(self, mouseevent: MouseEvent) -> tuple[bool, dict[str, Any]]:
        """Find the points under the mouse.

        Parameters
        ----------
        mouseevent : MouseEvent
            Where the mouse is.

        Returns
        -------
        found : bool
            Whether there are any.
        details : dict
            Rows of the points as ``"ind"``. A point is found within its marker, or within the pick radius (points) if
            that is larger.
        """
        figure = self.get_figure(root=True)
        if figure is None or mouseevent.canvas is not figure.canvas or not self.get_visible():
            return False, {}
        picker = self.get_picker()
        pick_radius = self.get_pickradius() if picker is None or callable(picker) or picker is True else float(picker)
        radius = max(pick_radius, self.marker_line.get_markersize() / 2) * figure.dpi / 72
        pixels = self.get_transform().transform(self.points)
        rows = np.flatnonzero(np.hypot(pixels[:, 0] - mouseevent.x, pixels[:, 1] - mouseevent.y) <= radius)
        return len(rows) > 0, {"ind": rows}

    def layers(self) -> Iterator[tuple[ColorType, np.ndarray]]:
        """Iterate over the layers in the order in which they are drawn, missing labels first.

        Yields
        ------
        color : color
            Color of the layer.
        rows : ndarray of int
            Rows of its points.
        """
        index = self.colors.index
        labeled = np.arange(len(index), dtype=np.int32)
        missing = labeled[index < 0]
        if len(missing):
            for rows in np.array_split(missing, _n_rounds(missing)):
                yield MISSING_COLOR, rows
            labeled = labeled[index >= 0]
        rng = np.random.default_rng(self.seed)
        rng.shuffle(labeled)
        for rows in np.array_split(labeled, max(_n_rounds(labeled), MIN_ROUNDS)):
            codes = index[rows]
            by_code = rows[np.argsort(codes.astype(np.min_scalar_type(-len(self.colors.colors))), kind="stable")]
            counts = np.bincount(codes)
            ends = np.cumsum(counts)
            for code in rng.permutation(np.flatnonzero(counts)):
                yield self.colors.colors[code], by_code[ends[code] - counts[code] : ends[code]]

    def draw(self, renderer: RendererBase) -> None:
        """Draw all layers; as one image if they are rasterized and the file is a vector file.

        Parameters
        ----------
        renderer : RendererBase
            What draws.
        """
        if not self.get_visible() or is_layout_pass(renderer):
            return
        Artist.update_from(self.marker_line, self)  # properties that were set since: transform, clipping, alpha
        if self.get_rasterized() and renderer.option_scale_image():
            self._draw_image(renderer)
        else:
            self._draw_layers(renderer)
        self.marker_line.set_data([], [])
        self.stale = False

    draw._supports_rasterization = True  # type: ignore[attr-defined]  # matplotlib would warn that it is ignored

    def _draw_layers(self, renderer: RendererBase) -> None:
        points = np.ascontiguousarray(self.points)  # whose rows are picked quickly
        for color, rows in self.layers():
            self.marker_line.set_data(*points.take(rows, axis=0).T)
            self.marker_line.set_color(color)
            self.marker_line.draw(renderer)

    def _draw_image(self, renderer: RendererBase) -> None:
        """Draw the layers into an image of at least `VECTOR_DPI`, which matplotlib itself does not ensure."""
        figure = self.get_figure(root=True)
        assert figure is not None
        dpi = max(VECTOR_DPI, getattr(renderer, "dpi", 0))
        scale: float = dpi / figure.dpi
        width, height = np.ceil(scale * np.array(figure.bbox.size)).astype(int)
        image_renderer: Any = RendererAgg(width, height, dpi)  # type: ignore[no-untyped-call]  # not annotated
        self.marker_line.set(transform=self.get_transform() + Affine2D().scale(scale), clip_on=False)
        self._draw_layers(image_renderer)
        clip_box = self.get_clip_box() if self.get_clip_on() else None
        ends = np.rint(scale * np.array((clip_box or figure.bbox).extents)).clip(0, [width, height, width, height])
        left, bottom, right, top = ends.astype(int)
        from_below = np.asarray(image_renderer.buffer_rgba())[::-1]
        pixels = from_below[bottom:top, left:right]
        if not pixels.size:
            return
        context = renderer.new_gc()
        if clip_box is not None:
            context.set_clip_rectangle(clip_box)
        size = Affine2D().scale(pixels.shape[1] / scale, pixels.shape[0] / scale)
        renderer.draw_image(context, left / scale, bottom / scale, pixels, size)
        context.restore()


def draw_scatter(
    ax: Axes,
    points: np.ndarray,
    colors: LabelColors,
    style: ScatterStyle | None = None,
    *,
    seed: int = 0,
) -> ClassScatter:
    """Draw markers in an order in which no class hides another, with missing labels underneath.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : ndarray, shape (N, 2)
        Points in data units.
    colors : LabelColors
        Color of each point.
    style : ScatterStyle, optional
        Size and opacity of the markers; by default they follow N.
    seed : int
        Seed of the drawing order.

    Returns
    -------
    ClassScatter
        The markers.
    """
    line_properties = (style or ScatterStyle()).line_properties(len(points))
    color = _common_color(line_properties)
    if color is not None:
        colors = replace(colors, colors=[color] * len(colors.colors), names=(), mappable=None)
    markers = ClassScatter(points, colors, seed=seed, **line_properties)
    ax.add_collection(markers)
    ax.autoscale_view()
    return markers


def check_marker_kws(marker_kws: Mapping[str, Any] | None) -> dict[str, Any]:
    """Check properties of a Line2D and return them by their long names.

    Parameters
    ----------
    marker_kws : mapping, optional
        Properties by long or short names.

    Returns
    -------
    dict
        Properties by long names.

    Raises
    ------
    InputError
        If Line2D has no such property or value.

    Examples
    --------
    >>> check_marker_kws({"ms": 4, "marker": "s"})
    {'markersize': 4, 'marker': 's'}
    """
    try:
        properties: dict[str, Any] = normalize_kwargs(dict(marker_kws or {}), Line2D)
        Line2D([], [], **properties)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"marker_kws cannot be used: {error}.",
            got=repr(marker_kws),
            expected="properties of matplotlib.lines.Line2D",
            fix='Pass e.g. marker_kws={"marker": "s", "markeredgewidth": 0.5}.',
        ) from None
    return properties


def default_marker_size(n_points: int) -> float:
    """Return the diameter of markers for a number of points.

    Parameters
    ----------
    n_points : int
        Number of points.

    Returns
    -------
    float
        Diameter in points: 4.5 for a few points, 1.5 for ten thousand, at least 0.8.
    """
    return float(np.clip(11.5 * max(n_points, 1) ** -0.22, 0.8, 4.5))


def default_alpha(n_points: int) -> float:
    """Return the opacity of markers for a number of points.

    Parameters
    ----------
    n_points : int
        Number of points.

    Returns
    -------
    float
        Opacity: 0.9 for a thousand points, 0.7 for ten thousand, at least 0.3.
    """
    return float(np.clip(1.9 * max(n_points, 1) ** -0.11, 0.3, 0.95))


def _range_error(name: str, value: float, expected: str, example: float) -> InputError:
    return InputError(
        f"{name} is {value:g}, but must be {expected}.",
        got=f"{value:g}",
        expected=expected,
        fix=Fix(f"Pass e.g. {name}={example}.", f"Add e.g. --{name.replace('_', '-')} {example}."),
    )


def _n_rounds(rows: np.ndarray) -> int:
    return -(-len(rows) // MAX_ROUND_POINTS)


def _common_color(line_properties: dict[str, Any]) -> ColorType | None:
    """Return the color that properties give to all markers; None if at least the edges keep those of the classes."""
    face: ColorType | None = line_properties.get("markerfacecolor")
    has_edges = line_properties.get("markeredgewidth", 0) > 0
    color: ColorType | None = line_properties.get("color", None if has_edges else face)
    return color


def _marker_scale() -> float:
    """Return how much larger markers are under the current rcParams than by default."""
    import matplotlib

    return float(matplotlib.rcParams["lines.markersize"] / matplotlib.rcParamsDefault["lines.markersize"])
