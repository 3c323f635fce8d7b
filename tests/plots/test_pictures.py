"""A dozen whole pictures, compared with baselines that somebody has looked at.

After a deliberate change, renew them with ``python -m pytest tests/plots/test_pictures.py --renew-pictures`` and look
at each of them. The model is in closed form and needs no torch: images of a spot, whose code is its place.
"""

import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

import vaeviz

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 8  # root mean square of gray levels; another version of freetype moves the text by a few
SIDE = np.linspace(-2.5, 2.5, 12)
CODES = np.random.default_rng(0).standard_normal((200, 2)) * (0.9, 0.6)
LABELS = np.array(["left", "right"])[(CODES[:, 0] > 0).astype(int)]
EPOCHS = np.arange(1, 31)


def decode(z):
    """Return images (N, 12, 12) of a spot at each place z."""
    across = np.exp(-((SIDE - z[:, :1]) ** 2))
    up = np.exp(-((SIDE - z[:, 1:2]) ** 2))
    return up[:, ::-1, None] * across[:, None]


def encode(x):
    """Return the center of the spot in each image, with a constant spread."""
    total = x.sum(axis=(1, 2))
    mean = np.stack([x.sum(axis=1) @ SIDE / total, x.sum(axis=2)[:, ::-1] @ SIDE / total], axis=1)
    return mean, np.full_like(mean, -3.0)


X = np.clip(decode(CODES) + 0.03 * np.random.default_rng(1).random((200, 12, 12)), 0, 1).astype(np.float32)
HISTORY = {
    "epoch": EPOCHS,
    "train_elbo": -30 - 60 / EPOCHS,
    "test_elbo": -33 - 60 / EPOCHS,
    "train_kl": 5 - 4 / EPOCHS,
    "test_kl": 5 - 4 / EPOCHS,
}


def sines(z):
    """Return signals (N, 40) whose amplitude and frequency are the code."""
    return (0.5 + 0.3 * np.tanh(z[:, :1])) * np.sin(np.linspace(0, 6, 40) * (1.5 + 0.3 * z[:, 1:2]))


SINES = vaeviz.Decoder(sines, output="values", latent_shape=(2,), prior="normal")
SPOTS = vaeviz.Decoder(decode, latent_shape=(2,), prior="normal")

IN_AXES = {
    "latent_scatter": lambda ax: vaeviz.latent_scatter(encode, X, LABELS, ax=ax),
    "latent_scatter_of_numbers": lambda ax: vaeviz.latent_scatter(encode, X, CODES[:, 0], ax=ax),
    "posterior_ellipses": lambda ax: vaeviz.posterior_ellipses(encode, X, LABELS, n_samples=40, radius=2.0, ax=ax),
    "aggregate_posterior": lambda ax: vaeviz.aggregate_posterior(
        encode, X, n_grid=80, n_codes=200, n_permutations=100, ax=ax
    ),
    "manifold_grid": lambda ax: vaeviz.manifold_grid(SPOTS, n_grid=6, ax=ax),
    "manifold_grid_of_signals": lambda ax: vaeviz.manifold_grid(SINES, n_grid=5, ax=ax),
    "samples": lambda ax: vaeviz.samples(SPOTS, n_samples=12, ax=ax),
    "reconstruction_pairs": lambda ax: vaeviz.reconstruction_pairs(encode, SPOTS, X, LABELS, n_samples=6, ax=ax),
    "interpolation": lambda ax: vaeviz.interpolation(SPOTS, encode, X, LABELS, n_paths=3, n_steps=5, ax=ax),
}
IN_FIGURE = {
    "traversal": lambda figure: vaeviz.traversal(SPOTS, encode, X, n_steps=7, change=True, figure=figure),
    "reconstruction_error": lambda figure: vaeviz.reconstruction_error(
        encode, SPOTS, X, LABELS, n_samples=4, figure=figure
    ),
    "training_curves": lambda figure: vaeviz.training_curves(HISTORY, figure=figure),
    "elbo_decomposition": lambda figure: vaeviz.elbo_decomposition(encode, X, n_codes=200, figure=figure),
    "prior_holes": lambda figure: vaeviz.prior_holes(encode, X, SPOTS, n_codes=200, n_grid=3, figure=figure),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", [*IN_AXES, *IN_FIGURE])
def test_a_picture_looks_as_its_baseline(name, renew_pictures, tmp_path):
    path = (BASELINE if renew_pictures else tmp_path) / f"{name}.png"
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"font.size": 5, "figure.dpi": 80})
        figure = Figure(figsize=(3 if name in IN_AXES else 4.5, 2.2), layout="constrained")
        if name in IN_AXES:
            IN_AXES[name](figure.subplots())
        else:
            IN_FIGURE[name](figure)
        figure.savefig(path, metadata={"Software": None})
    assert path.stat().st_size < 30_000
    difference = compare_images(str(BASELINE / path.name), str(path), tol=TOLERANCE)
    assert difference is None, difference


def test_the_comparison_distinguishes_pictures(tmp_path):
    paths = [BASELINE / f"{name}.png" for name in IN_AXES]
    for first, second in zip(paths, paths[1:]):
        other = shutil.copy(second, tmp_path)  # the comparison writes a file beside it
        assert compare_images(str(first), str(other), tol=TOLERANCE) is not None
