"""Plot of several models by rate and distortion."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vaeviz.analysis.rate_distortion import RatePoint, rate_points
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.text_fit import drawable_text
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", 0.85), question="Are two runs the same?")
def rate_distortion(
    runs: Any, x: Any = None, condition: Any = None, *, n_draws: int = 8, seed: int = 0, ax: Axes | None = None
) -> Axes:
    """Plot several models by the rate of their codes and the distortion of what they decode.

    What to look for: toward the lower left both are better. Along a gray line a model trades one for the other, which
    is what β does. A point at a rate of 0 has collapsed.

    What commonly misleads: a single run of a model is one draw: seeds scatter, and a difference of their size means
    nothing. Only models of the same data and likelihood can be compared. A better ELBO is not a better
    representation.

    Parameters
    ----------
    runs : sequence or mapping
        Run folders or opened models, each with an encoder and a likelihood, or records (rate, distortion, label) in
        nats. A mapping names them.
    x : array_like, shape (N, ...), optional
        Samples on which all models are measured. By default, the last row of the history of each run is used.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only conditional models need it.
    n_draws : int, default=8
        Posterior samples for each x.
    seed : int, default=0
        Seed of the posterior samples.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the points.

    Raises
    ------
    NotApplicable
        If a model has no encoder or no likelihood, or its encoder is deterministic.
    InputError
        If `runs` is empty, or a run has neither `x` nor a history to be measured on.

    Notes
    -----
    The rate is the mean KL(q(z|x) || p(z)), and the distortion is the mean −E_q[ln p(x|z)]. Their sum is −ELBO, and
    it is constant along the gray lines (Alemi et al. 2018). Bars show ±1 standard error over x.

    References
    ----------
    Alemi et al., Fixing a Broken ELBO, ICML 2018.
    """
    x = x if x is None else as_samples(x, "x")
    points = sorted(rate_points(runs, x, condition, n_draws=n_draws, seed=seed), key=lambda point: point.rate)
    ax = ax or axes_for(rate_distortion)
    rates, distortions, rate_errors, distortion_errors = np.array(
        [(p.rate, p.distortion, p.rate_error, p.distortion_error) for p in points]
    ).T
    ax.errorbar(rates, distortions, xerr=rate_errors, yerr=distortion_errors, ls="", marker="o", ms=4, zorder=3)
    ax.margins(0.2)
    _draw_equal_elbo(ax)
    _name_points(ax, points)
    ax.set(xlabel="rate, mean KL (nats)", ylabel=r"distortion, mean $-\mathrm{E}_q\,[\ln\,p(x|z)]$ (nats)")
    models = f"{len(points)} model{'s' * (len(points) > 1)}"
    ax.set_title(f"Rate and distortion of {models}\n{_data_source(x, np.isfinite(rate_errors))}; gray: equal ELBO")
    return ax


def _data_source(x: Any, is_measured: np.ndarray) -> str:
    """Return the words on how many samples the points were measured on, and how many points were recorded."""
    if not is_measured.any():
        return "as recorded"
    source = "as measured" if x is None else f"N = {len(x):,}"
    return source if is_measured.all() else f"{source}, {(~is_measured).sum()} as recorded"


def _draw_equal_elbo(ax: Axes) -> None:
    """Draw lines of rate + distortion = −ELBO across the Axes, and write the ELBO where they enter."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    ax.set(xlim=(left, right), ylim=(low, high))
    ends = np.array([left, right])
    for total in MaxNLocator(7).tick_values(left + low, right + high):
        ax.plot(ends, total - ends, color="0.85", lw=0.7, zorder=1, scalex=False, scaley=False)
        x = max(left + 0.02 * (right - left), total - high + 0.05 * (high - low))
        if x < right - 0.15 * (right - left) and total - x > low + 0.04 * (high - low):
            text = f"{0.0 - total:.4g}".replace("-", "−")
            ax.text(x, total - x, text, color="0.5", fontsize="x-small", zorder=1)


def _name_points(ax: Axes, points: list[RatePoint]) -> None:
    for point in points:
        ax.annotate(
            drawable_text(point.label),
            (point.rate, point.distortion),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize="small",
            zorder=4,
        )
