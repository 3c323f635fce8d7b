"""Plot of the spread of single posteriors."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from vaeviz.analysis.active_dimensions import Dimension, active_mask, check_dims, most_active_dims
from vaeviz.analysis.aggregate_posterior import check_gaussian_posterior
from vaeviz.analysis.subsampling import stratified_rows
from vaeviz.data.labels import labels_for
from vaeviz.drawing.colors import ClassNames, Palette, color_labels
from vaeviz.drawing.ellipses import DOT_DIAMETER, draw_ellipses, mass_within
from vaeviz.drawing.figure_factory import axes_for
from vaeviz.drawing.latent_axes import dimension_label, draw_prior_contours, equal_aspect
from vaeviz.drawing.legends import add_color_key
from vaeviz.errors import NotApplicable
from vaeviz.model.encode import encode
from vaeviz.plots._option_checks import check_minimum, check_positive
from vaeviz.plugins.plot_spec import PageShape, register_plot

MAX_HIDDEN_SHARE = 0.5  # of the ellipses; with more of them smaller than the dots, the picture shows means only


@register_plot(page=PageShape("column", 0.8), question="Where do my classes lie?")
def posterior_ellipses(
    encoder: Any,
    x: Any,
    labels: Any = None,
    condition: Any = None,
    *,
    dims: tuple[Dimension, Dimension] | None = None,
    n_samples: int = 200,
    radius: float = 1.0,
    show_prior: bool | None = None,
    palette: Palette | None = None,
    continuous: bool | None = None,
    class_names: ClassNames | None = None,
    highlight: tuple[str, ...] | None = None,
    limits: tuple[float, float] | None = None,
    alpha: float = 0.12,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot the posteriors of some samples in two latent dimensions, as means with ellipses of their spread.

    What to look for: samples whose ellipses overlap share codes, so the decoder may confuse them; above two dimensions
    they may be apart in the others. The size of an ellipse shows how precise the code is: small next to the prior means
    that each sample occupies its own place; as wide as the prior means that a dimension is not used.

    What commonly misleads: an ellipse of 1 standard deviation holds 39 % of the mass in two dimensions, one of 2 holds
    86 %; the title says which is drawn. The encoder's spread need not be the one of the true posterior: the check
    ``spread`` of `analyze` measures that.

    Parameters
    ----------
    encoder : callable, model or Posterior
        Encoder of `x`. It must return a mean and a spread.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        One label per sample: integers, texts and categories are classes, floats and dates lie on a scale. By default,
        those that come with `x`, if it is a loader or a `Dataset`.
    condition : array_like, shape (N, ...), optional
        Condition of each sample. Only a conditional model needs it.
    dims : tuple of int, optional
        Two dimensions, as indices from 0 or as names from "z1". By default, the two with the highest mean KL.
    n_samples : int, default=200
        Number of samples to draw, chosen at random and evenly over the classes.
    radius : float, default=1.0
        Radius of the ellipses in standard deviations.
    show_prior : bool, optional
        Draw circles at 1, 2 and 3 σ of N(0, I). By default, they are drawn if the prior is known to be that.
    palette : str, tuple or dict, optional
        Color sequence or colormap of matplotlib, palette of seaborn, colors (also separated by commas), or a color for
        each class by name.
    continuous : bool, optional
        Color integer labels along a gradient. By default, their type decides.
    class_names : tuple or dict, optional
        Names of the integer labels 0, 1, ..., or all names in order, or new names by label.
    highlight : tuple of str, optional
        Classes that keep their colors. The others become gray.
    limits : tuple of float, optional
        Ends of the scale of continuous labels. By default, a few that are far out are left out and counted.
    alpha : float, default=0.12
        Opacity of the inside of an ellipse, from 0 to 1.
    seed : int, default=0
        Seed of the choice and of the order of the samples.
    ax : Axes, optional
        Axes to draw into. By default, those of a new pyplot figure.

    Returns
    -------
    Axes
        The Axes that hold the ellipses.

    Raises
    ------
    NotApplicable
        If the encoder is deterministic, the KL is infinite, or the latent space has one dimension.
    InputError
        If `dims`, `labels`, `n_samples` or `radius` cannot be used.

    Notes
    -----
    In two dimensions, an ellipse of radius r holds 1 − exp(−r² / 2) of the mass: 39 % for 1 σ and 86 % for 2 σ.
    """
    check_minimum("n_samples", n_samples, 1)
    check_positive("radius", radius)
    posterior = check_gaussian_posterior(encode(encoder, x, condition), needs_prior=False)
    if posterior.size == 1:
        raise NotApplicable("The latent space has 1 dimension, but an ellipse needs 2.", fix="Use aggregate_posterior.")
    labels = labels_for(x, labels)
    colors = color_labels(
        labels, len(posterior), palette, continuous, class_names=class_names, highlight=highlight, limits=limits
    )
    rows = stratified_rows(n_samples, len(posterior), colors.index if colors.names else None, seed)
    shown = check_dims(dims, posterior.size, 2) if dims else most_active_dims(posterior, 2)
    rows = np.random.default_rng(seed).permutation(rows)  # so that no class is on top
    chosen, chosen_colors = posterior[rows], colors[rows]
    assert chosen.std is not None  # checked by check_gaussian_posterior
    means, spreads = chosen.mean[:, shown], radius * chosen.std[:, shown]
    ax = ax or axes_for(posterior_ellipses)
    draw_ellipses(ax, means, spreads, chosen_colors, alpha=alpha)
    if posterior.prior == "normal" if show_prior is None else show_prior:
        draw_prior_contours(ax)
    equal_aspect(ax)
    add_color_key(ax, chosen_colors, means)
    active = active_mask(posterior)
    ax.set(**{name: dimension_label(dim, is_active=active[dim]) for name, dim in zip(("xlabel", "ylabel"), shown)})
    which = f", two {'' if dims else 'most active '}of {posterior.size} dims" if posterior.size > 2 else " samples"
    ax.set_title(f"{_ellipse_title(ax, spreads, radius)}\n{len(rows):,} of {len(posterior):,}{which}")
    return ax


def _ellipse_title(ax: Axes, spreads: np.ndarray, radius: float) -> str:
    """Return what the ellipses hold, or that the dots at their centers hide most of them."""
    ax.apply_aspect()
    points_per_unit = 72 / ax.figure.dpi * np.abs(np.diff(ax.transData.transform([(0, 0), (1, 1)]), axis=0))
    is_hidden = (2 * spreads * points_per_unit < DOT_DIAMETER).all(axis=1)
    if is_hidden.mean() > MAX_HIDDEN_SHARE:
        return f"Means; {radius:g}σ ellipses are smaller than dots"
    return f"{radius:g}σ ellipses ({100 * mass_within(radius):.0f} % of the mass)"
