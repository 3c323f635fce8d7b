from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.activity import check_dims, most_active_dims
from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.subsampling import stratified_rows
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.ellipses import draw_ellipses, mass_within
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect
from vaeviz.drawing.legends import add_color_key
from vaeviz.errors import InputError, NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", 0.8))
def posterior_ellipses(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[int, int] | None = None,
    n: int = 200,
    radius: float = 1.0,
    prior_contours: bool | None = None,
    palette: str | None = None,
    continuous: bool | None = None,
    opacity: float = 0.12,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Posteriors of some samples in two latent dimensions: means with the ellipses of their spread.

    encoder: any callable, model, or `Posterior` with a spread. x: (N, ...). labels: (N,) or None. condition: (N, ...),
        of a conditional model.
    dims: which two dimensions, counted from 0; by default the two with the highest mean KL.
    n: how many samples, at random with `seed`, evenly over the labels. radius: of the ellipses in standard
        deviations; in two dimensions 1 holds 39 % of the mass and 2 holds 86 %.
    prior_contours, palette, continuous: as in `latent_scatter`. opacity: of the ellipses' insides.
    Raises `NotApplicable` for a deterministic encoder or a latent of one dimension.
    """
    if n < 1 or not radius > 0:
        raise InputError(f"n = {n}, radius = {radius:g}: expected 1 sample or more and a radius above 0")
    posterior = check_gaussian_posterior(encode(encoder, x, condition), prior=False)
    if posterior.size == 1:
        raise NotApplicable("the latent has 1 dimension, and an ellipse needs two: see aggregate_posterior")
    colors = color_labels(labels, len(posterior), palette=palette, continuous=continuous)
    rows = stratified_rows(n, len(posterior), colors.index if colors.names else None, seed)
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    few = np.random.default_rng(seed).permutation(rows)  # so that no class lies on top
    ax = ax or axes_for(posterior_ellipses)
    spread = radius * posterior.std[few][:, shown]
    draw_ellipses(ax, posterior.mean[few][:, shown], spread, colors[few], alpha=opacity)
    if posterior.prior == "normal" if prior_contours is None else prior_contours:
        draw_prior_contours(ax)
    equal_aspect(ax)
    add_color_key(ax, colors[few], posterior.mean[few][:, shown])
    title = f"{radius:g}σ ellipses ({100 * mass_within(radius):.0f} % of the mass)"
    ax.set(xlabel=dimension_label(shown[0]), ylabel=dimension_label(shown[1]))
    ax.set_title(f"{title}\n{_which(len(rows), posterior, dims)}")
    return ax


def _which(count: int, posterior: Any, dims: tuple[int, int] | None) -> str:
    which = f"{count:,} of {len(posterior):,}"
    if posterior.size == 2:
        return f"{which} samples"
    return f"{which}, {'two' if dims else 'two most active'} of {posterior.size} dims"
