"""Plot of the prior mass that the aggregate posterior misses."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS
from vaeviz.analysis.condition_sets import condition_set, cycle_conditions
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.prior_holes import Holes, find_holes
from vaeviz.analysis.subsampling import representative_rows
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.latent_axes import DASHES
from vaeviz.drawing.legends import legend_inside
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder, check_columns, with_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plots._titles import sample_count
from vaeviz.plugins.plot_spec import PageShape, register_plot

N_SCORE_BINS = 40
HEADROOM = 1.4  # height of the axis / of the highest bar, so that the legend hides none


@register_plot(page=PageShape("full", 0.38), question="Can I sample from it?")
def prior_holes(
    encoder: Any,
    x: Any,
    decoder: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n_codes: int = 2000,
    level: float = 0.01,
    tolerance: float = 0.05,
    n_grid: int = 5,
    max_points: int | None = MAX_POSTERIORS,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot how much of the prior is where the aggregate posterior has no mass, and what is decoded there.

    What to look for: about 1 % of the prior would be left of the dashed line if codes were distributed like the
    prior. A larger share is what a sample from the prior risks. The pictures on the right show what is decoded in
    holes, and elsewhere.

    What commonly misleads: a decoder can make good pictures in a hole, or bad ones elsewhere: a hole is a risk, not a
    fault. In many dimensions with few samples most holes cannot be seen; the check ``holes`` of `analyze` says when
    this is so.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    x : array_like, shape (N, ...)
        Samples.
    decoder : callable or model, optional
        Decoder of the codes. It adds panels of decoded samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it. Decoded samples take all conditions in turn.
    feature_names : sequence of str, optional
        Names of the values of a sample. By default, the column names of `x` if it is a data frame.
    n_codes : int, default=2000
        Codes drawn from the prior, and largest number of codes drawn from q(z).
    level : float, default=0.01
        A hole is where q(z) is below this quantile of q(z) at its own codes.
    tolerance : float, default=0.05
        Share of the prior in holes up to which the prior counts as covered.
    n_grid : int, default=5
        Decoded samples per side of each of the two squares.
    max_points : int or None, default=100000
        Largest number of samples whose posteriors are mixed. More are subsampled at random; None keeps all.
    kind : {"image", "spectrogram", "signal", "point", "table"}, optional
        How to draw a sample. By default, its shape decides.
    cmap : str, optional
        Matplotlib colormap of samples with one channel.
    seed : int, default=0
        Seed of the subsample and of the codes.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (1,), (2,) or (3,)
        The Axes of the scores and, with a decoder, of samples in holes and elsewhere. Points in the plane share one.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the prior is unknown, the KL is infinite, or there is only one sample.
    InputError
        If `level` or `tolerance` is not a share, or a count is too small.

    See Also
    --------
    vaeviz.find_holes : Compute the numbers.

    Notes
    -----
    Both histograms show the score that finds the most holes: the log-ratio of q(z) and the prior by one of two
    classifiers, or ln q(z), where q(z) is the mixture of all N posteriors: at codes drawn from q(z), scored
    leave-one-out, and at codes drawn from the prior N(0, I). Prior codes to the left of the dashed line are in holes.
    Of each group, the codes nearest to the centers of k-means are decoded, so that the pictures differ.

    References
    ----------
    Rosca et al., Distribution Matching in Variational Inference, arXiv:1802.06847, 2018.
    """
    check_minimum("n_grid", n_grid, 1)
    style = sample_style(x, feature_names, kind=kind, cmap=cmap)
    check_columns(encoder, x)
    x = as_samples(x, "x")
    posterior = encode(with_decoder(encoder, decoder), x, condition)
    found = find_holes(posterior, n_codes=n_codes, level=level, tolerance=tolerance, max_points=max_points, seed=seed)
    panels = [] if decoder is None else _decode_panels(decoder, condition, found, posterior, x, n_grid, style, seed)
    figure = figure or figure_for(prior_holes)
    widths = [1.2, 1, 1][: 1 + len(panels)]
    axes: np.ndarray = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    _draw_scores(axes[0], found, len(posterior))
    whole = np.stack([cells for _, cells, _ in panels]) if panels else None
    for ax, (title, cells, names) in zip(axes[1:], panels):
        draw_cells(ax, cells, style, GridLayout(row_labels=names), show_legend=ax is axes[-1], all_cells=whole)
        ax.set_title(title)
    return axes


