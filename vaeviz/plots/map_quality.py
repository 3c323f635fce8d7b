"""Plot of how far a map of the latent space can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.map_quality import MapQuality, NeighborhoodMeasure
from vaeviz.analysis.map_quality import map_quality as measure_map
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.embedding_maps import (
    METHOD_NAMES,
    check_needs_map,
    collapse_note,
    describe_map,
    label_map_axes,
    usable_perplexity,
)
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import equal_aspect
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.embeddings import embed
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plots._option_checks import option_fix
from vaeviz.plugins.plot_spec import PageShape, register_plot

MEASURES: tuple[NeighborhoodMeasure, ...] = ("trustworthiness", "continuity", "recall")
NEIGHBORHOOD_SIZES = (2, 5, 10, 20, 50, 100, 200)
MAX_RANKED_POINTS = 1000  # points whose neighbors are ranked for the curves; more would take long and change little


@register_plot(page=PageShape("full", 0.44), question="Can I trust this map?")
def map_quality(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    engine: str = "auto",
    perplexity: float = 30.0,
    n_neighbors: int = 10,
    max_points: int | None = 2000,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot how far a map of the latent space can be trusted, by point and by size of a neighborhood.

    What to look for: red points have neighbors on the map that are far away in latent space. On the right, solid
    lines are the map, dashed ones a PCA and dotted ones a random map: a map is worth its trouble where it is above
    the PCA.

    What commonly misleads: good small neighborhoods say nothing about the arrangement of the islands: read the curves
    at the size of neighborhood that you interpret. Trustworthiness punishes false neighbors and continuity lost ones;
    a map can be good at one of them only.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`, with more than two latent dimensions.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    engine : str, default="auto"
        Registered embedding that makes the map, as in `vaeviz.tsne`.
    perplexity : float, default=30.0
        Perplexity of t-SNE. If it is too large for the points, it is lowered to a third of them, and the title says so.
    n_neighbors : int, default=10
        Neighbors on which the trustworthiness of a point is measured.
    max_points : int or None, default=2000
        Largest number of points to map. More are subsampled at random; None keeps all.
    seed : int, default=0
        Seed of the subsample, of the map and of the random baseline.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
        The Axes of the map and of the curves.

    Raises
    ------
    NotApplicable
        If the latent space has two dimensions or fewer, or there are too few points for t-SNE (fewer than four) or for
        `n_neighbors`.
    InputError
        If `n_neighbors` or `perplexity` cannot be used.

    Notes
    -----
    On the left, each point is colored by its trustworthiness: a red point has neighbors on the map that are far away in
    latent space. On the right are trustworthiness and continuity (Venna & Kaski 2001) and neighbor recall, of the map
    (lines), of the first two principal components (dashes) and of a random map (dots).

    References
    ----------
    Venna & Kaski, Neighborhood preservation in nonlinear projection methods, ICANN 2001.
    """
    posterior = check_needs_map(encode(encoder, x, condition))
    rows = subsample_rows(max_points, len(posterior), seed)
    if len(rows) <= 2 * n_neighbors:
        raise NotApplicable(
            f"{len(rows)} points are too few for neighborhoods of {n_neighbors}; expected {2 * n_neighbors + 1}.",
            fix=option_fix("n_neighbors", max(1, (len(rows) - 1) // 2)),
        )
    z = posterior.mean[rows]
    usable = usable_perplexity(engine, perplexity, len(rows))
    embedding = embed(z, engine, perplexity=usable, seed=seed)
    name = METHOD_NAMES.get(embedding.engine, embedding.engine)
    qualities = _measure_maps(z, {name: embedding.points}, n_neighbors, seed)
    pointwise = measure_map(z, embedding.points, (n_neighbors,)).trustworthiness[0]
    figure = figure or figure_for(map_quality)
    axes: np.ndarray = figure.subplots(1, 2, width_ratios=(1.05, 1))
    _draw_pointwise(axes[0], embedding.points, pointwise, embedding.engine, seed)
    title = f"{name} of {posterior.size}-D {posterior.code_name}s"
    details = describe_map(embedding.engine, usable, perplexity)
    axes[0].set_title(f"{title}, N = {len(z):,}" + (f"\n{details}" if details else "") + collapse_note(posterior))
    _draw_curves(axes[1], qualities)
    return axes


def _measure_maps(z: np.ndarray, maps: dict[str, np.ndarray], n_neighbors: int, seed: int) -> dict[str, MapQuality]:
    """Measure maps of codes z, and two baselines: the first two principal components, and random points."""
    sizes = {n_neighbors, *(size for size in NEIGHBORHOOD_SIZES if size < len(z) / 2)}
    random = np.random.default_rng(seed).standard_normal((len(z), 2))
    maps = maps | {"PCA": embed(z, "pca").points, "random": random}
    return {
        name: measure_map(z, points, tuple(sorted(sizes)), n_samples=MAX_RANKED_POINTS, seed=seed)
        for name, points in maps.items()
    }


def _draw_pointwise(ax: Axes, points: np.ndarray, trustworthiness: np.ndarray, engine: str, seed: int) -> None:
    """Draw the map, each point in the color of its trustworthiness."""
    low = min(float(np.quantile(trustworthiness, 0.01)), 0.8)
    colors = color_labels(trustworthiness, len(points), "coolwarm_r", continuous=True, limits=(low, 1.0))
    assert colors.mappable is not None  # as continuous=True
    draw_scatter(ax, points, colors, seed=seed)
    bar = ax.inset_axes((1.03, 0, 0.04, 1))
    ax.figure.colorbar(colors.mappable, cax=bar, extend="min", label="trustworthiness of a point")
    equal_aspect(ax)
    label_map_axes(ax, engine)


def _draw_curves(ax: Axes, qualities: dict[str, MapQuality]) -> None:
    """Draw each measure in a color and each map in a line style."""
    for (name, quality), style in zip(qualities.items(), ("-", "--", ":")):
        for color, measure in enumerate(MEASURES):
            mean, error = quality.mean(measure), quality.error(measure)
            ax.plot(quality.k, mean, ls=style, color=f"C{color}")
            ax.fill_between(quality.k, mean - error, mean + error, color=f"C{color}", alpha=0.2, lw=0)
        ax.plot([], [], ls=style, color="0.3", label=name)
    for color, measure in enumerate(MEASURES):
        ax.plot([], [], color=f"C{color}", label=measure)
    sizes = next(iter(qualities.values())).k
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="$k$, size of a neighborhood", ylabel="score, 1 is best")
    ax.set_xticks(sizes, map(str, sizes))
    ax.minorticks_off()
    ax.set_title("The map and its baselines")
    legend_below(ax)
