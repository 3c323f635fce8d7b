"""Names, axes and quality of two-dimensional maps of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeviz.errors import Fix, InputError, NotApplicable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaeviz.analysis.map_quality import MapQuality

METHOD_NAMES = {"tsne": "t-SNE", "opentsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}
TSNE_LIBRARIES = {"tsne": "scikit-learn", "opentsne": "openTSNE"}


def check_perplexity(engine: str, perplexity: float, n_points: int) -> None:
    """Check that t-SNE can use a perplexity; other engines ignore it.

    Parameters
    ----------
    engine : str
        Engine of the map, or ``"auto"``.
    perplexity : float
        Perplexity of t-SNE.
    n_points : int
        Number of points to map.

    Raises
    ------
    InputError
        If the perplexity is not positive.
    NotApplicable
        If there are too few points for the perplexity.
    """
    if engine not in ("auto", *TSNE_LIBRARIES):
        return
    if not perplexity > 0:
        raise InputError(
            f"perplexity is {perplexity:g} but must be positive.",
            got=f"{perplexity:g}",
            expected="a positive number",
            fix=Fix("Pass e.g. perplexity=30.", "Add e.g. --perplexity 30."),
        )
    if perplexity >= n_points:
        smaller = max(1, n_points // 4)
        raise NotApplicable(
            f"A perplexity of {perplexity:g} needs more than {n_points} points.",
            fix=Fix(f"Pass a smaller one, e.g. perplexity={smaller}.", f"Add e.g. --perplexity {smaller}."),
        )


def describe_map(engine: str, perplexity: float) -> str:
    """Return the part of a title that describes t-SNE.

    Parameters
    ----------
    engine : str
        Engine of the map.
    perplexity : float
        Perplexity of t-SNE.

    Returns
    -------
    str
        The description; empty for other engines.

    Examples
    --------
    >>> describe_map("opentsne", 30.0)
    'perplexity 30, by openTSNE'
    """
    return f"perplexity {perplexity:g}, by {TSNE_LIBRARIES[engine]}" if engine in TSNE_LIBRARIES else ""


def label_map_axes(ax: Axes, engine: str) -> None:
    """Label principal components, or hide the ticks of a map whose coordinates have no meaning.

    Parameters
    ----------
    ax : Axes
        Axes that holds the map.
    engine : str
        Engine of the map.
    """
    if engine == "pca":
        ax.set(xlabel="first component", ylabel="second component")
    else:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)


def write_quality(ax: Axes, quality: MapQuality) -> None:
    """Write trustworthiness, continuity and neighbor recall below a map without ticks.

    Parameters
    ----------
    ax : Axes
        Axes that holds the map.
    quality : MapQuality
        Quality of the map; its first neighborhood size is reported.
    """
    parts = [f"{measure} {quality.mean(measure)[0]:.2f}" for measure in ("trustworthiness", "continuity", "recall")]
    ax.annotate(
        f"{', '.join(parts)} ($k$ = {quality.k[0]})",
        (0.5, 0),
        (0, -4),
        xycoords="axes fraction",
        textcoords="offset points",
        annotation_clip=False,
        ha="center",
        va="top",
        fontsize="small",
    )
