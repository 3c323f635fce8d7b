"""Grids of images: one assembled array, drawn as one image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage

from vaeviz.drawing.grid_axis import GridAxis, cell_width, extrapolated_positions, node_positions, scale_axes
from vaeviz.drawing.laying_out import is_laying_out
from vaeviz.errors import UnknownName

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

CELL_GAP = 1 / 28  # of a cell's side


class Mosaic(AxesImage):
    """An image that is not scaled to its place before that is known."""

    def draw(self, renderer: RendererBase) -> None:
        if not is_laying_out(renderer):
            super().draw(renderer)

    draw._supports_rasterization = True  # as that of any image does


def draw_mosaic(
    ax: Axes,
    images: np.ndarray,
    *,
    cmap: str,
    low: float,
    high: float,
    x_axis: GridAxis | None = None,
    y_axis: GridAxis | None = None,
    aspect: float | None = None,
    gap: float = CELL_GAP,
) -> None:
    """Images (rows, columns, H, W[, 3|4]) in one array; `aspect` stretches each to a cell of that height / width."""
    import matplotlib

    if cmap not in matplotlib.colormaps:
        raise UnknownName("colormap", cmap, matplotlib.colormaps)
    rows, columns = images.shape[:2]
    mosaic, (gap_up, gap_across) = assemble(images, stretched=aspect is not None, gap=gap)
    ends_across = _ends(columns, gap_across / (mosaic.shape[1] + gap_across))
    ends_up = _ends(rows, gap_up / (mosaic.shape[0] + gap_up))
    if mosaic.ndim == 3:
        mosaic = _with_transparent_gaps((mosaic - low) / (high - low))
    scale_axes(ax, x_axis, y_axis)
    # Past the scale of the axes, where every cell is as wide as the next, so that uneven nodes warp no image.
    image = Mosaic(
        ax,
        cmap=matplotlib.colormaps[cmap].with_extremes(bad="white"),
        norm=Normalize(low, high),
        origin="upper",
        extent=(*extrapolated_positions(x_axis, ends_across), *extrapolated_positions(y_axis, ends_up)),
        transform=ax.transLimits + ax.transAxes,
    )
    image.set_data(mosaic)
    image.set_clip_path(ax.patch)
    image.set_extent(image.get_extent())  # which also tells the Axes of it
    ax.add_image(image)
    ax.set_xlim(node_positions(x_axis, ends_across))
    ax.set_ylim(node_positions(y_axis, ends_up))
    own = (mosaic.shape[0] + gap_up) / rows / ((mosaic.shape[1] + gap_across) / columns)
    ax.set_aspect((aspect or own) * cell_width(x_axis) / cell_width(y_axis), adjustable="box")


def assemble(
    images: np.ndarray, *, stretched: bool = False, gap: float = CELL_GAP
) -> tuple[np.ndarray, tuple[int, int]]:
    """One array of images (rows, columns, H, W[, C]) with hairline gaps of NaN, and the gaps (y_axis, x_axis) in pixels.

    Small images are enlarged by a whole factor, so that the gap stays a hairline beside them. `stretched` cells have
    gaps in proportion to each of their sides.
    """
    rows, columns, height, width = images.shape[:4]
    factor = max(1, math.ceil(1 / (gap * min(height, width))))
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    height, width = height * factor, width * factor
    sides = (height, width) if stretched else (min(height, width),) * 2
    gap_up, gap_across = (max(1, round(gap * side)) for side in sides)
    color = images.shape[4:]
    mosaic = np.full((rows, height + gap_up, columns, width + gap_across, *color), np.nan, dtype=np.float32)
    mosaic[:, :height, :, :width] = np.moveaxis(images, 1, 2)
    mosaic = mosaic.reshape(rows * (height + gap_up), columns * (width + gap_across), *color)
    return mosaic[:-gap_up, :-gap_across], (gap_up, gap_across)


def _ends(count: int, gap: float) -> np.ndarray:
    """Both ends of a row of cells centered on 0, 1, ..., without the gap (a share of the whole) after the last."""
    half = 0.5 - 0.5 * gap * count
    return np.array([-half, count - 1 + half])


def _with_transparent_gaps(mosaic: np.ndarray) -> np.ndarray:
    gaps = np.isnan(mosaic[..., 0])
    color = np.clip(np.nan_to_num(mosaic[..., :3]), 0, 1)
    alpha = mosaic[..., 3] if mosaic.shape[-1] == 4 else np.ones(gaps.shape, dtype=mosaic.dtype)
    return np.concatenate([color, np.where(gaps, 0, np.clip(alpha, 0, 1))[..., None]], axis=-1)
