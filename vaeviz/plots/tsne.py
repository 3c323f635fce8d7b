"""Plot of a two-dimensional map of the codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.map_quality import map_quality
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.labels import labels_for
from vaeviz.drawing.colors import ClassNames, Palette, color_labels
from vaeviz.drawing.embedding_maps import (
    METHOD_NAMES,
    check_needs_map,
    collapse_note,
    describe_map,
    label_map_axes,
    usable_perplexity,
    write_quality,
)
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import equal_aspect
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import ScatterStyle, draw_scatter
from vaeviz.embeddings import Embedding, embed
from vaeviz.errors import Fix, GuessWarning, warn_user
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plots._other_samples import OTHER_MARKS, other_means
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

MAX_RANKED_POINTS = 1000  # points whose neighbors are ranked for the line under a map; more would change little
N_QUALITY_NEIGHBORS = 10  # size of the neighborhoods of that line


@register_plot(page=PageShape("column", 0.78), question="Where do my classes lie?")
def tsne(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    other_x: Any = None,
    *,
    engine: str = "auto",
    perplexity: float = 30.0,
    max_points: int | None = 5000,
    palette: Palette | None = None,
    continuous: bool | None = None,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
    marker_size: float | None = None,
    alpha: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict[str, Any] | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot a two-dimensional map of the posterior means, by t-SNE or another method, colored by label.

    What to look for: islands of one color are groups of samples whose nearest neighbors in latent space have the same
    label. The line below the map says how far neighborhoods on the map can be trusted.

    What commonly misleads: sizes of islands, distances between them and empty space between them mean nothing. t-SNE
    draws clusters even in data that have none if the perplexity is low. Change ``perplexity`` and ``seed``, and
    believe what stays. `map_quality` shows which points to believe.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`, with more than two latent dimensions.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale. By default,
        those that come with `x`, if it is a loader or a `Dataset`. Samples without a label (NaN, None or "") are light
        gray and underneath.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    other_x : array_like, shape (M, ...), optional
        Other samples, to be placed into the map of `x`. The engines "opentsne", "umap" and "pca" can do that.
    engine : str, default="auto"
        Registered embedding: "tsne" (t-SNE by scikit-learn), "opentsne" (t-SNE by openTSNE), "umap" or "pca". "auto" is
        t-SNE by the quicker of the installed libraries.
    perplexity : float, default=30.0
        Perplexity of t-SNE. If it is too large for the points, it is lowered to a third of them, and the title says so.
    max_points : int or None, default=5000
        Largest number of points to map. More are subsampled at random; None keeps all.
    palette : str, tuple or dict, optional
        Color sequence or colormap of matplotlib, palette of seaborn, colors (also separated by commas), or a color for
        each class by name.
    continuous : bool, optional
        Color integer labels along a gradient. By default, their type decides.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    highlight : tuple of str, optional
        Classes that keep their colors. The others become gray.
    limits : tuple of float, optional
        Ends of the scale of continuous labels. By default, a few that are far out are left out and counted.
    marker_size : float, optional
        Diameter of a marker in points. By default, it follows N.
    alpha : float, optional
        Opacity of a marker, from 0 to 1. By default, it follows N.
    rasterized : bool, optional
        Draw the markers as an image inside vector files. By default, large clouds are.
    marker_kws : dict, optional
        Further properties of the markers, as of `matplotlib.lines.Line2D`.
    seed : int, default=0
        Seed of the subsample, of the map and of the order in which points are drawn.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the map.

    Raises
    ------
    NotApplicable
        If the latent space has two dimensions or fewer, or there are fewer than four points for t-SNE.
    InputError
        If `labels`, `engine`, `perplexity`, `palette` or `marker_kws` cannot be used, or `other_x` is given with a
        Posterior, which holds the codes of `x` only.

    Warns
    -----
    GuessWarning
        If the engine cannot place `other_x`, or they need a condition. They are then left out.

    See Also
    --------
    map_quality : Plot how far a map can be trusted.

    Notes
    -----
    Distances and axes of such a map have no units, so that it has no ticks. The line below it shows how well the map
    preserves neighborhoods.

    References
    ----------
    van der Maaten & Hinton, Visualizing Data using t-SNE, JMLR 9, 2008.
    McInnes et al., UMAP, arXiv:1802.03426, 2018.
    """
    style = ScatterStyle(marker_size, alpha, rasterized, marker_kws)
    posterior = check_needs_map(encode(encoder, x, condition))
    labels = labels_for(x, labels)
    colors = color_labels(
        labels, len(posterior), palette, continuous, class_names=class_names, highlight=highlight, limits=limits
    )
    rows = subsample_rows(max_points, len(posterior), seed)
    others = other_means(encoder, other_x, x)
    usable = usable_perplexity(engine, perplexity, len(rows))
    embedding = embed(posterior.mean[rows], engine, perplexity=usable, seed=seed)
    ax = ax or axes_for(tsne)
    marks = draw_scatter(ax, embedding.points, colors[rows], style, seed=seed)
    if others is not None:
        _place_others(ax, embedding, others[subsample_rows(max_points, len(others), seed)])
    equal_aspect(ax)
    details = describe_map(embedding.engine, usable, perplexity)
    ax.set_title(_map_title(embedding.engine, details, posterior, len(rows)))
    label_map_axes(ax, embedding.engine)
    _write_map_quality(ax, posterior.mean[rows], embedding, seed)
    add_color_key(ax, marks.colors, embedding.points, marker=marks.marker_line.get_marker())
    return ax


def _place_others(ax: Axes, embedding: Embedding, others: np.ndarray) -> None:
    if not embedding.can_place:
        fix = Fix(
            'Pass engine="opentsne", "torch_tsne", "umap" or "pca".', "Add --engine opentsne, torch_tsne, umap or pca."
        )
        message = f"Engine {embedding.engine!r} cannot place other_x, so the map shows the samples of x only."
        warn_user(GuessWarning(message, fix=fix))
        return
    ax.plot(*embedding.place(others).T, **OTHER_MARKS, label=f"other\n({len(others):,})")


def _write_map_quality(ax: Axes, codes: np.ndarray, embedding: Embedding, seed: int) -> None:
    """Write how well a map preserves neighborhoods below it, unless it is a projection or has few points."""
    if embedding.engine != "pca" and len(codes) > 2 * N_QUALITY_NEIGHBORS:
        n_neighbors = (N_QUALITY_NEIGHBORS,)
        write_quality(ax, map_quality(codes, embedding.points, n_neighbors, n_samples=MAX_RANKED_POINTS, seed=seed))


def _map_title(engine: str, details: str, posterior: Posterior, shown: int) -> str:
    codes = f"{posterior.size}-dimensional {posterior.code_name}s"
    count = sample_count(shown, len(posterior), "points")
    title = f"{METHOD_NAMES.get(engine, engine)} of {codes}\n{count}{details and f', {details}'}"
    return title + collapse_note(posterior)
