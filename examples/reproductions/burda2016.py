"""The one-layer VAE of Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519), trained as far as you let it.

    python examples/reproductions/burda2016.py runs/burda --epochs 3280

z has 50 dimensions, encoder and decoder have two layers of 200 tanh units, pixels are drawn anew at each showing,
batches hold 20, and Adam (ε = 1e-4) falls from 0.001 to 0.0001 in eight stages, 3,280 epochs in all. Fewer epochs are
a shortened run: the last stages, at small learning rates, are left out. Called again with more epochs it goes on;
called without --epochs it only evaluates. Published for this model trained with k = 1 (table 1): 86.76 nats, 19 active
units.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import vaeviz
from vaeviz.analysis.importance_bound import importance_bound

SETTINGS = (
    *("--latent-dim", "50", "--hidden", "200,200", "--activation", "tanh"),
    *("--binarize", "true", "--batch-size", "20", "--schedule", "burda", "--epsilon", "1e-4"),
)


def train(run: Path, epochs: int, data: list[str]) -> None:
    """Train up to so many epochs, from the start or from where the run was left."""
    if (run / "config.json").exists():
        arguments = ["--resume", str(run), "--epochs", str(epochs)]
    else:
        arguments = ["mlp", *data, *SETTINGS, "--epochs", str(epochs), "--out", str(run)]
    print("vaeviz train", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "vaeviz", "train", *arguments], check=True)


def evaluate(run: Path, images: int, samples: int) -> None:
    """Print the negative log-likelihood of some test images, and how many units are active on whole sets."""
    model = vaeviz.open(run)
    name, data_dir = model.data["name"], model.data["data_dir"]
    parts = {split: vaeviz.load_data(name, split=split, data_dir=data_dir).x for split in ("train", "test")}
    history = model.inputs["history"]
    print(f"\nafter {len(history['epoch'])} epochs, on {name}")
    for split, x in parts.items():
        posterior = vaeviz.encode(model.encoder, x)
        active = (posterior.mean.var(axis=0, dtype=np.float64) > 0.01).sum()  # ibid., section 5
        kl = posterior.kl().sum(axis=1).mean()
        print(f"{split:5}  {active} of {posterior.size} units active, KL {kl:.2f} nats, N = {len(x):,}")
    print(
        f"test   ELBO {history['test_elbo'][-1]:.2f} nats, one sample of z for each image, N = {len(parts['test']):,}"
    )
    rows = np.random.default_rng(0).permutation(len(parts["test"]))[:images]
    x = parts["test"][np.sort(rows)]
    bound = importance_bound(model.inputs["likelihood"], x, vaeviz.encode(model.encoder, x), n_draws=samples)
    print(f"\n{len(x):,} test images: ELBO {bound.elbo.mean():.2f} nats; median effective size", end=" ")
    print(f"{np.median(bound.effective):.0f} of {samples:,}")
    for k, mean, error in zip(bound.k, bound.mean, bound.mean_error):
        print(f"  k = {k:5}   NLL {-mean:.2f} ± {error:.2f}")
    print("published   NLL 86.76 with k = 5,000 on the whole test set, 19 units active")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the run folder, made or gone on with")
    parser.add_argument("--epochs", type=int, help="train up to so many; all of the paper's are 3280")
    parser.add_argument("--data", default="mnist", help="data set to train on")
    parser.add_argument("--data-dir", help="folder with its files")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=1000, help="test images whose likelihood is estimated")
    parser.add_argument("--samples", type=int, default=5000, help="importance samples for each")
    given = parser.parse_args()
    if given.epochs is not None:
        folder = [] if given.data_dir is None else ["--data-dir", given.data_dir]
        train(given.run, given.epochs, ["--data", given.data, *folder, "--device", given.device])
    evaluate(given.run, given.images, given.samples)
