"""JAX and Flax: functions of arrays, and a module with its parameters bound."""

import sys
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
from sklearn.datasets import load_digits

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)
images, y = load_digits().images.astype("float32") / 16, load_digits().target


class VAE(nn.Module):
    def setup(self):
        self.encoder = nn.Sequential([nn.Dense(128), nn.relu, nn.Dense(4)])
        self.decoder = nn.Sequential([nn.Dense(128), nn.relu, nn.Dense(64), nn.sigmoid])

    def encode(self, x):
        return jnp.split(self.encoder(x.reshape(len(x), -1)), 2, axis=1)

    def decode(self, z):
        return self.decoder(z).reshape(-1, 8, 8)

    def __call__(self, x, key):
        mean, log_var = self.encode(x)
        z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
        return self.decode(z), mean, log_var


def loss(variables, key):
    recon, mean, log_var = vae.apply(variables, images, key)
    kl = 0.5 * (mean**2 + jnp.exp(log_var) - 1 - log_var).sum()
    return (((recon - images) ** 2).sum() / (2 * 0.2**2) + kl) / len(images)


@jax.jit
def adam(variables, first, second, step, key):
    gradient = jax.grad(loss)(variables, key)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, gradient)
    rate = 5e-3 * jnp.sqrt(1 - 0.99**step) / (1 - 0.9**step)
    return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), variables, first, second), first, second


vae = VAE()
variables = vae.init(jax.random.key(0), images[:1], jax.random.key(1))
first = second = jax.tree.map(jnp.zeros_like, variables)
for step in range(1, 301):
    variables, first, second = adam(variables, first, second, step, jax.random.key(step))

model = vae.bind(variables)
vaeviz.export_figures(out / "jax_flax", model=model, x=images, labels=y, plots=["latent_scatter", "manifold_grid"])
decode = jax.jit(lambda z: vae.apply(variables, z, method=VAE.decode))  # a bare function does as well
ax = vaeviz.samples(vaeviz.Decoder(decode, latent_shape=(2,), prior="normal"))
ax.figure.savefig(out / "jax_function.png", dpi=150)
