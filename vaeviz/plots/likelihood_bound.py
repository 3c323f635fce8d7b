"""Plot of lower bounds of the log-likelihood."""

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
from vaeviz.drawing.latent_axes import DASHES
from vaeviz.drawing.legends import legend_inside
from vaeviz.model.decoder_likelihood import as_likelihood, find_decoder, warn_of_mean_likelihood
from vaeviz.model.encode import encode
from vaeviz.model.opening import check_columns
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

N_SIZE_BINS = 24  # of the effective sample sizes, evenly spaced on a log scale
LEGEND_SHARE = 0.55  # of the height of the curves, kept free for the legend below them


@register_plot(page=PageShape("full", 0.36), question="Is the bound tight?")
def likelihood_bound(
    encoder: Any,
    x: Any,
    likelihood: Any,
    condition: Any = None,
    *,
    n_draws: int = 500,
    max_points: int | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot lower bounds of ln p(x): the ELBO, and the importance-weighted bound by number of samples.

    What to look for: the distance of the curve at its right end from the ELBO is the least that the encoder loses. A
    curve that is still rising there has not reached ln p(x). Models can be compared by it, if all used the same
    number of samples.

    What commonly misleads: an effective sample size near 1 (right panel) means that a single z carries the estimate,
    and the bound is loose however smooth the curve looks. Averages hide single samples: the middle panel shows each.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    x : array_like, shape (N, ...)
        Samples.
    likelihood : str or callable
        Name of the likelihood of the model's decoder, see `vaeviz.decoder_likelihood`, or a function that returns
        ln p(x | z) in nats for pairs of samples and codes. A run or model of `vaeviz_models` has one.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    n_draws : int, default=500
        Importance samples for each x.
    max_points : int or None, default=None
        Largest number of samples to choose from; None for all. As many are used as 50,000 decoded codes allow.
    seed : int, default=0
        Seed of the subsample and of the importance samples.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (3,)
        The Axes of the average bounds, of the bounds of each x, and of the effective sample sizes.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the prior is unknown, or the KL is infinite.
    InputError
        If `n_draws` is below 1, or `likelihood` does not return one finite number per pair.

    See Also
    --------
    vaeviz.log_likelihood : Evaluate a likelihood for pairs of samples and codes.

    Notes
    -----
    The bound is L_k = E ln 1/k Σ p(x, z_i) / q(z_i | x) with k samples z_i ~ q(z | x) (Burda et al. 2016, equation 8).
    L_1 is an estimate of the ELBO, and L_k increases with k towards ln p(x). The first panel shows the average over x
    with its standard error. The second compares the last bound of each x with its ELBO; its bars are standard errors
    from the sampling of z.

    References
    ----------
    Burda et al., Importance Weighted Autoencoders, ICLR 2016.
    """
    check_columns(encoder, x)
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    decoder = find_decoder(encoder)
    likelihood = as_likelihood(likelihood, decoder)
    warn_of_mean_likelihood(likelihood, decoder, x, posterior)
    total, rows = len(posterior), subsample_rows(max_points, len(posterior), seed)
    if len(rows) < total:  # otherwise x stays on the disk if it is there
        x, posterior = take_rows(x, rows), posterior[rows]
    bound = importance_bound(likelihood, x, posterior, n_draws=n_draws, seed=seed)
    figure = figure or figure_for(likelihood_bound)
    axes: np.ndarray = figure.subplots(1, 3)
    _draw_average_bounds(axes[0], bound)
    _draw_each_bound(axes[1], bound)
    _draw_effective_sizes(axes[2], bound)
    given = "" if posterior.condition is None else r"\,|\,y"
    figure.suptitle(f"Lower bounds of $\\ln p(x{given})$, {sample_count(len(bound.rows), total)}")
    return axes


def _draw_average_bounds(ax: Axes, bound: ImportanceBound) -> None:
    elbo = mean_estimate(bound.elbo)
    low, high = bound.mean - bound.mean_error, bound.mean + bound.mean_error
    ax.fill_between(bound.k, low, high, alpha=0.2, lw=0, label="±1 SE over $x$")
    ax.plot(bound.k, bound.mean, marker="o", ms=3, label="$L_k$")
    ax.axhline(elbo.value, color="0.35", lw=0.8, ls=DASHES, label=f"ELBO {elbo}")
    ax.set(xscale="log", xlabel="$k$, importance samples", ylabel="mean bound (nats)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"$L_{{{bound.k[-1]}}}$ = {Estimate(bound.mean[-1], bound.mean_error[-1])}")
    if legend_inside(ax, loc="lower right"):
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom - LEGEND_SHARE * (top - bottom), top)


def _draw_each_bound(ax: Axes, bound: ImportanceBound) -> None:
    last = bound.values[:, -1]
    ends = min(bound.elbo.min(), last.min()), max(bound.elbo.max(), last.max())
    ax.plot(ends, ends, color="0.35", lw=0.8, ls=DASHES, zorder=1)
    ax.errorbar(bound.elbo, last, yerr=bound.errors[:, -1], ls="", marker="o", ms=2, mew=0, elinewidth=0.5, alpha=0.6)
    ax.set(xlabel="ELBO of each $x$ (nats)", ylabel=f"$L_{{{bound.k[-1]}}}$ of each $x$ (nats)")
    ax.set_title(f"$L_{{{bound.k[-1]}}}-L_1$ = {bound.gain}")


def _draw_effective_sizes(ax: Axes, bound: ImportanceBound) -> None:
    n_draws = int(bound.k[-1])
    edges = np.geomspace(1, max(n_draws, 2), N_SIZE_BINS + 1)
    ax.hist(bound.effective, bins=edges.tolist(), color="C0", alpha=0.8)
    ax.set(xscale="log", xlim=(1, edges[-1]), xlabel=f"effective sample size, of {n_draws:,}", ylabel="number of $x$")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_title(f"Median effective size {np.median(bound.effective):.3g}")
