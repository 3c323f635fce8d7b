"""Plot of what each latent dimension says about each known factor."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, active_dimensions
from vaeviz.analysis.disentanglement import Disentanglement, codes_for_scores
from vaeviz.analysis.disentanglement import disentanglement as disentanglement_scores
from vaeviz.analysis.factors import as_factors
from vaeviz.analysis.subsampling import subsample_rows
from vaeviz.data.sample_kind import column_names, label_factors
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.drawing.legends import legend_below
from vaeviz.drawing.matrices import draw_matrix
from vaeviz.model.encode import encode
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.4), question="Which dimensions matter?")
def disentanglement(
    encoder: Any,
    x: Any,
    factors: Any,
    condition: Any = None,
    factor_names: Any = None,
    *,
    estimator: Literal["means", "samples"] = "means",
    bins: int = 20,
    nominal: tuple[int, ...] | None = None,
    max_dims: int = 20,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    max_points: int | None = 2000,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the information of each latent dimension on each known factor, and four disentanglement scores.

    What to look for: one dark cell in each row, in columns of their own, is a disentangled code. A factor whose row
    is pale everywhere is not encoded by any single dimension, though all together may hold it: see the score "DCI
    inform.".

    What commonly misleads: scores of different papers measure different things and cannot be compared with each
    other. A score far above its value for shuffled factors shows that the factor is encoded, and not that the axes
    are the right ones. Correlated factors make all scores hard to read.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`.
    x : array_like, shape (N, ...)
        Samples.
    factors : array_like or DataFrame, shape (N, K)
        Known factors of each sample, as numbers or classes. Where a value is missing, the sample is left out for that
        factor.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    factor_names : sequence of str, length K, optional
        Names of the factors. By default, the column names of `factors` if it is a data frame.
    estimator : {"means", "samples"}, default="means"
        Use the posterior means, or one posterior sample for each x.
    bins : int, default=20
        Bins of equal width of a code for mutual information, and of equal mass of a factor with fewer than five
        samples per value.
    nominal : tuple of int, optional
        Factors whose values have no order, counted from 0. By default, text, booleans and whole numbers with at most
        ten values. Declare periodic factors, such as an orientation: in SAP and DCI the ends of a number are far apart.
    max_dims : int, default=20
        Largest number of dimensions to score, the most active ones. More would take minutes.
    min_kl : float, default=0.005
        A dimension with a mean KL at or below this (nats) is collapsed and masked.
    min_share : float, default=0.01
        A dimension whose posterior mean varies by this share of the variance of q(z_j) or less is collapsed
        and masked.
    max_points : int or None, default=2000
        Largest number of samples to use. More are subsampled at random; None keeps all.
    seed : int, default=0
        Seed of the subsample, of posterior samples and of the scores.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
        The Axes of the information matrix and of the scores.

    Raises
    ------
    NotApplicable
        If all factors are constant or hardly known, or `estimator` is "samples" for a deterministic encoder.
    InputError
        If `factors` or `factor_names` do not fit `x`, or `bins` or `max_dims` is too small.

    Notes
    -----
    The matrix shows I(z_j; v_k) / H(v_k), the mutual information of dimension j and factor k as a share of the
    entropy of the factor, adjusted so that shuffled factors have 0. The scores are MIG (Chen et al. 2018), SAP (Kumar
    et al. 2018), DCI (Eastwood & Williams 2018) and the FactorVAE score (Kim & Mnih 2018) with ±1 standard error,
    beside their values for shuffled factors.

    References
    ----------
    Chen et al., Isolating Sources of Disentanglement in VAEs, NeurIPS 2018.
    Kumar et al., Variational Inference of Disentangled Latent Concepts from Unlabeled Observations, ICLR 2018.
    Eastwood & Williams, A Framework for the Quantitative Evaluation of Disentangled Representations, ICLR 2018.
    Kim & Mnih, Disentangling by Factorising, ICML 2018.
    """
    check_minimum("max_dims", max_dims, 1)
    posterior = encode(encoder, x, condition)
    rows = subsample_rows(max_points, len(posterior), seed)
    active = active_dimensions(posterior, min_kl=min_kl, min_share=min_share)
    dims = np.sort(active.ranking[:max_dims])
    codes = codes_for_scores(posterior[rows], estimator, seed)[:, dims]
    names = column_names(factor_names, factors)
    columns = as_factors(factors, len(posterior), nominal=nominal)
    known = [factor[rows] for factor in columns]
    found = disentanglement_scores(codes, known, active.mask[dims], n_bins=bins, max_points=None, seed=seed)
    figure = figure or figure_for(disentanglement)
    axes: np.ndarray = figure.subplots(1, 2, width_ratios=(1.35, 1))
    draw_matrix(
        axes[0],
        found.information.T,
        rows=label_factors(names, np.empty((len(posterior), len(columns)))),
        columns=[dimension_label(dim) for dim in dims],
        label="adjusted $I(z_j; v_k)\\,/\\,H(v_k)$",
    )
    masked = f", {(~found.active).sum()} masked" if not found.active.all() else ""
    which = f"\n{len(dims)} most active of {posterior.size:,} dimensions" if len(dims) < posterior.size else ""
    axes[0].set_title(f"Information, posterior {estimator}, N = {len(rows):,}{masked}{which}")
    axes[0].set_xlabel(found.convention, fontsize="small")
    _draw_scores(axes[1], found, "Scores of these dimensions" if which else "Scores")
    return axes


def _draw_scores(ax: Axes, found: Disentanglement, heading: str) -> None:
    """Draw one row per score: its value with the standard error, and its value for shuffled factors."""
    heights = np.arange(len(found.scores))[::-1]
    for height, score in zip(heights, found.scores):
        ax.plot((score.null, score.value), (height, height), color="0.85", lw=1, zorder=1)
        ax.text(1.06, height, str(score), va="center", fontsize="small")
    ax.plot([s.null for s in found.scores], heights, ls="", marker="|", ms=8, mew=1.2, color="0.4", label="shuffled")
    values, errors = ([getattr(s, name) for s in found.scores] for name in ("value", "standard_error"))
    ax.errorbar(values, heights, xerr=errors, ls="", marker="o", ms=4, color="C0", label="score ±1 SE")
    ax.set_yticks(heights, [score.name for score in found.scores])
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(heights) - 0.4), xticks=(0, 0.5, 1))
    ax.set_title(f"{heading}, and for shuffled factors")
    legend_below(ax, text_above=("xtick.labelsize",))
