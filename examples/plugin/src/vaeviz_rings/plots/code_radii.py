"""How long the codes are."""

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
    """Lengths of the posterior means, by label, beside those of codes drawn from N(0, I).

    encoder: any callable, model, or `Posterior`. x: (N, ...). labels: (N,) or None.
    bins: of the histogram. reference: draw the density of the length of a draw from N(0, I), the chi distribution.
    """
    posterior = vaeviz.encode(encoder, x)
    radii = np.linalg.norm(posterior.mean, axis=1)
    names = np.full(len(radii), "all") if labels is None else np.asarray(labels).astype(str)
    groups = {name: radii[names == name] for name in np.unique(names)}
    ax = ax or vaeviz.axes_for(code_radii)
    edges = np.linspace(0, 1.05 * radii.max(), bins + 1)
    ax.hist(list(groups.values()), edges, weights=[_shares(part, radii, edges) for part in groups.values()],
            stacked=True, label=list(groups))  # fmt: skip
    if reference:
        _draw_chi(ax, posterior.size, edges)
    if labels is not None or reference:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    ax.set(xlabel=r"$\|\mu(x)\|$", ylabel="density", xlim=(0, edges[-1]))
    ax.set_title(f"Lengths of {posterior.size}-D posterior means, N = {len(radii):,}")
    return ax


def _shares(part: np.ndarray, radii: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Weights (n,) with which the stacked bars of all parts have an area of 1."""
    return np.full(len(part), 1 / (len(radii) * (edges[1] - edges[0])))


def _draw_chi(ax: Axes, size: int, edges: np.ndarray) -> None:
    from scipy.stats import chi

    r = np.linspace(0, edges[-1], 200)
    ax.plot(r, chi.pdf(r, df=size), color="0.2", ls="--", label="$z \\sim N(0, I)$")
