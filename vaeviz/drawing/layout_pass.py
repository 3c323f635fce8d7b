"""Skip drawing in the pass in which matplotlib only computes a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase


def is_layout_pass(renderer: RendererBase) -> bool:
    """Return True if a figure is drawn only to compute its layout, as it is once before it is saved.

    Parameters
    ----------
    renderer : RendererBase
        What an artist is asked to draw with.

    Returns
    -------
    bool
        Whether it draws nothing. For many points or a large image, skipping this pass saves half of the time.

    Notes
    -----
    In that pass matplotlib replaces the methods of the renderer by plain functions, which belong to no object.
    """
    return not hasattr(renderer.open_group, "__self__")
