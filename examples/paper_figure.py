"""Compose plots into one figure at the widths of three venues: panel letters, one legend, one font size."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt

import vaeviz
import vaeviz_models

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

train, test = (vaeviz.load_data("digits", split=split) for split in ("train", "test"))
vae = vaeviz_models.seeded(vaeviz_models.mlp, train.x.shape[1:], seed=0, likelihood="gaussian-learned", std=0.3)
vaeviz_models.fit(vae, train.x, test.x, epochs=60)
encoder, decoder = vaeviz.open(vae)
posterior = vaeviz.encode(encoder, test.x)  # once, for all panels

WIDTHS = {"icml": 3.25, "neurips": 5.5, "icml_page": 6.75}  # inches

for venue, width in WIDTHS.items():
    with vaeviz.style("paper"):
        figure = plt.figure(figsize=(width, 0.62 * width + 0.7), layout="constrained")
        axes = figure.subplot_mosaic("ab;cc", height_ratios=(2.2, 1))
        vaeviz.latent_scatter(posterior, test.x, test.labels, title="Codes", legend=False, ax=axes["a"])
        vaeviz.manifold_grid(decoder, n_grid=12, title="Decoded grid", ax=axes["b"])
        vaeviz.reconstruction_pairs(posterior, decoder, test.x, title="Reconstructions", ax=axes["c"])
        for letter, ax in axes.items():
            ax.set_title(letter, loc="left", fontweight="bold")
        handles, names = axes["a"].get_legend_handles_labels()
        n_columns = 6 if width < 4 else len(names)
        compact = {"handlelength": 1, "handletextpad": 0.2, "columnspacing": 0.8}
        figure.legend(handles, names, loc="outside lower center", ncols=n_columns, **compact)
        for ending in ("pdf", "png"):
            figure.savefig(out / f"paper_figure_{venue}.{ending}")
        plt.close(figure)
