"""What is left out while a page is laid out, and nothing that is drawn can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase


def is_laying_out(renderer: RendererBase) -> bool:
    """Whether matplotlib draws a figure only to lay it out, as it does once before a figure is saved.

    `RendererBase._draw_disabled` covers the renderer's methods with idle ones, for vector files those of the renderer
    within it. For many points, or an image of many pixels, that is half the work.
    """
    return "open_group" in vars(getattr(renderer, "_vector_renderer", renderer))
