"""Lengths of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import vaeviz

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@vaeviz.register_plot(page=vaeviz.PageShape("column", 0.62))
def code_radii(
    encoder: Any, x: Any, labels: Any = None, *, bins: int = 40, reference: bool = True, ax: Axes | None = None
) -> Axes:
    """Plot the lengths of posterior means by label, with those of codes drawn from N(0, I).

    Parameters
    ----------
    encoder : object
        A callable, a model, or a `vaeviz.Posterior`.
    x : array_like, shape (N, ...)
        Samples.
    labels : array_like, shape (N,), optional
        Class of each sample.
    bins : int, default 40
        Number of bins of the histogram.
    reference : bool, default True
        Draw the density of the length of a draw from N(0, I), the chi distribution.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes with the histogram.
    """
    posterior = vaeviz.encode(encoder, x)
    radii = np.linalg.norm(posterior.mean, axis=1)
    names = np.full(len(radii), "all") if labels is None else np.asarray(labels).astype(str)
    groups = {name: radii[names == name] for name in np.unique(names)}
    ax = ax or vaeviz.axes_for(code_radii)
    edges = np.linspace(0, 1.05 * radii.max(), bins + 1)
    ax.hist(list(groups.values()), edges, weights=[_bar_weights(part, radii, edges) for part in groups.values()],
            stacked=True, label=list(groups))  # fmt: skip
    if reference:
        _draw_chi(ax, posterior.size, edges)
    if labels is not None or reference:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    ax.set(xlabel=r"$\|\mu(x)\|$", ylabel="density", xlim=(0, edges[-1]))
    ax.set_title(f"Lengths of {posterior.size}-D posterior means, N = {len(radii):,}")
    return ax


def _bar_weights(part: np.ndarray, radii: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return weights (n,) such that the stacked bars of all groups have a total area of 1."""
    return np.full(len(part), 1 / (len(radii) * (edges[1] - edges[0])))


def _draw_chi(ax: Axes, size: int, edges: np.ndarray) -> None:
    from scipy.stats import chi

    r = np.linspace(0, edges[-1], 200)
    ax.plot(r, chi.pdf(r, df=size), color="0.2", ls="--", label="$z \\sim N(0, I)$")
