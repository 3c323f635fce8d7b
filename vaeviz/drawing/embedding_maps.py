"""Names, axes and quality of two-dimensional maps of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaeviz.analysis.active_dimensions import active_mask
from vaeviz.errors import Fix, InputError, NotApplicable
from vaeviz.model.posterior import Posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vaeviz.analysis.map_quality import MapQuality

METHOD_NAMES = {"tsne": "t-SNE", "opentsne": "t-SNE", "torch_tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}
TSNE_LIBRARIES = {"tsne": "scikit-learn", "opentsne": "openTSNE", "torch_tsne": "vaeviz"}
MIN_TSNE_POINTS = 4  # the fewest that have three neighbors each, for a perplexity of 1


def check_needs_map(posterior: Posterior) -> Posterior:
    """Check that codes have more than the two dimensions of a map.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of the samples.

    Returns
    -------
    Posterior
        The same.

    Raises
    ------
    NotApplicable
        If there are two dimensions or fewer.
    """
    if posterior.size <= 2:
        raise NotApplicable(
            f"The latent space has {posterior.size} dimension{'s' * (posterior.size > 1)} and needs no map.",
            fix="Use latent_scatter.",
        )
    return posterior


def usable_perplexity(engine: str, perplexity: float, n_points: int) -> float:
    """Return a perplexity that t-SNE can use; other engines ignore it.

    Parameters
    ----------
    engine : str
        Engine of the map, or ``"auto"``.
    perplexity : float
        Perplexity of t-SNE.
    n_points : int
        Number of points to map.

    Returns
    -------
    float
        `perplexity`, or a third of the points (rounded down) if it is too large for them.

    Raises
    ------
    InputError
        If the perplexity is not positive.
    NotApplicable
        If there are fewer than four points.

    Examples
    --------
    >>> usable_perplexity("tsne", 30.0, 1000), usable_perplexity("tsne", 30.0, 20)
    (30.0, 6.0)
    """
    if engine not in ("auto", *TSNE_LIBRARIES):
        return perplexity
    if not perplexity > 0:
        raise InputError(
            f"perplexity is {perplexity:g} but must be positive.",
            got=f"{perplexity:g}",
            expected="a positive number",
            fix=Fix("Pass e.g. perplexity=30.", "Add e.g. --perplexity 30."),
        )
    if n_points < MIN_TSNE_POINTS:
        raise NotApplicable(f"t-SNE needs at least {MIN_TSNE_POINTS} points, but there are {n_points}.")
    n_needed = 3 * perplexity if engine in ("opentsne", "torch_tsne") else perplexity
    return perplexity if n_points > n_needed else float((n_points - 1) // 3)


def describe_map(engine: str, perplexity: float, requested: float | None = None) -> str:
    """Return the part of a title that describes t-SNE.

    Parameters
    ----------
    engine : str
        Engine of the map.
    perplexity : float
        Perplexity of t-SNE.
    requested : float, optional
        Perplexity before it was lowered.

    Returns
    -------
    str
        The description; empty for other engines.

    Examples
    --------
    >>> describe_map("opentsne", 30.0)
    'perplexity 30, by openTSNE'
    >>> describe_map("tsne", 6.0, requested=30.0)
    'perplexity 6, not 30, by scikit-learn'
    """
    if engine not in TSNE_LIBRARIES:
        return ""
    lowered = f", not {requested:g}" if requested not in (None, perplexity) else ""
    return f"perplexity {perplexity:g}{lowered}, by {TSNE_LIBRARIES[engine]}"


def collapse_note(posterior: Posterior) -> str:
    """Return a line of a title for a map of codes that do not depend on x.

    Parameters
    ----------
    posterior : Posterior
        Posteriors of the samples.

    Returns
    -------
    str
        The line, after a line break; empty if a dimension is active.
    """
    return "" if active_mask(posterior).any() else "\nno dimension is active, the map shows noise"


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
