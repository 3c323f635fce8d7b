"""scvi-tools: the latent representation of single cells; synthetic counts of three kinds of cell."""

import logging
import sys
from pathlib import Path

import anndata
import numpy as np
import scvi

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
logging.disable(logging.WARNING)
scvi.settings.seed = 0

rng = np.random.default_rng(0)
kinds = np.array(["T cell", "B cell", "monocyte"])[rng.integers(0, 3, 600)]
rates = {kind: rng.gamma(0.5, 4, 100) for kind in np.unique(kinds)}
cells = anndata.AnnData(rng.poisson([rates[kind] for kind in kinds]).astype("float32"))
cells.obs["kind"] = kinds

scvi.model.SCVI.setup_anndata(cells)
model = scvi.model.SCVI(cells, n_hidden=32, n_latent=5)
model.train(max_epochs=40, accelerator="cpu", enable_progress_bar=False)

ax = vaeviz.latent_scatter(model, cells, labels=cells.obs["kind"])
ax.figure.savefig(out / "scvi_scatter.png", dpi=150)
