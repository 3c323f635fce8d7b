"""Plot of the parts of the KL."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from vaeviz.analysis.aggregate_posterior import MAX_POSTERIORS
from vaeviz.analysis.elbo_decomposition import ELBOTerms, elbo_terms
from vaeviz.drawing.figure_factory import figure_for
from vaeviz.drawing.latent_axes import label_dimension_ticks
from vaeviz.model.decoder_likelihood import as_likelihood, find_decoder, warn_of_mean_likelihood
from vaeviz.model.encode import encode
from vaeviz.plots._option_checks import check_minimum
from vaeviz.plugins.plot_spec import PageShape, register_plot

PART_COLORS = ("C0", "C1", "C4")
ERROR_BARS = {"elinewidth": 0.8, "ecolor": "0.2"}


@register_plot(page=PageShape("full", 0.36), question="Is the bound tight?")
def elbo_decomposition(
    encoder: Any,
    x: Any,
    condition: Any = None,
    likelihood: Any = None,
    *,
    n_codes: int | None = 2000,
    max_points: int | None = MAX_POSTERIORS,
    max_dims: int = 20,
    seed: int = 0,
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Plot the parts of the KL: mutual information, total correlation, and the KL of each dimension.

    What to look for: mutual information is what the code says about a sample. The other two parts are the distance of
    the aggregate posterior from the prior, so they are paid for nothing, and they should be small.

    What commonly misleads: N samples cannot show a mutual information above ln N, the dashed line. If the code
    distinguishes nearly all samples, mutual information is a lower bound and total correlation an upper bound; the
    figure says so, and only more samples help.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    x : array_like, shape (N, ...)
        Samples.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    likelihood : str or callable, optional
        Name of the likelihood of the model's decoder, see `vaeviz.decoder_likelihood`, or a function that returns
        ln p(x | z) in nats for pairs of samples and codes. With it, the title shows the reconstruction term and the
        ELBO.
    n_codes : int or None, default=2000
        Largest number of codes drawn from q(z), each scored under all N posteriors. None draws one per sample.
    max_points : int or None, default=100000
        Largest number of samples whose posteriors are mixed. More are subsampled at random; None keeps all.
    max_dims : int, default=20
        Largest number of dimensions to draw, those with the highest KL to the prior.
    seed : int, default=0
        Seed of the subsample and of the codes.
    figure : Figure or SubFigure, optional
        Figure to draw into. By default, a new pyplot figure.

    Returns
    -------
    ndarray of Axes, shape (2,)
        The Axes of the three parts and of the dimensions.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the prior is unknown, the KL is infinite, or there is only one sample.
    InputError
        If a count is too small.

    See Also
    --------
    vaeviz.elbo_terms : Compute the numbers.

    Notes
    -----
    The mean KL is the sum of the mutual information of sample and code, the total correlation KL(q(z) || Π q(z_j)), and
    the dimension-wise Σ KL(q(z_j) || p(z_j)), where q(z) is the mixture of all N posteriors. Bars show two standard
    errors on each side. Where posteriors hardly overlap, N posteriors are too few: the mutual information is then a
    lower bound, at most ln N (dashed), the total correlation an upper bound, and the KL of a dimension is estimated
    from the spacings of the codes.

    References
    ----------
    Hoffman & Johnson, ELBO surgery, NIPS workshop 2016.
    Chen et al., Isolating Sources of Disentanglement in VAEs, NeurIPS 2018, equation 2.
    """
    check_minimum("max_dims", max_dims, 1)
    posterior = encode(encoder, x, condition)
    if likelihood is not None:
        decoder = find_decoder(encoder)
        likelihood = as_likelihood(likelihood, decoder)
        warn_of_mean_likelihood(likelihood, decoder, x, posterior)
    terms = elbo_terms(posterior, x, likelihood, n_codes=n_codes, max_points=max_points, seed=seed)
    figure = figure or figure_for(elbo_decomposition)
    axes: np.ndarray = figure.subplots(1, 2, width_ratios=[1.25, 1])
    figure.suptitle(_decomposition_title(terms))
    _draw_parts(axes[0], terms)
    _draw_dimensions(axes[1], terms, max_dims)
    return axes


def _draw_parts(ax: Axes, terms: ELBOTerms) -> None:
    """Draw the three parts as bars with their values, and the ceiling of the first."""
    parts = {
        "mutual information": terms.mutual_information,
        "total correlation": terms.total_correlation,
        "dimension-wise KL": terms.dimension_kl_sum,
    }
    for row, (part, color) in enumerate(zip(parts.values(), PART_COLORS)):
        ax.barh(row, part.value, 0.6, xerr=2 * part.standard_error, color=color, error_kw=ERROR_BARS)
    ax.plot([terms.ceiling] * 2, [-0.42, 0.42], color="0.3", lw=0.9, ls=(0, (3, 2)))
    side = "right" if terms.ceiling > np.mean(ax.get_xlim()) else "left"  # where the text does not meet the frame
    ax.text(terms.ceiling, -0.45, f"ln N = {terms.ceiling:.2f}", ha=side, va="bottom", size="small", color="0.3")
    bounds = {"mutual information": "≥ ", "total correlation": "≤ "} if terms.saturated else {}
    ax.set_yticks(range(3), [f"{name}\n{bounds.get(name, '')}{part}" for name, part in parts.items()])
    ax.set(ylim=(2.5, -0.85), xlabel="nats", title="parts of the KL")


def _draw_dimensions(ax: Axes, terms: ELBOTerms, max_dims: int) -> None:
    """Draw the KL of each dimension to the prior, the largest first."""
    shown = np.argsort(-terms.dimension_kl, kind="stable")[:max_dims]
    positions = np.arange(len(shown))
    errors = 2 * terms.dimension_kl_error[shown]
    ax.bar(positions, terms.dimension_kl[shown], yerr=errors, width=0.7, color=PART_COLORS[2], error_kw=ERROR_BARS)
    label_dimension_ticks(ax, shown)
    size = len(terms.dimension_kl)
    which = f" (the {len(shown)} largest of {size})" if len(shown) < size else ""
    how = ", by spacings" if terms.dimension_kl_by_spacings.any() else ""
    ax.set(ylabel="KL to the prior (nats)", title=f"dimension-wise KL{how}{which}")


def _decomposition_title(terms: ELBOTerms) -> str:
    title = f"Mean KL {terms.kl} nats, {terms.n_codes:,} codes of N = {terms.n_posteriors:,} posteriors"
    if terms.n_posteriors < terms.n_given:
        title += f"\nchosen at random of {terms.n_given:,}"
    if terms.saturated:
        title += "\nN is too small to measure mutual information and total correlation: bounds"
    if terms.elbo is not None:
        title += f"\nreconstruction {terms.reconstruction}, ELBO {terms.elbo} (its KL in closed form)"
    return title
