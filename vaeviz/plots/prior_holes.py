from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS
from vaeviz.analysis.condition_sets import condition_set, cycle_conditions
from vaeviz.analysis.estimates import Estimate
from vaeviz.analysis.prior_holes import Holes, find_holes
from vaeviz.data.out_of_core import as_samples
from vaeviz.data.sample_kind import SampleKind
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle, sample_style
from vaeviz.errors import InputError
from vaeviz.model.decode import decode
from vaeviz.model.encode import encode
from vaeviz.model.opening import as_decoder
from vaeviz.model.posterior import Posterior
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("full", 0.38))
def prior_holes(
    encoder: Any,
    x: Any,
    decoder: Any = None,
    condition: Any = None,
    feature_names: Any = None,
    *,
    n: int = 2000,
    level: float = 0.01,
    tolerance: float = 0.05,
    side: int = 5,
    max_points: int | None = MAX_POSTERIORS,
    kind: SampleKind | None = None,
    cmap: str | None = None,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """How much of the prior lies where the aggregate posterior has no mass, and what is decoded there.

    encoder: any callable, model, or `Posterior` with a spread. x: (N, ...). condition: (N, ...), of a conditional
        model. decoder: any callable or model, for the pictures. n, level, tolerance, max_points, seed: see
        `vaeviz.find_holes`, which gives the numbers.
    side: of the two squares of pictures, one of prior samples in holes and one of the rest, each chosen at random and
        decoded, where the decoder takes a condition, under all of them in turn.
    feature_names: of the values of a sample, where x has no named columns. kind: how a sample is drawn, told by its
        shape unless given. cmap: of what has one channel.
    """
    if side < 1:
        raise InputError(f"side = {side}: expected 1 or more")
    look = sample_style(x, feature_names, kind=kind, cmap=cmap)
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    found = find_holes(posterior, n=n, level=level, tolerance=tolerance, max_points=max_points, seed=seed)
    pictures = [] if decoder is None else _pictures(decoder, condition, found, posterior, x, side, look)
    figure = figure or figure_for(prior_holes)
    axes = figure.subplots(1, 1 + len(pictures), width_ratios=[1.5, 1, 1][: 1 + len(pictures)], squeeze=False)[0]
    _draw_scores(axes[0], found, len(posterior))
    whole = np.stack([cells for _, cells, _ in pictures]) if pictures else None
    for ax, (title, cells, names) in zip(axes[1:], pictures):
        draw_cells(ax, cells, look, GridLayout(row_labels=names), show_legend=ax is axes[-1], all_cells=whole)
        ax.set_title(title)
    return axes


def _pictures(
    decoder: Any, condition: Any, found: Holes, posterior: Posterior, x: Any, side: int, look: SampleStyle
) -> list[tuple[str, np.ndarray, tuple[str, ...]]]:
    """(title, cells, row labels) of each panel: holes and the rest apart, but points in the plane in one.

    A conditional decoder is given every condition in turn.
    """
    decoder = as_decoder(decoder)
    conditions = condition_set(decoder, condition)
    count = side**2
    groups = {"in holes": found.codes[found.in_hole][:count], "elsewhere": found.codes[~found.in_hole][:count]}
    decoded = {
        name: decode(decoder, posterior.with_codes(codes), cycle_conditions(conditions, len(codes)), like=x)
        for name, codes in groups.items()
        if len(codes)
    }
    if all(look.kind_of(samples.shape[1:]) == "point" for samples in decoded.values()):
        return [("prior samples", np.stack([_padded(samples, count) for samples in decoded.values()]), tuple(decoded))]
    return [
        (f"prior, {name} ({len(samples)})", _padded(samples, count).reshape(side, side, *samples.shape[1:]), ())
        for name, samples in decoded.items()
    ]


def _draw_scores(ax: Axes, found: Holes, total: int) -> None:
    """Both sets of scores as histograms on one scale, and where a hole begins.

    The axis reaches as far below that as q's own best score lies above it; what is lower is told in the legend.
    """
    best = found.own.max()
    lowest = max(2 * found.threshold - best, min(found.own.min(), found.prior.min()))
    bins = np.linspace(lowest, max(best, found.prior.max()), 41)
    for scores, name, color in ((found.own, "samples of q(z)", "C0"), (found.prior, "samples of the prior", "C1")):
        weights = np.full(len(scores), 1 / len(scores))
        lower = 100 * (scores < lowest).mean()
        label = f"{name}, {lower:.2g} % further left" if lower else name
        ax.hist(scores, bins, weights=weights, color=color, alpha=0.55, label=label)
    top = ax.dataLim.ymax
    ax.plot(
        [found.threshold] * 2, [0, top], color="0.2", lw=0.9, ls=(0, (4, 3)), label=f"{100 * found.level:g} % of q(z)"
    )
    ax.set(xlabel="ln q(z) (nats)", ylabel="share of samples", xlim=(bins[0], None), ylim=(0, 1.4 * top))
    count = f"N = {total:,}" if found.total == total else f"{found.total:,} of {total:,} samples"
    percent = Estimate(100 * found.mass.value, 100 * found.mass.standard_error)
    ax.set_title(f"{percent} % of the prior in holes, {count}")
    ax.legend(loc="upper left", borderaxespad=0, bbox_to_anchor=(0.02, 1))


def _padded(samples: np.ndarray, count: int) -> np.ndarray:
    """Samples (n, ...) and blanks up to `count`."""
    blank = np.full((count - len(samples), *samples.shape[1:]), np.nan, dtype=np.float32)
    return np.concatenate([samples, blank])
