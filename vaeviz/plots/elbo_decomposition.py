from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS
from vaeviz.analysis.elbo_decomposition import ELBOTerms, elbo_terms
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import dimension_label
from vaeviz.errors import InputError
from vaeviz.model.encode import encode
from vaeviz.plugins.plot_spec import PageShape, register_plot

COLORS = ("C0", "C1", "C4")
ERROR_BARS = {"elinewidth": 0.8, "ecolor": "0.2"}


@register_plot(page=PageShape("full", 0.36))
def elbo_decomposition(
    encoder: Any,
    x: Any,
    condition: Any = None,
    likelihood: Any = None,
    *,
    n: int | None = 2000,
    max_points: int | None = MAX_POSTERIORS,
    top: int = 20,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """What the KL is spent on: mutual information, total correlation, and KL of each dimension to the prior.

    encoder: any callable, model, or `Posterior` with a spread. x: (N, ...). condition: (N, ...), of a conditional
        model. likelihood: ln p(x | z) of pairs, for the reconstruction term. n: at most so many codes are drawn, with
        `seed`, and each is scored under all N posteriors. max_points: of more samples so many are chosen at random, and
        stand for N here; None for all. top: at most so many dimensions are drawn, those with the highest KL to the
        prior.
    ELBO surgery (Hoffman & Johnson 2016), the full-N estimator. Bars are two standard errors either way. The mutual
    information cannot exceed ln N, the dashed line; where it comes near, the other terms hold what was cut off.
    """
    if top < 1:
        raise InputError(f"top = {top}: expected 1 dimension or more")
    terms = elbo_terms(encode(encoder, x, condition), x, likelihood, n_codes=n, max_points=max_points, seed=seed)
    figure = figure or figure_for(elbo_decomposition)
    axes = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_parts(axes[0], terms)
    figure.suptitle(_title(terms))
    axes[0].set(xlabel="nats", title="parts of the KL")
    shown = np.argsort(-terms.dimension_kl, kind="stable")[:top]
    place = np.arange(len(shown))
    errors = 2 * terms.dimension_kl_error[shown]
    axes[1].bar(place, terms.dimension_kl[shown], yerr=errors, width=0.7, color=COLORS[2], error_kw=ERROR_BARS)
    axes[1].set_xticks(place, [dimension_label(dim) for dim in shown], rotation=90 if len(shown) > 12 else 0)
    axes[1].set(ylabel="KL to the prior (nats)", title=_dimension_title(len(shown), len(terms.dimension_kl)))
    return axes


def _draw_parts(ax: Any, terms: ELBOTerms) -> None:
    """The three parts of the KL as bars with their values, and how long the first could be at most."""
    parts = {
        "mutual information": terms.mutual_information,
        "total correlation": terms.total_correlation,
        "dimension-wise KL": terms.dimension_kl_sum,
    }
    for row, (part, color) in enumerate(zip(parts.values(), COLORS)):
        ax.barh(row, part.value, 0.6, xerr=2 * part.standard_error, color=color, error_kw=ERROR_BARS)
    ax.plot([terms.ceiling] * 2, [-0.42, 0.42], color="0.3", lw=0.9, ls=(0, (3, 2)))
    ax.text(terms.ceiling, -0.45, f"ln N = {terms.ceiling:.2f}", ha="right", va="bottom", size="small", color="0.3")
    ax.set_yticks(range(3), [f"{name}\n{part}" for name, part in parts.items()])
    ax.set_ylim(2.5, -0.85)


def _title(terms: ELBOTerms) -> str:
    kl = f"Mean KL {terms.kl} nats, {terms.n_codes:,} codes of N = {terms.n_posteriors:,} posteriors"
    if terms.n_posteriors < terms.n_given:
        kl += f"\nchosen at random of {terms.n_given:,}"
    if terms.saturated:
        kl += "\nmutual information saturated: N is too small to measure it"
    if terms.elbo is None:
        return kl
    return f"{kl}\nreconstruction {terms.reconstruction}, ELBO {terms.elbo} (its KL in closed form)"


def _dimension_title(shown: int, size: int) -> str:
    return "dimension-wise KL" + (f" (the {shown} largest of {size})" if shown < size else "")
