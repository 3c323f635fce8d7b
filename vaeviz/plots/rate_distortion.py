from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vaeviz.analysis.rate_distortion import RatePoint, rate_points
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.plugins.plot_spec import PageShape, register_plot


@register_plot(page=PageShape("column", 0.85))
def rate_distortion(
    runs: Any, x: Any = None, condition: Any = None, *, draws: int = 8, seed: int = 0, ax: Axes | None = None
) -> Axes:
    """Models by the rate of their codes and the distortion of what they decode, with lines of equal ELBO.

    runs: several run folders or opened models, each with an encoder and a likelihood, or records (rate, distortion,
        label) in nats; a mapping names them. x: (N, ...) on which all models are measured, with `draws` posterior
        samples for each x; without it the last row of each run's history counts. condition: (N, ...), for the
        conditional ones among them.
    Rate is the mean KL(q(z|x) || p(z)), distortion the mean −E_q[ln p(x|z)]; their sum is −ELBO (Alemi et al. 2018).
    Bars are ±1 standard error over x, where it is known.
    """
    x = x if x is None else as_samples(x, "x")
    points = sorted(rate_points(runs, x, condition, n_draws=draws, seed=seed), key=lambda point: point.rate)
    ax = ax or axes_for(rate_distortion)
    rates, distortions, rate_errors, distortion_errors = np.array(
        [(p.rate, p.distortion, p.rate_error, p.distortion_error) for p in points]
    ).T
    ax.errorbar(rates, distortions, xerr=rate_errors, yerr=distortion_errors, ls="", marker="o", ms=4, zorder=3)
    ax.margins(0.2)
    _draw_equal_elbo(ax)
    _name_points(ax, points)
    ax.set(
        xlabel="rate, mean KL (nats)",
        ylabel=r"distortion, mean $-\mathrm{E}_q\,[\ln\,p(x|z)]$ (nats)",
        title=f"Rate and distortion of {len(points)} model{'s' * (len(points) > 1)}\n"
        f"{_source(x, np.isfinite(rate_errors))}; gray: equal ELBO",
    )
    return ax


def _source(x: Any, measured: np.ndarray) -> str:
    """On how many samples the points were measured, and how many of them were not."""
    if not measured.any():
        return "as recorded"
    told = "as measured" if x is None else f"N = {len(x):,}"
    return told if measured.all() else f"{told}, {(~measured).sum()} as recorded"


def _draw_equal_elbo(ax: Axes) -> None:
    """Lines of rate + distortion = −ELBO across the Axes, named where they enter it."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    ax.set(xlim=(left, right), ylim=(low, high))
    across = np.array([left, right])
    for total in MaxNLocator(7).tick_values(left + low, right + high):
        ax.plot(across, total - across, color="0.85", lw=0.7, zorder=1, scalex=False, scaley=False)
        x = max(left + 0.02 * (right - left), total - high + 0.05 * (high - low))
        if x < right - 0.15 * (right - left) and total - x > low + 0.04 * (high - low):
            text = f"{0.0 - total:.4g}".replace("-", "−")
            ax.text(x, total - x, text, color="0.5", fontsize="x-small", zorder=1)


def _name_points(ax: Axes, points: list[RatePoint]) -> None:
    for point in points:
        ax.annotate(
            point.label,
            (point.rate, point.distortion),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize="small",
            zorder=4,
        )
