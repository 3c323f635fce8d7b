"""What the maps of codes agree on: names, axes without ticks, and a line that says how far to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeviz.errors import InputError, NotApplicable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaeviz.analysis.map_quality import MapQuality

METHOD_NAMES = {"tsne": "t-SNE", "opentsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}
LIBRARIES = {"tsne": "scikit-learn", "opentsne": "openTSNE"}


def check_perplexity(engine: str, perplexity: float, total: int) -> None:
    """`NotApplicable` where t-SNE cannot have that perplexity with so few points, `InputError` where it never could."""
    if engine not in ("auto", *LIBRARIES):
        return
    if not perplexity > 0:
        raise InputError(f"perplexity = {perplexity:g}: expected more than 0")
    if perplexity >= total:
        raise NotApplicable(f"a perplexity of {perplexity:g} needs more than the {total} points; give a smaller one")


def describe_map(engine: str, perplexity: float) -> str:
    """What a title says of t-SNE: ``perplexity 30, by openTSNE``; empty for any other engine."""
    return f"perplexity {perplexity:g}, by {LIBRARIES[engine]}" if engine in LIBRARIES else ""


def label_map_axes(ax: Axes, engine: str) -> None:
    """Principal components have axes with units; those of any other map mean nothing, and it hides its ticks."""
    if engine == "pca":
        ax.set(xlabel="first component", ylabel="second component")
    else:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)


def write_quality(ax: Axes, quality: MapQuality) -> None:
    """A line under a map without ticks: trustworthiness, continuity and neighbor recall at the first k."""
    parts = [f"{measure} {quality.mean(measure)[0]:.2f}" for measure in ("trustworthiness", "continuity", "recall")]
    line = f"{', '.join(parts)} ($k$ = {quality.k[0]})"
    look = {"ha": "center", "va": "top", "fontsize": "small", "annotation_clip": False}
    ax.annotate(line, (0.5, 0), (0, -4), xycoords="axes fraction", textcoords="offset points", **look)
