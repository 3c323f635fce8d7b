"""A scikit-learn estimator, or a lambda that calls it."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

x, y = load_digits(return_X_y=True)
x = x / 16
pca = PCA(8, random_state=0).fit(x)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
vaeviz.latent_scatter(lambda x: pca.transform(x), x, labels=y, ax=left)
vaeviz.tsne(pca, x, labels=y, ax=right)
figure.savefig(out / "sklearn_pca.png", dpi=150)

ax = vaeviz.reconstruction_pairs(pca, pca, x, labels=y)
ax.figure.savefig(out / "sklearn_pca_pairs.png", dpi=150)
