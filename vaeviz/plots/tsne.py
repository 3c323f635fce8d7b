from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.map_quality import map_quality
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.embedding_maps import METHOD_NAMES, check_perplexity, describe_map, label_map_axes, write_quality
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import equal_aspect
from vaeviz.drawing.legends import add_color_key
from vaeviz.drawing.scatter import check_marker_kws, draw_scatter
from vaeviz.embeddings._base import Embedding, embed
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot

ASKED = 1000  # points whose neighbors are ranked for the line under a map
K = 10


@register_plot(page=PageShape("column", 0.78))
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
    palette: str | None = None,
    continuous: bool | None = None,
    size: float | None = None,
    opacity: float | None = None,
    rasterized: bool | None = None,
    marker_kws: dict | None = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """A map of the posterior means of a latent of more than two dimensions, colored by label.

    encoder: any callable, model, or `Posterior`. x: (N, ...). labels: (N,) or None. condition: (N, ...), of a
        conditional model. other_x: (M, ...) other samples, to be placed into the map that x made, where the engine can:
        "opentsne", "umap" and "pca", not "tsne".
    engine: a registered embedding: "tsne" (t-SNE of van der Maaten & Hinton 2008, by scikit-learn), "opentsne" (the
        same by openTSNE), "umap" or "pca". "auto" is t-SNE by whichever is quicker of those installed.
    perplexity: of t-SNE. max_points: at most so many points, chosen at random with `seed`; the title says how many;
        None for all.
    The remaining options are those of `latent_scatter`. Distances and axes of a t-SNE map have no units, so it
    has no ticks; the line below says what it keeps of the neighborhoods (see `map_quality`). Raises `NotApplicable`
    for a latent of two dimensions or fewer.
    """
    posterior = encode(encoder, x, condition)
    if posterior.size <= 2:
        dimensions = "1 dimension" if posterior.size == 1 else "2 dimensions"
        raise NotApplicable(f"the latent has {dimensions} and needs no map: see latent_scatter")
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    rows = subsample_rows(max_points, len(posterior), seed)
    check_perplexity(engine, perplexity, len(rows))
    check_marker_kws(marker_kws)
    others = None if other_x is None else encode(encoder, other_x).mean
    embedding = embed(posterior.mean[rows], engine, perplexity=perplexity, seed=seed)
    ax = ax or axes_for(tsne)
    marks = draw_scatter(
        ax,
        embedding.points,
        colors[rows],
        marker_size=size,
        alpha=opacity,
        rasterized=rasterized,
        marker_kws=marker_kws,
        seed=seed,
    )
    if others is not None:
        _place(ax, embedding, others[subsample_rows(max_points, len(others), seed)])
    add_color_key(ax, marks.colors, embedding.points)
    equal_aspect(ax)
    ax.set_title(_title(embedding.engine, perplexity, posterior, len(rows)))
    label_map_axes(ax, embedding.engine)
    if embedding.engine != "pca" and len(rows) > 2 * K:
        write_quality(ax, map_quality(posterior.mean[rows], embedding.points, (K,), asked=ASKED, seed=seed))
    return ax


def _place(ax: Axes, embedding: Embedding, others: np.ndarray) -> None:
    if not embedding.can_place:
        warnings.warn(
            f"other_x is left out of the map: engine {embedding.engine!r} cannot place it, opentsne, umap and pca can",
            stacklevel=3,
        )
        return
    look = {"ls": "", "marker": "x", "ms": 3, "mew": 0.6, "color": "0.1", "zorder": 3}
    ax.plot(*embedding.place(others).T, **look, label=f"other\n({len(others):,})")


def _title(engine: str, perplexity: float, posterior: Posterior, shown: int) -> str:
    total, how = len(posterior), describe_map(engine, perplexity)
    count = f"N = {total:,}" if shown == total else f"{shown:,} of {total:,} points"
    what = f"{posterior.size}-dimensional {posterior.code_name}s"
    return f"{METHOD_NAMES.get(engine, engine)} of {what}\n{count}{how and f', {how}'}"
