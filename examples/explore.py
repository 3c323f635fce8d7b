"""Find mislabeled samples in a page that can be explored: digits of which six have a wrong label."""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
out.mkdir(parents=True, exist_ok=True)

digits = load_digits()
x, labels = digits.data / 16, digits.target.copy()
rng = np.random.default_rng(0)
wrong = np.sort(rng.choice(len(x), 6, replace=False))
labels[wrong] = (labels[wrong] + rng.integers(1, 10, 6)) % 10

pca = PCA(16).fit(x)
explorer = vaeviz.explore(pca, x=x, labels=labels, max_points=300, title="digits, six of them mislabeled")
explorer.save(out / "explorer.html")

# In the page: color by "neighbors with another label", and look at those of which all ten differ. Here the same:
table = explorer.to_frame()
suspects = table.index[table["neighbors with another label"] == 10]
print(f"mislabeled: {wrong.tolist()}; all neighbors have another label: {suspects.tolist()}")

ax = vaeviz.reconstruction_pairs(pca, pca, x, labels, rows=tuple(suspects))
ax.figure.savefig(out / "suspects.png")
