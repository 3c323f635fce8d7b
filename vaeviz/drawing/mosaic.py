"""Grids of images: one assembled array, drawn as one image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.image import AxesImage

from vaeviz.drawing.grid_axis import GridAxis, cell_width, scale_axes, to_axis_units, to_linear_units
from vaeviz.drawing.layout_pass import is_layout_pass
from vaeviz.errors import UnknownName

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

CELL_GAP = 1 / 28  # of a cell's side: a hairline
MIN_WHITENESS = 0.9  # mean brightness of the borders of images, above which white gaps would not be seen
MAX_BLACKNESS = 0.05  # mean brightness of borders below which images on latent axes join without gaps
BORDER_LINE: dict[str, Any] = {"color": "0.75", "lw": 0.5}


class FullSizeImage(AxesImage):
    """An image that vector files hold with its own pixels, whatever the resolution they are saved at."""

    @allow_rasterization  # type: ignore[untyped-decorator]  # matplotlib does not annotate it
    def draw(self, renderer: RendererBase) -> None:
        """Draw the image, unless only a layout is computed, which would resample it for nothing.

        Parameters
        ----------
        renderer : RendererBase
            What draws.
        """
        if not is_layout_pass(renderer):
            super().draw(renderer)

    def _check_unsampled_image(self) -> bool:
        return True

    def can_composite(self) -> bool:
        """Return False: joined with other images, it would be resampled.

        Returns
        -------
        bool
            False.
        """
        return False


@dataclass(frozen=True)
class ColorScale:
    """The colors of values, shared by all cells of a grid.

    Parameters
    ----------
    cmap : str
        Name of a matplotlib colormap, for values with one channel.
    low, high : float
        Values at both ends of the colormap. Color images are rescaled from them to [0, 1].
    """

    cmap: str
    low: float
    high: float


def draw_mosaic(
    ax: Axes,
    images: np.ndarray,
    scale: ColorScale,
    *,
    x_axis: GridAxis | None = None,
    y_axis: GridAxis | None = None,
    aspect: float | None = None,
    gap: float = CELL_GAP,
    all_images: np.ndarray | None = None,
) -> None:
    """Draw a grid of images as one image, the first row on top.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    images : ndarray, shape (rows, columns, H, W[, 3|4])
        Images; NaN is white.
    scale : ColorScale
        Colormap and value limits.
    x_axis, y_axis : GridAxis, optional
        Latent axes of the columns and the rows.
    aspect : float, optional
        Height / width to which each image is stretched; by default pixels are square.
    gap : float
        Gap between images, as a share of their side. On latent axes, images with black borders have none.
    all_images : ndarray, shape (rows, columns, H, W[, 3|4]), optional
        Images whose borders decide on gaps, for Axes that must agree; by default `images`.

    Raises
    ------
    UnknownName
        If matplotlib has no such colormap.
    """
    n_rows, n_columns = images.shape[:2]
    brightness = _border_brightness(images if all_images is None else all_images, scale)
    if x_axis is not None and aspect is None and brightness < MAX_BLACKNESS:
        gap = 0
    mosaic, (row_gap, column_gap) = assemble_mosaic(images, stretched=aspect is not None, gap=gap)
    height, width = mosaic.shape[0] + row_gap, mosaic.shape[1] + column_gap
    x_ends = _grid_ends(n_columns, column_gap / width)
    y_ends = _grid_ends(n_rows, row_gap / height)
    if mosaic.ndim == 3:
        mosaic = _with_transparent_gaps((mosaic - scale.low) / (scale.high - scale.low))
    scale_axes(ax, x_axis, y_axis)
    left, right = to_linear_units(x_axis, x_ends)
    bottom, top = to_linear_units(y_axis, y_ends)
    _add_image(ax, mosaic, scale, (left, right, bottom, top))
    if brightness > MIN_WHITENESS:
        for x in to_axis_units(x_axis, np.arange(n_columns - 1) + 0.5):
            ax.axvline(x, **BORDER_LINE)
        for y in to_axis_units(y_axis, np.arange(n_rows - 1) + 0.5):
            ax.axhline(y, **BORDER_LINE)
    ax.set_xlim(*to_axis_units(x_axis, x_ends))
    ax.set_ylim(*to_axis_units(y_axis, y_ends))
    pixel_aspect = (height / n_rows) / (width / n_columns)
    ax.set_aspect((aspect or pixel_aspect) * cell_width(x_axis) / cell_width(y_axis), adjustable="box")


def assemble_mosaic(
    images: np.ndarray, *, stretched: bool = False, gap: float = CELL_GAP
) -> tuple[np.ndarray, tuple[int, int]]:
    """Join images to one array with gaps of NaN between them.

    Parameters
    ----------
    images : ndarray, shape (rows, columns, H, W[, C])
        Images. Small ones are enlarged by a whole factor, so that a gap of one pixel is a hairline beside them.
    stretched : bool
        Make gaps proportional to height and width, for images that will be stretched; by default both follow the
        shorter side.
    gap : float
        Gap between images, as a share of their side; 0 for none.

    Returns
    -------
    mosaic : ndarray of float32
        The joined images.
    gaps : tuple of int
        Pixels between rows and between columns.
    """
    n_rows, n_columns, height, width = images.shape[:4]
    factor = max(1, math.ceil(1 / (gap * min(height, width)))) if gap else 1
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    height, width = height * factor, width * factor
    sides = (height, width) if stretched else (min(height, width),) * 2
    row_gap, column_gap = (max(1, round(gap * side)) if gap else 0 for side in sides)
    channels = images.shape[4:]
    mosaic = np.full((n_rows, height + row_gap, n_columns, width + column_gap, *channels), np.nan, dtype=np.float32)
    mosaic[:, :height, :, :width] = np.moveaxis(images, 1, 2)
    mosaic = mosaic.reshape(n_rows * (height + row_gap), n_columns * (width + column_gap), *channels)
    return mosaic[: len(mosaic) - row_gap, : mosaic.shape[1] - column_gap], (row_gap, column_gap)


def _add_image(ax: Axes, mosaic: np.ndarray, scale: ColorScale, extent: tuple[float, float, float, float]) -> None:
    """Add an image to an Axes, placed after the scales of its axes, where all cells have equal width.

    So uneven nodes warp no image.
    """
    import matplotlib
    from matplotlib.colors import Normalize

    cmap = matplotlib.colormaps[scale.cmap].with_extremes(bad="white")
    norm = Normalize(scale.low, scale.high)
    image = FullSizeImage(ax, cmap=cmap, norm=norm, origin="upper", extent=extent, resample=True)
    image.set_data(mosaic)
    image.set_transform(ax.transLimits + ax.transAxes)
    image.set_clip_path(ax.patch)
    ax.add_image(image)


def _border_brightness(images: np.ndarray, scale: ColorScale) -> float:
    """Return the mean brightness of the borders of images (rows, columns, H, W[, C]), from 0 (black) to 1 (white)."""
    import matplotlib

    if scale.cmap not in matplotlib.colormaps:
        raise UnknownName("colormap", scale.cmap, matplotlib.colormaps)
    opaque = images[..., :3] if images.ndim == 5 else images
    borders = np.concatenate([opaque[:, :, [0, -1]].ravel(), opaque[:, :, :, [0, -1]].ravel()])
    shares = (borders[np.isfinite(borders)] - scale.low) / (scale.high - scale.low)
    if not len(shares):
        return 0.5
    return float((matplotlib.colormaps[scale.cmap](shares)[:, :3] if images.ndim == 4 else shares).mean())


def _grid_ends(n_cells: int, gap: float) -> np.ndarray:
    """Return both ends of cells centered on 0, 1, ..., without the gap (a share of the whole) after the last."""
    half = 0.5 - 0.5 * gap * n_cells
    return np.array([-half, n_cells - 1 + half])


def _with_transparent_gaps(mosaic: np.ndarray) -> np.ndarray:
    """Return color images (H, W, 3|4) as RGBA in [0, 1] that is transparent where they are NaN."""
    is_gap = np.isnan(mosaic[..., 0])
    color = np.clip(np.nan_to_num(mosaic[..., :3]), 0, 1)
    alpha = mosaic[..., 3] if mosaic.shape[-1] == 4 else np.ones(is_gap.shape, dtype=mosaic.dtype)
    return np.concatenate([color, np.where(is_gap, 0, np.clip(alpha, 0, 1))[..., None]], axis=-1)
