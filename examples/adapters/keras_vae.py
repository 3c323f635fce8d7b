"""Keras 3: the encoder and decoder of the classic listing, which return [z_mean, z_log_var, z] and NHWC images."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")  # or jax

import keras
from keras import layers, ops
from sklearn.datasets import load_digits

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(0)
images, y = load_digits().images.astype("float32") / 16, load_digits().target


class Sampling(layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs):
        mean, log_var = inputs
        self.add_loss(ops.mean(ops.sum(0.5 * (mean**2 + ops.exp(log_var) - 1 - log_var), axis=1)) / 50)
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


pixels = keras.Input((8, 8, 1))
hidden = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(pixels)
hidden = layers.Dense(64, activation="relu")(layers.Flatten()(hidden))
z_mean, z_log_var = layers.Dense(2, name="z_mean")(hidden), layers.Dense(2, name="z_log_var")(hidden)
encoder = keras.Model(pixels, [z_mean, z_log_var, Sampling()([z_mean, z_log_var])], name="encoder")
code = keras.Input((2,))
hidden = layers.Dense(64, activation="relu")(code)
decoder = keras.Model(code, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(hidden)), name="decoder")

vae = keras.Model(pixels, decoder(encoder(pixels)[2]))
vae.compile("adam", loss="binary_crossentropy")
vae.fit(images[..., None], images[..., None], epochs=15, batch_size=64, verbose=0)

ax = vaeviz.latent_scatter(encoder, images, labels=y)
ax.figure.savefig(out / "keras_vae_scatter.png", dpi=150)
ax = vaeviz.manifold_grid(decoder, encoder, images, n_grid=12)
ax.figure.savefig(out / "keras_vae_manifold.png", dpi=150)
