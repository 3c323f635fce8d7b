"""Draw filled outlines as small gray images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.path import Path

N_COLUMNS = 40  # images beside each other on a page
PAGE_IMAGES = 2000  # that are drawn at once; a page of them takes some 15 MB


def draw_outlines(
    outlines: Sequence[Path], side: int, *, margin: int = 0, strokes: np.ndarray | float = 0
) -> np.ndarray:
    """Draw each outline in white on a black square of its own.

    Parameters
    ----------
    outlines : sequence of matplotlib.path.Path
        Closed paths, in pixels from the center of the image, upwards and to the right.
    side : int
        Height and width of an image, in pixels.
    margin : int, default: 0
        Pixels around an image into which an outline may reach; what is there is cut off. Nothing may reach farther.
    strokes : array_like, shape (N,), default: 0
        Width of the line along each outline, in pixels, half of it outside.

    Returns
    -------
    np.ndarray of uint8, shape (N, side, side)
        The share of each pixel that is covered, from 0 to 255, the first row at the top.
    """
    starts = range(0, len(outlines), PAGE_IMAGES)
    widths = np.broadcast_to(strokes, len(outlines))
    pages = [
        _draw_page(outlines[start : start + PAGE_IMAGES], side + 2 * margin, widths[start : start + PAGE_IMAGES])
        for start in starts
    ]
    return np.concatenate(pages)[:, margin : margin + side, margin : margin + side]


def _draw_page(outlines: Sequence[Path], side: int, strokes: np.ndarray) -> np.ndarray:
    """Draw outlines side by side on one page, and cut it into images."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.transforms import IdentityTransform

    n_rows = -(-len(outlines) // N_COLUMNS)
    places = np.arange(len(outlines))
    left, bottom = side * (places % N_COLUMNS), side * (n_rows - 1 - places // N_COLUMNS)
    centers = np.column_stack([left, bottom]) + side / 2
    placed = [Path(outline.vertices + center, outline.codes) for outline, center in zip(outlines, centers)]
    figure = Figure(figsize=(side * N_COLUMNS, side * n_rows), dpi=1, facecolor="black")  # an inch is a pixel
    canvas: Any = FigureCanvasAgg(figure)
    figure.add_artist(
        PathCollection(
            placed,
            facecolors="white",
            edgecolors=["white", "white"],  # of one color, a single path would be drawn at whole pixels
            linewidths=72 * strokes,  # points
            antialiaseds=True,
            snap=False,
            joinstyle="round",
            transform=IdentityTransform(),
        )
    )
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., 0]
    cells: np.ndarray = pixels.reshape(n_rows, side, N_COLUMNS, side).swapaxes(1, 2).reshape(-1, side, side)
    return cells[: len(outlines)]