def _decode_panels(
    decoder: Any,
    condition: Any,
    found: Holes,
    posterior: Posterior,
    x: Any,
    n_grid: int,
    style: SampleStyle,
    seed: int,
) -> list[tuple[str, np.ndarray, tuple[str, ...]]]:
    """Return the title, cells and row labels of each panel: samples in holes and elsewhere.

    Points in the plane share one panel. A conditional decoder takes every condition in turn.
    """
    decoder = as_decoder(decoder)
    conditions = condition_set(decoder, condition)
    count = n_grid**2
    groups = {"in holes": found.codes[found.in_hole], "elsewhere": found.codes[~found.in_hole]}
    totals = {name: len(codes) for name, codes in groups.items()}
    groups = {name: codes[representative_rows(codes, count, seed)] for name, codes in groups.items()}
    decoded = {
        name: decode(decoder, posterior.with_codes(codes), cycle_conditions(conditions, len(codes)), reference=x)
        for name, codes in groups.items()
        if len(codes)
    }
    padded = {name: _pad_with_blanks(samples, count) for name, samples in decoded.items()}
    if all(style.kind_of(samples.shape[1:]) == "point" for samples in decoded.values()):
        return [("prior samples", np.stack(list(padded.values())), tuple(decoded))]
    titles = {name: f"prior, {name}: {len(samples)} of {totals[name]:,}" for name, samples in decoded.items()}
    return [(titles[name], samples.reshape(n_grid, n_grid, *samples.shape[1:]), ()) for name, samples in padded.items()]


def _draw_scores(ax: Axes, found: Holes, total: int) -> None:
    """Draw both sets of scores as histograms on one scale, and the score below which a hole begins.

    The axis reaches as far below that score as the best score of q is above it. The legend counts what is lower.
    """
    best = found.own.max()
    lowest = max(2 * found.threshold - best, min(found.own.min(), found.prior.min()))
    edges = np.linspace(lowest, max(best, found.prior.max()), N_SCORE_BINS + 1).tolist()
    for scores, name, color in ((found.own, "q(z)", "C0"), (found.prior, "prior", "C1")):
        weights = np.full(len(scores), 1 / len(scores))
        lower = 100 * (scores < lowest).mean()
        label = f"{name}, {lower:.3g} % further left" if lower else name
        ax.hist(scores, edges, weights=weights, color=color, alpha=0.55, label=label)
    top = ax.dataLim.ymax
    quantile = f"{100 * found.level:g} % of q(z)"
    ax.plot([found.threshold] * 2, [0, top], color="0.2", lw=0.9, ls=DASHES, label=quantile)
    score = "ln q(z)" if found.decisive.name == "density" else f"ln q(z)/p(z) of the {found.decisive.name}"
    ax.set(xlabel=f"{score} (nats)", ylabel="share of samples", xlim=(lowest, None), ylim=(0, HEADROOM * top))
    percent = Estimate(100 * found.mass.value, 100 * found.mass.standard_error)
    blind = "" if found.flagged or not found.unseen else f"\na {found.unseen} prior would not be seen"
    n_compared, n_dims = len(found.density_dims), found.codes.shape[1]
    dims = f", {n_compared} of {n_dims:,} dimensions" if n_compared < n_dims else ""
    ax.set_title(f"{percent} % of the prior in holes, {sample_count(found.n_posteriors, total)}{dims}{blind}")
    legend_inside(ax, loc="upper left", borderaxespad=0, bbox_to_anchor=(0.02, 1))


def _pad_with_blanks(samples: np.ndarray, count: int) -> np.ndarray:
    blank = np.full((count - len(samples), *samples.shape[1:]), np.nan, dtype=np.float32)
    return np.concatenate([samples, blank])
