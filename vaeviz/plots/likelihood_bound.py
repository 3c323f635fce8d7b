from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.estimates import Estimate, mean_estimate
from vaeviz.analysis.importance_bound import ImportanceBound, importance_bound
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.out_of_core import as_samples, take_rows
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.36))
def likelihood_bound(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    count: int = 500,
    max_points: int | None = 500,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Lower bounds of ln p(x): the ELBO, and the importance-weighted bound against its number of samples.

    encoder: any callable, model, or `Posterior`, with a spread. x: (N, ...). condition: (N, ...), of a conditional
        model. likelihood: a callable ln p(x | z) from a batch of x and one of codes to as many numbers in nats; a run
        or model of `vaeviz_models` brings its own.
    count: importance samples for each x. max_points: of at most so many x, chosen at random with `seed`; None for
        all. Burda et al. 2016. Panels: the average bound over x with its standard error; the last bound of each x
        against its ELBO, with the standard error from the sampling of z; the effective sample sizes.
    """
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    rows = subsample_rows(max_points, len(posterior), seed)
    bound = importance_bound(likelihood, take_rows(x, rows), posterior[rows], n_draws=count, seed=seed)
    figure = figure or figure_for(likelihood_bound)
    axes = figure.subplots(1, 3)
    _draw_average(axes[0], bound)
    _draw_each(axes[1], bound)
    _draw_effective(axes[2], bound)
    count = f"N = {len(rows):,}" if len(rows) == len(posterior) else f"{len(rows):,} of {len(posterior):,} samples"
    given = "" if posterior.condition is None else r"\,|\,y"
    figure.suptitle(f"Lower bounds of $\\ln p(x{given})$, {count}")
    return axes


def _draw_average(ax: Axes, bound: ImportanceBound) -> None:
    elbo = mean_estimate(bound.elbo)
    ax.fill_between(
        bound.k, bound.mean - bound.mean_error, bound.mean + bound.mean_error, alpha=0.2, lw=0, label="±1 SE over $x$"
    )
    ax.plot(bound.k, bound.mean, marker="o", ms=3, label="$L_k$")
    ax.axhline(elbo.value, color="0.35", lw=0.8, ls=(0, (4, 3)), label=f"ELBO {elbo}")
    ax.set(xscale="log", xlabel="$k$, importance samples", ylabel="mean bound (nats)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"$L_{{{bound.k[-1]}}}$ = {Estimate(bound.mean[-1], bound.mean_error[-1])}")
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.55 * (high - low), high)  # room for the legend, under the lowest bound
    ax.legend(loc="lower right")


def _draw_each(ax: Axes, bound: ImportanceBound) -> None:
    last = bound.values[:, -1]
    ends = min(bound.elbo.min(), last.min()), max(bound.elbo.max(), last.max())
    ax.plot(ends, ends, color="0.35", lw=0.8, ls=(0, (4, 3)), zorder=1)
    ax.errorbar(bound.elbo, last, yerr=bound.errors[:, -1], ls="", marker="o", ms=2, mew=0, elinewidth=0.5, alpha=0.6)
    ax.set(xlabel="ELBO of each $x$ (nats)", ylabel=f"$L_{{{bound.k[-1]}}}$ of each $x$ (nats)")
    ax.set_title(f"$L_{{{bound.k[-1]}}}-L_1$ = {bound.gain}")


def _draw_effective(ax: Axes, bound: ImportanceBound) -> None:
    count = int(bound.k[-1])
    ax.hist(bound.effective, bins=np.geomspace(1, max(count, 2), 25), color="C0", alpha=0.8)
    ax.set(xscale="log", xlim=(1, max(count, 2)), xlabel=f"effective sample size, of {count:,}", ylabel="number of $x$")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"Median effective size {np.median(bound.effective):.3g}")
