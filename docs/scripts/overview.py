"""The picture at the top of the README, of three examples: ``python docs/scripts/overview.py``."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import vaeviz
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from example_runs import open_example

PICTURE = Path(__file__).parents[1] / "pictures" / "overview.png"
STATUS_COLORS = {
    "healthy": "#1e7d32",
    "uncertain": "#8a5a00",
    "flagged": "#b3261e",
}
CHECKS = ("collapsed", "holes", "information", "reconstruction", "classes")


def draw_overview() -> Figure:
    """Draw codes over the manifold, traversals, and a health report."""
    figure = Figure(figsize=(10, 4.7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.05))
    top, bottom = right.subfigures(2, 1, height_ratios=(1.35, 1))

    vae, data = open_example("2d")
    ax = left.subplots()
    plane = {"n_grid": 18, "spacing": "linear", "span": (-3, 3)}
    vaeviz.manifold_grid(vae, **plane, ax=ax, title=False)
    title = "Codes over what is decoded there"
    vaeviz.latent_scatter(
        vae, data.x, labels=data.labels, marker_size=2, ax=ax, title=title
    )

    vae, data = open_example("10d-beta")
    title = "What single dimensions change"
    vaeviz.traversal(
        vae, vae, data.x, max_dims=5, n_steps=12, figure=top, title=title
    )
    report = vaeviz.analyze(vae, data.x, labels=data.labels, checks=CHECKS)
    draw_report(report, bottom.subplots())
    return figure


def draw_report(report: vaeviz.Report, ax: Axes) -> None:
    """Draw the sentences of a report, one below the other."""
    ax.axis("off")
    ax.set_title("Is this latent space healthy?")
    for row, check in enumerate(report.checks):
        y = 1 - (row + 0.5) / len(report.checks)
        style = {"va": "center", "transform": ax.transAxes, "fontsize": 7}
        color = STATUS_COLORS.get(check.status, "0.4")
        ax.text(0, y, check.status, color=color, weight="bold", **style)
        ax.text(0.12, y, check.sentence, wrap=True, **style)


def save_small(figure: Figure, path: Path) -> None:
    """Save a figure as a PNG of 256 colors, which is half as large."""
    content = BytesIO()
    figure.savefig(content, dpi=130)
    colors = (
        Image.open(content).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    )
    path.parent.mkdir(exist_ok=True)
    colors.save(path, optimize=True)


if __name__ == "__main__":
    with vaeviz.style("paper"):
        save_small(draw_overview(), PICTURE)
