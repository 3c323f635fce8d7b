from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from vaeviz.analysis.active_dimensions import MIN_KL, MIN_SHARE, Triage, triage
from vaeviz.data.out_of_core import as_samples
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.errors import InputError
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot

LOOKS = {"active": ("C0", "o"), "ignored": ("C2", "X"), "collapsed": ("0.6", "s")}
LINE = {"color": "0.4", "lw": 0.7, "ls": (0, (4, 3))}
PANELS = {
    "kl": "mean KL (nats)",
    "variance": "variance of the posterior mean",
    "effect": "mean change of the output",
}


@register_plot(page=PageShape("column", 1.3))
def latent_triage(
    encoder: Any,
    decoder: Any,
    x: Any,
    condition: Any = None,
    *,
    top: int = 24,
    min_kl: float = MIN_KL,
    min_share: float = MIN_SHARE,
    min_effect: float | None = None,
    n: int = 64,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Each latent dimension as active, collapsed, or encoded but ignored by the decoder, and why.

    encoder: any callable, model, or `Posterior` with a spread. decoder: any callable or model. x: (N, ...). condition:
        (N, ...), of a conditional model.
    top: at most so many dimensions are drawn, those with the highest KL; the verdicts in the title are of all.
    min_kl (nats), min_share, min_effect, n, seed: the thresholds and the sampling of `vaeviz.triage`, which gives the
        numbers. Dashed lines are the thresholds; bars are two standard errors either way. Log scales: what lies
        below a hundredth of its threshold stands at the foot.
    """
    if top < 1:
        raise InputError(f"top = {top}: expected 1 dimension or more")
    x = as_samples(x, "x")
    posterior = encode(encoder, x, condition)
    found = triage(
        posterior, decoder, x, min_kl=min_kl, min_share=min_share, min_effect=min_effect, n_samples=n, seed=seed
    )
    shown = np.argsort(-found.kl, kind="stable")[:top]
    figure = figure or figure_for(latent_triage)
    axes = figure.subplots(3, 1, sharex=True)
    for ax, (name, label) in zip(axes, PANELS.items()):
        values, errors = getattr(found, name)[shown], getattr(found, f"{name}_error")[shown]
        threshold = np.broadcast_to(getattr(found, f"min_{name}"), posterior.size)[shown]
        _draw_test(ax, values, errors, threshold, found.status[shown])
        ax.set_title(label)
    figure.suptitle(_title(found, len(posterior)))
    axes[-1].set_xticks(
        range(len(shown)), [dimension_label(dim) for dim in shown], rotation=90 if len(shown) > 12 else 0
    )
    some = f" (the first {top} of {posterior.size})" if top < posterior.size else ""
    axes[-1].set_xlabel(f"dimension, by KL{some}")
    _legend(figure, found)
    return axes


def _draw_test(ax: Any, values: np.ndarray, errors: np.ndarray, threshold: np.ndarray, verdicts: np.ndarray) -> None:
    """Values with two standard errors either way, on a log scale, and the threshold of each."""
    place, floor = np.arange(len(values)), threshold.min() / 100
    low, middle, high = (np.maximum(values + k * errors, floor) for k in (-2, 0, 2))
    for verdict in LOOKS:
        mine = verdicts == verdict
        bars = np.stack([middle - low, high - middle])[:, mine]
        ax.errorbar(place[mine], middle[mine], bars, elinewidth=0.8, **_mark(verdict))
    ax.hlines(threshold, place - 0.5, place + 0.5, **LINE)
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())


def _mark(verdict: str) -> dict:
    color, marker = LOOKS[verdict]
    return {"ls": "", "marker": marker, "color": color, "ms": 0.7 * rcParams["lines.markersize"], "mew": 0}


def _legend(figure: Figure | SubFigure, found: Triage) -> None:
    names = {"ignored": "ignored by the decoder"}
    seen = [verdict for verdict in LOOKS if found.count(verdict)]
    handles = [Line2D([], [], label=names.get(verdict, verdict), **_mark(verdict)) for verdict in seen]
    handles.append(Line2D([], [], label="threshold", **LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)


def _title(found: Triage, count: int) -> str:
    ignored = f", {found.count('ignored')} ignored" if found.count("ignored") else ""
    return (
        f"{found.count('active')} of {len(found.kl)} dimensions active{ignored},\n"
        f"{found.count('collapsed')} collapsed; N = {count:,}"
    )
