"""Build and train a VAE of vaeviz_models in a script, and draw its codes over its manifold."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt

import vaeviz
import vaeviz_models

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

train, test = (vaeviz.load_data("glyphs", split=split) for split in ("train", "test"))
vae = vaeviz_models.seeded(vaeviz_models.mlp, train.x.shape[1:], seed=0)
history = vaeviz_models.fit(vae, train.x, test.x, epochs=10)
print(f"test ELBO {history['test_elbo'][-1]:.2f} nats")

encoder, decoder = vaeviz.open(vae)
with vaeviz.style("paper"):
    figure, ax = plt.subplots(figsize=(3.4, 3.4))
    vaeviz.manifold_grid(decoder, span=(-4, 4), ax=ax)
    vaeviz.latent_scatter(encoder, test.x, labels=test.labels, marker_size=1, ax=ax)
    figure.savefig(out / "train_and_draw.png")
    axes = vaeviz.training_curves(history)
    axes[0].figure.savefig(out / "train_and_draw_curves.pdf")
