"""The picture at the top of the README, made of three examples: ``python docs/scripts/overview.py``."""

from __future__ import annotations

from pathlib import Path

from example_runs import open_example
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import vaeviz

PICTURE = Path(__file__).parents[1] / "pictures" / "overview.png"
STATUS_COLORS = {"healthy": "#1e7d32", "uncertain": "#8a5a00", "flagged": "#b3261e"}
CHECKS = ("collapsed", "ignored", "mismatch", "holes", "information", "reconstruction", "classes")


def draw_overview() -> Figure:
    """Draw codes over the manifold, traversals, and a health report."""
    figure = Figure(figsize=(10, 5.1), dpi=150, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.06))
    top, bottom = right.subfigures(2, 1, height_ratios=(1.25, 1))

    vae, data = open_example("2d")
    ax = left.subplots()
    vaeviz.manifold_grid(vae, n_grid=18, spacing="linear", span=(-3, 3), ax=ax, title=False)
    vaeviz.latent_scatter(vae, data.x, labels=data.labels, marker_size=4, ax=ax, title="Codes over what is decoded there")

    vae, data = open_example("factors")
    vaeviz.traversal(vae, vae, data.x, figure=top, title="What single dimensions change")

    vae, data = open_example("10d-beta")
    draw_report(vaeviz.analyze(vae, data.x, labels=data.labels, checks=CHECKS), bottom.subplots())
    return figure


def draw_report(report: vaeviz.Report, ax: Axes) -> None:
    """Draw the sentences of a report, one below the other."""
    ax.axis("off")
    ax.set_title("Is this latent space healthy?")
    for row, check in enumerate(report.checks):
        y = 1 - (row + 0.5) / len(report.checks)
        color = STATUS_COLORS.get(check.status, "0.4")
        ax.text(0, y, check.status, color=color, weight="bold", va="center", transform=ax.transAxes)
        ax.text(0.16, y, check.sentence, va="center", wrap=True, transform=ax.transAxes, fontsize=7)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    with vaeviz.style("paper"):
        draw_overview().savefig(PICTURE)
