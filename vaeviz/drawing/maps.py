"""What the maps of codes agree on: names, axes without ticks, and a line that says how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeviz.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaeviz.analysis.maps import MapQuality

NAMES = {"tsne": "t-SNE", "pca": "PCA"}


def check_perplexity(engine: str, perplexity: float, total: int) -> None:
    """`InputError` unless t-SNE can have that perplexity with so many points."""
    if engine == "tsne" and not 0 < perplexity < total:
        raise InputError(f"perplexity = {perplexity:g}: expected more than 0 and fewer than the {total} points")


def name_axes(ax: Axes, engine: str) -> None:
    """Principal components have axes with units; those of any other map mean nothing, and it hides its ticks."""
    if engine == "pca":
        ax.set(xlabel="first component", ylabel="second component")
    else:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)


def write_quality(ax: Axes, quality: MapQuality) -> None:
    """A line under a map without ticks: trustworthiness, continuity and neighbour recall at the first k."""
    parts = [f"{measure} {quality.mean(measure)[0]:.2f}" for measure in ("trustworthiness", "continuity", "recall")]
    line = f"{', '.join(parts)} ($k$ = {quality.k[0]})"
    look = {"ha": "center", "va": "top", "fontsize": "small", "annotation_clip": False}
    ax.annotate(line, (0.5, 0), (0, -4), xycoords="axes fraction", textcoords="offset points", **look)
