"""The pictures of the README, of three examples: ``python docs/scripts/pictures.py``."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import vaeviz
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from example_runs import DATA, open_example, run_folder

PICTURES = Path(__file__).parents[1] / "pictures"
STATUS_COLORS = {
    "healthy": "#1e7d32",
    "uncertain": "#8a5a00",
    "flagged": "#b3261e",
}
CHECKS = (
    "collapsed",
    "holes",
    "information",
    "reconstruction",
    "classes",
)
COLUMNS = (
    ("traversal", "reconstruction_pairs", "elbo_decomposition"),
    ("tsne", "samples", "latent_triage"),
)
GAP = 20  # pixels between figures
DPI = 130


def draw_overview() -> Figure:
    """Draw codes over the manifold, traversals, and a health report."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.05))
    top, bottom = right.subfigures(2, 1, height_ratios=(1.15, 1))

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
    report = vaeviz.analyze(
        vae, data.x, labels=data.labels, checks=CHECKS
    )
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


def draw_three_panels() -> Figure:
    """Draw what the Python lines of the README draw."""
    (encoder, decoder), data = open_example("2d")
    x, y = data.x, data.labels
    ratios = {"height_ratios": (2, 1), "layout": "constrained"}
    figure, axes = plt.subplot_mosaic("ab;cc", figsize=(8, 6), **ratios)
    vaeviz.latent_scatter(encoder, x, labels=y, ax=axes["a"])
    vaeviz.manifold_grid(decoder, encoder, x, n_grid=15, ax=axes["b"])
    vaeviz.reconstruction_pairs(
        encoder, decoder, x, labels=y, ax=axes["c"]
    )
    plt.close(figure)
    return figure


def draw_figure_set() -> Image.Image:
    """Export figures of one run, and place them in two columns."""
    with TemporaryDirectory() as folder:
        vaeviz.export_figures(
            folder,
            model=run_folder("10d"),
            data=vaeviz.load_data(DATA),
            plots=sum(COLUMNS, ()),
            dpi=DPI,
        )
        columns = [
            stack([Image.open(f"{folder}/{name}.png") for name in names])
            for names in COLUMNS
        ]
    left, right = columns
    size = left.width + GAP + right.width, max(left.height, right.height)
    sheet = Image.new("RGB", size, "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + GAP, 0))
    return sheet


def animate_epochs(path: Path) -> None:
    """Animate the latent space of one run over its epochs."""
    vaeviz.animate(
        "latent_scatter",
        run_folder("2d"),
        out=path,
        data=vaeviz.load_data(DATA),
        n_samples=800,
        fps=3,
        dpi=DPI,
    )


def stack(images: list[Image.Image]) -> Image.Image:
    """Place images below each other."""
    size = (
        max(i.width for i in images),
        sum(i.height + GAP for i in images),
    )
    column, top = Image.new("RGB", size, "white"), 0
    for image in images:
        column.paste(image, (0, top))
        top += image.height + GAP
    return column


def as_image(figure: Figure) -> Image.Image:
    """Draw a figure as an image."""
    content = BytesIO()
    figure.savefig(content, dpi=DPI)
    return Image.open(content).convert("RGB")


def save_small(image: Image.Image, path: Path) -> None:
    """Save an image as a PNG of 256 colors, one of them white, which is half as large."""
    colors = image.quantize(255, Image.Quantize.MAXCOVERAGE, kmeans=2)
    colors.putpalette([*colors.getpalette()[: 3 * 255], 255, 255, 255])
    is_white = Image.fromarray((np.asarray(image) == 255).all(axis=2))
    colors.paste(255, mask=is_white)
    colors.save(path, optimize=True)


if __name__ == "__main__":
    with vaeviz.style("paper"):
        save_small(as_image(draw_overview()), PICTURES / "overview.png")
        save_small(
            as_image(draw_three_panels()), PICTURES / "three-panels.png"
        )
        save_small(draw_figure_set(), PICTURES / "figure-set.png")
        animate_epochs(PICTURES / "epochs.gif")
