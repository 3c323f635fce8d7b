"""Points in the plane: dots in data units, connected if they form a path. Trains a VAE on a pinwheel."""

import sys
from pathlib import Path

import vaeviz
import vaeviz_models

PLOTS = ("latent_scatter", "samples", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

train, test = (vaeviz.load_data("pinwheel", split=split) for split in ("train", "test"))
vae = vaeviz_models.seeded(
    vaeviz_models.mlp, train.x.shape[1:], seed=0, hidden=(64, 64), likelihood="gaussian-learned", std=0.3
)
vaeviz_models.fit(vae, train.x, test.x, epochs=60, batch_size=512, learning_rate=5e-3)
vaeviz.export_figures(out / "points", model=vae, data=test, plots=PLOTS)
