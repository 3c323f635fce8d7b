from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.disentanglement import Disentanglement, check_factors, codes_for_scores
from vaeviz.analysis.disentanglement import disentanglement as measured
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.arrays import as_array
from vaeviz.data.sample_kind import column_names, label_factors
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.matrices import draw_matrix
from vaeviz.drawing.numbers import with_error
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.4))
def disentanglement(
    encoder: Any,
    x: Any,
    factors: Any,
    condition: Any = None,
    factor_names: Any = None,
    *,
    estimator: Literal["means", "samples"] = "means",
    bins: int = 20,
    min_kl: float = 0.01,
    max_points: int | None = 2000,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """What each latent dimension tells of each known factor, and four published scores of disentanglement.

    encoder: any callable, model, or `Posterior`. x: (N, ...). factors: (N, K) numbers. condition: (N, ...), of a
        conditional model. factor_names: K names, by default those of the columns of factors, where it is a data frame.
    estimator: "means" of the posteriors, or one posterior sample for each x ("samples"). bins: of equal width, for
        mutual information. min_kl: dimensions with a mean KL below this (nats) are masked; without a spread, constant
        ones. max_points: at most so many x, chosen at random with `seed`; None for all.
    Left: mutual information as a share of the factor's entropy. Right: MIG (Chen et al. 2018), SAP (Kumar et al. 2018),
    DCI (Eastwood & Williams 2018) and the FactorVAE score (Kim & Mnih 2018) with ±1 standard error, beside their
    values for shuffled factors.
    """
    posterior = encode(encoder, x, condition)
    rows = subsample_rows(max_points, len(posterior), seed)
    kl = posterior.kl()
    active = None if kl is None else kl.mean(axis=0) >= min_kl
    codes = codes_for_scores(posterior, estimator, seed)
    names = column_names(factor_names, factors)
    factors = check_factors(as_array(factors), len(posterior))
    found = measured(codes[rows], factors[rows], active, bins=bins, seed=seed)
    figure = figure or figure_for(disentanglement)
    left, right = axes = figure.subplots(1, 2, width_ratios=(1.35, 1))
    draw_matrix(
        left,
        found.information.T,
        rows=label_factors(names, factors),
        columns=[dimension_label(dim) for dim in range(len(found.information))],
        label="$I(z_j; v_k)\\,/\\,H(v_k)$",
    )
    masked = f", {(~found.active).sum()} masked" if not found.active.all() else ""
    left.set_title(f"Information, posterior {estimator}, {bins} bins, N = {len(rows):,}{masked}")
    _draw_scores(right, found)
    return axes


def _draw_scores(ax: Axes, found: Disentanglement) -> None:
    """A row for each score, named at the left: value with error, and the value at independence."""
    places = np.arange(len(found.scores))[::-1]
    for place, score in zip(places, found.scores):
        ax.plot((score.null, score.value), (place, place), color="0.85", lw=1, zorder=1)
        ax.text(1.06, place, with_error(score.value, score.error), va="center", fontsize="small")
    ax.plot([s.null for s in found.scores], places, ls="", marker="|", ms=8, mew=1.2, color="0.4", label="shuffled")
    values, errors = ([getattr(s, name) for s in found.scores] for name in ("value", "error"))
    ax.errorbar(values, places, xerr=errors, ls="", marker="o", ms=4, color="C0", label="score ±1 SE")
    ax.set_yticks(places, [score.name for score in found.scores])
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(places) - 0.4), xticks=(0, 0.5, 1))
    ax.set_title("Scores, and for shuffled factors")
    legend_below(ax, text_above=("xtick.labelsize",))
