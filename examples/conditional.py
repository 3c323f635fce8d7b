"""A conditional VAE of printed digits: one row of samples per class, and a single class of your choice."""

import sys
from pathlib import Path

import vaeviz
import vaeviz_models

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

train, test = (vaeviz.load_data("glyphs", split=split) for split in ("train", "test"))
classes = vaeviz_models.classes_of(train.labels)
cvae = vaeviz_models.seeded(vaeviz_models.cvae, train.x.shape[1:], seed=0, classes=classes)
history = vaeviz_models.fit(cvae, train.x, test.x, train.labels, test.labels, epochs=15, learning_rate=2e-3)
print(f"test ELBO {history['test_elbo'][-1]:.2f} nats, a bound of ln p(x | y)")

encoder, decoder = vaeviz.open(cvae)
vaeviz.samples(decoder).figure.savefig(out / "conditional_samples.png", dpi=150)  # one row per class
vaeviz.manifold_grid(vaeviz.condition_on(decoder, 4)).figure.savefig(out / "conditional_fours.png", dpi=150)

# The codes encode only the style of a digit, so the classes overlap.
ax = vaeviz.latent_scatter(encoder, test.x, labels=test.labels, condition=test.labels)
ax.figure.savefig(out / "conditional_scatter.png", dpi=150)

# A conditional encoder and decoder of your own need only declare their conditions.
encoder = vaeviz.Encoder(cvae.encode, conditions=range(10))
decoder = vaeviz.Decoder(cvae.decode, conditions=range(10), latent_shape=(2,), output="values", prior="normal")
plots = ["samples", "interpolation", "traversal", "reconstruction_pairs"]
vaeviz.export_figures(out / "conditional", encoder=encoder, decoder=decoder, x=test.x, labels=test.labels, plots=plots)
ax = vaeviz.reconstruction_pairs(encoder, vaeviz.condition_on(decoder, 3), test.x, test.labels, condition=test.labels)
ax.set_title("Images, and their codes decoded as a 3")
ax.figure.savefig(out / "conditional_as_threes.png", dpi=150)
