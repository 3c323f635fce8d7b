from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.map_quality import MapQuality, NeighborhoodMeasure
from vaeviz.analysis.map_quality import map_quality as measured
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.embedding_maps import METHOD_NAMES, check_perplexity, describe_map, label_map_axes
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import equal_aspect
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.embeddings._base import embed
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot

MEASURES: tuple[NeighborhoodMeasure, ...] = ("trustworthiness", "continuity", "recall")


@register_plot(page=PageShape("full", 0.44))
def map_quality(
    encoder: Any,
    x: Any,
    condition: Any = None,
    *,
    engine: str = "auto",
    perplexity: float = 30.0,
    k: int = 10,
    max_points: int | None = 2000,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """How far a map of the latent can be trusted, point by point and against the size of a neighborhood.

    encoder: any callable, model, or `Posterior`, of more than two dimensions. x: (N, ...). condition: (N, ...), of a
        conditional model.
    engine, perplexity: of the map, as in `tsne`. k: neighbors that the left panel asks for. max_points: at most so
        many points are mapped, chosen at random with `seed`; None for all.
    Left: the map, each point colored by its trustworthiness: a red one has neighbors that lie far off in the latent.
    Right: trustworthiness and continuity (Venna & Kaski 2001) and neighbor recall, of the map (line), of the first two
    principal components (dashes) and of a random map (dots).
    """
    posterior = encode(encoder, x, condition)
    if posterior.size <= 2:
        raise NotApplicable(f"the latent has {posterior.size} dimension{'s' * (posterior.size > 1)} and needs no map")
    rows = subsample_rows(max_points, len(posterior), seed)
    check_perplexity(engine, perplexity, len(rows))
    z = posterior.mean[rows]
    embedding = embed(z, engine, perplexity=perplexity, seed=seed)
    maps = {
        METHOD_NAMES.get(embedding.engine, embedding.engine): embedding.points,
        "PCA": embed(z, "pca").points,
        "random": np.random.default_rng(seed).standard_normal((len(z), 2)),
    }
    sizes = _sizes(k, len(z))
    qualities = {name: measured(z, points, sizes, n_samples=1000, seed=seed) for name, points in maps.items()}
    figure = figure or figure_for(map_quality)
    left, right = axes = figure.subplots(1, 2, width_ratios=(1.05, 1))
    (name, points), *_ = maps.items()
    pointwise = measured(z, points, (k,)).trustworthiness[0]
    _draw_pointwise(left, points, pointwise, embedding.engine, seed)
    how = describe_map(embedding.engine, perplexity)
    left.set_title(f"{name} of {posterior.size}-D {posterior.code_name}s, N = {len(z):,}" + (f"\n{how}" if how else ""))
    _draw_curves(right, qualities)
    return axes


def _sizes(k: int, total: int) -> tuple[int, ...]:
    """k, and sizes of a neighborhood around it, each under half of the points."""
    return tuple(sorted({k, *(size for size in (2, 5, 10, 20, 50, 100, 200) if size < total / 2)}))


def _draw_pointwise(ax: Axes, points: np.ndarray, trustworthiness: np.ndarray, engine: str, seed: int) -> None:
    low = min(float(np.quantile(trustworthiness, 0.01)), 0.8)
    values = np.append(np.clip(trustworthiness, low, 1), (low, 1))  # the scale has these ends, whatever the points
    colors = color_labels(values, len(values), palette="coolwarm_r", continuous=True)[:-2]
    draw_scatter(ax, points, colors, seed=seed)
    place = ax.inset_axes((1.03, 0, 0.04, 1))
    ax.figure.colorbar(colors.mappable, cax=place, extend="min", label="trustworthiness of a point")
    equal_aspect(ax)
    label_map_axes(ax, engine)


def _draw_curves(ax: Axes, qualities: dict[str, MapQuality]) -> None:
    for (name, quality), style in zip(qualities.items(), ("-", "--", ":")):
        for color, measure in enumerate(MEASURES):
            mean, error = quality.mean(measure), quality.error(measure)
            ax.plot(quality.k, mean, ls=style, color=f"C{color}")
            ax.fill_between(quality.k, mean - error, mean + error, color=f"C{color}", alpha=0.2, lw=0)
        ax.plot([], [], ls=style, color="0.3", label=name)
    for color, measure in enumerate(MEASURES):
        ax.plot([], [], color=f"C{color}", label=measure)
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="$k$, size of a neighborhood", ylabel="score, 1 is best")
    ax.set_xticks(next(iter(qualities.values())).k, map(str, next(iter(qualities.values())).k))
    ax.minorticks_off()
    ax.set_title("The map and its baselines")
    legend_below(ax)
