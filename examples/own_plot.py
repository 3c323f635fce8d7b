"""A plot of your own: inputs are positional parameters, options are keyword-only, and it draws into one Axes."""

import sys
from pathlib import Path

from matplotlib.axes import Axes
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import vaeviz


@vaeviz.register_plot(page=vaeviz.PageShape("column", 0.6))
def code_lengths(encoder, x, *, bins: int = 30, ax: Axes | None = None) -> Axes:
    """Plot the distribution of the Euclidean lengths of the codes."""
    posterior = vaeviz.encode(encoder, x)
    ax = ax or vaeviz.axes_for(code_lengths)
    ax.hist((posterior.mean**2).sum(axis=1) ** 0.5, bins=bins)
    ax.set(xlabel=r"$\|\mu(x)\|$", ylabel="samples")
    return ax


if __name__ == "__main__":  # with --with on the command line, only the plot is needed
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
    x, y = load_digits(return_X_y=True)
    pca = PCA(5).fit(x / 16)
    records = vaeviz.export_figures(
        out / "own_plot", model=pca, x=x / 16, labels=y, plots=["code_lengths", "latent_scatter"],
        settings={"code_lengths": {"bins": 40}},
    )  # fmt: skip
    print(*(f"{record.plot}: {record.status}" for record in records), sep="\n")
