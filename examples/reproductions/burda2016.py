"""Train and evaluate the one-layer VAE of Burda, Grosse & Salakhutdinov 2016 (arXiv:1509.00519).

    python examples/reproductions/burda2016.py runs/burda --epochs 3280

z has 50 dimensions, and encoder and decoder have two layers of 200 tanh units. Pixels are sampled anew in every epoch,
batches hold 20 images, and Adam (ε = 1e-4) has a learning rate that falls from 0.001 to 0.0001 in eight stages, 3,280
epochs in all. Fewer epochs leave out the last stages, with small learning rates. Another call with more epochs
continues the run; a call without --epochs only evaluates it. The paper reports 86.76 nats and 19 active units for this
model trained with k = 1 (table 1).
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
    """Train up to this many epochs in all, from the start or from where the run ended."""
    if (run / "config.json").exists():
        arguments = ["--resume", str(run), "--epochs", str(epochs)]
    else:
        arguments = ["mlp", *data, *SETTINGS, "--epochs", str(epochs), "--out", str(run)]
    print("vaeviz train", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "vaeviz", "train", *arguments], check=True)


def evaluate(run: Path, n_images: int, n_draws: int) -> None:
    """Print the negative log-likelihood of some test images, and the number of active units on whole data sets."""
    model = vaeviz.open(run)
    name, data_dir = model.data["name"], model.data["data_dir"]
    parts = {split: vaeviz.load_data(name, split=split, data_dir=data_dir).x for split in ("train", "test")}
    history = model.inputs["history"]
    print(f"\nAfter {len(history['epoch'])} epochs on {name}:")
    for split, x in parts.items():
        posterior = vaeviz.encode(model.encoder, x)
        active = (posterior.mean.var(axis=0, dtype=np.float64) > 0.01).sum()  # ibid., section 5
        kl = posterior.kl().sum(axis=1).mean()
        print(f"{split:5}  {active} of {posterior.size} units active, KL {kl:.2f} nats, N = {len(x):,}")
    print(f"test   ELBO {history['test_elbo'][-1]:.2f} nats, one sample of z per image, N = {len(parts['test']):,}")
    rows = np.random.default_rng(0).permutation(len(parts["test"]))[:n_images]
    x = parts["test"][np.sort(rows)]
    bound = importance_bound(
        model.inputs["likelihood"], x, vaeviz.encode(model.encoder, x), n_draws=n_draws, max_evaluations=None
    )
    print(f"\n{len(x):,} test images: ELBO {bound.elbo.mean():.2f} nats; median effective sample size", end=" ")
    print(f"{np.median(bound.effective):.0f} of {n_draws:,}")
    for k, mean, error in zip(bound.k, bound.mean, bound.mean_error):
        print(f"  k = {k:5}   NLL {-mean:.2f} ± {error:.2f}")
    print("published   NLL 86.76 with k = 5,000 on the whole test set, 19 units active")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run folder to create or continue")
    parser.add_argument("--epochs", type=int, help="train up to this many epochs in all; the paper has 3280")
    parser.add_argument("--data", default="mnist", help="data set to train on")
    parser.add_argument("--data-dir", help="folder with the files of the data set")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=1000, help="number of test images whose likelihood is estimated")
    parser.add_argument("--samples", type=int, default=5000, help="number of importance samples per image")
    args = parser.parse_args()
    if args.epochs is not None:
        folder = [] if args.data_dir is None else ["--data-dir", args.data_dir]
        train(args.run, args.epochs, ["--data", args.data, *folder, "--device", args.device])
    evaluate(args.run, args.images, args.samples)
