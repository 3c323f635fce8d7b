"""Plot of which latent dimensions are active, collapsed or ignored."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, DimensionStatus, Triage, triage
from vaeviz.analysis.estimates import Estimate
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import DASHES, label_dimension_ticks
from vaeviz.model.encode import encode
from vaeviz.model.opening import both_parts, check_columns, with_decoder
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plugins.plot_spec import PageShape, register_plot

STATUS_MARKERS: dict[DimensionStatus, tuple[str, str]] = {
    "active": ("C0", "o"),
    "ignored": ("C2", "X"),
    "collapsed": ("0.6", "s"),
    "uncertain": ("C1", "D"),
}
STATUS_NAMES: dict[DimensionStatus, str] = {
    "ignored": "ignored by the decoder",
    "uncertain": "within two errors of a threshold",
}
THRESHOLD_LINE: dict[str, Any] = {"color": "0.4", "lw": 0.7, "ls": DASHES}
MAX_WRITTEN_VALUES = 2  # values with their errors that fit side by side into a column
PANELS = {
    "kl": "mean KL (nats)",
    "variance": "variance of the posterior mean",
    "effect": "share of the output's variance",
}


@register_plot(page=PageShape("column", 1.3), question="Which dimensions matter?")
def latent_triage(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    max_dims: int = 24,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    min_effect: float | None = None,
    n_samples: int = 64,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot which latent dimensions are active, collapsed, or encoded but ignored by the decoder, and why.

    What to look for: dimensions below the dashed threshold of one of the upper panels are collapsed: they carry hardly
    any information about a sample. A dimension that is above in both and below in the last panel is encoded, but
    ignored by the decoder.

    What commonly misleads: a collapsed dimension is not a fault by itself: a VAE prunes dimensions that cost more than
    they bring. The KL of a dimension is no measure of what it changes in the picture, which is why the last panel
    exists. The axes are logarithmic.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    decoder : callable or model
        Decoder of the codes, by default that of the model if `encoder` is one.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    max_dims : int, default=24
        Largest number of dimensions to draw, those with the highest KL. The title counts all of them.
    min_kl : float, default=0.005
        Least mean KL (nats) of a dimension that is not collapsed.
    min_share : float, default=0.01
        Least variance of the posterior mean of a dimension that is not collapsed, as a share of the variance of q(z_j).
    min_effect : float, optional
        Largest share of the variance of the decoder's output that a dimension causes which the decoder ignores. A
        dimension that causes more than ten times this share of a single value's variance is not ignored either. By
        default 0.001, or 0.01 / D for more than ten dimensions.
    n_samples : int, default=64
        Largest number of posterior means around which the effect is measured; fewer for many dimensions.
    seed : int, default=0
        Seed of these posterior means.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (3,)
        The Axes of the KL, of the variance and of the effect.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the KL is infinite, or there is no decoder.
    InputError
        If a count is too small.

    See Also
    --------
    vaeviz.triage : Compute the numbers.

    Notes
    -----
    Dashed lines are the thresholds, and bars show two standard errors on each side. The axes are logarithmic. Values
    below a hundredth of their threshold are drawn there.

    References
    ----------
    Burda et al., Importance Weighted Autoencoders, ICLR 2016, section 5.
    """
    check_minimum("max_dims", max_dims, 1)
    encoder, decoder = both_parts(encoder, decoder)
    check_columns(encoder, x)
    x = as_samples(x, "x")
    posterior = encode(with_decoder(encoder, decoder), x, condition)
    found = triage(
        posterior, decoder, x, min_kl=min_kl, min_share=min_share, min_effect=min_effect, n_samples=n_samples, seed=seed
    )
    shown = np.argsort(-found.kl, kind="stable")[:max_dims]
    figure = figure or figure_for(latent_triage)
    axes: np.ndarray = figure.subplots(3, 1, sharex=True)
    for ax, (name, label) in zip(axes, PANELS.items()):
        values, errors = getattr(found, name)[shown], getattr(found, f"{name}_error")[shown]
        threshold = np.broadcast_to(getattr(found, f"min_{name}"), posterior.size)[shown]
        _draw_values(ax, values, errors, threshold, found.status[shown])
        ax.set_title(label)
    figure.suptitle(_triage_title(found, len(posterior)))
    label_dimension_ticks(axes[-1], shown)
    which = f" (the first {max_dims} of {posterior.size:,})" if max_dims < posterior.size else ""
    axes[-1].set_xlabel(f"dimension, by KL{which}")
    _add_status_legend(figure, found)
    return axes


def _draw_values(ax: Axes, values: np.ndarray, errors: np.ndarray, threshold: np.ndarray, statuses: np.ndarray) -> None:
    """Draw values with two standard errors on each side on a log scale, and the threshold of each."""
    positions, floor = np.arange(len(values)), threshold.min() / 100
    low, middle, high = (np.maximum(values + k * errors, floor) for k in (-2, 0, 2))
    for status in STATUS_MARKERS:
        chosen = statuses == status
        bars = np.stack([middle - low, high - middle])[:, chosen]
        ax.errorbar(positions[chosen], middle[chosen], bars, elinewidth=0.8, **_marker_style(status))
    ax.hlines(threshold, positions - 0.5, positions + 0.5, **THRESHOLD_LINE)
    ax.set_yscale("log")
    has_texts = len(values) <= MAX_WRITTEN_VALUES
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": "small"}
    style["bbox"] = {"fc": ax.get_facecolor(), "lw": 0, "pad": 0}  # so that a threshold does not strike through
    for place, value, error in zip(zip(positions, high), values, errors) if has_texts else ():
        ax.annotate(str(Estimate(float(value), float(error))), place, (0, 5), textcoords="offset points", **style)
    # Ends at powers of ten, so that at least two ticks are labeled.
    levels = np.concatenate([low, high, threshold])
    if (levels > 0).any():  # a threshold of 0 has no place on a log scale
        decades, room_above = np.log10(levels[levels > 0]), 1 if has_texts else 0.1
        ax.set_ylim(10 ** np.floor(decades.min() - 0.1), 10 ** np.floor(decades.max() + 1 + room_above))
    ax.yaxis.set_minor_locator(NullLocator())


def _marker_style(status: DimensionStatus) -> dict[str, Any]:
    color, marker = STATUS_MARKERS[status]
    return {"ls": "", "marker": marker, "color": color, "ms": 0.7 * rcParams["lines.markersize"], "mew": 0}


def _add_status_legend(figure: Figure | SubFigure, found: Triage) -> None:
    present = [status for status in STATUS_MARKERS if found.count(status)]
    handles = [Line2D([], [], label=STATUS_NAMES.get(status, status), **_marker_style(status)) for status in present]
    handles.append(Line2D([], [], label="threshold", **THRESHOLD_LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)


def _triage_title(found: Triage, total: int) -> str:
    others: list[DimensionStatus] = [status for status in ("ignored", "uncertain") if found.count(status)]
    counts = "".join(f", {found.count(status):,} {status}" for status in others)
    return (
        f"{found.count('active'):,} of {len(found.kl):,} dimensions active{counts},\n"
        f"{found.count('collapsed'):,} collapsed; N = {total:,}"
    )
