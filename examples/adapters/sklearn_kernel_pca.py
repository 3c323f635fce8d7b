"""scikit-learn: a pipeline that ends in a kernel PCA with its learned inverse, and an estimator without a decoder."""

import sys
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.decomposition import KernelPCA
from sklearn.manifold import Isomap
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import vaeviz

out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")
images, y = load_digits().images / 16, load_digits().target
flat = images.reshape(len(images), -1)

pipeline = make_pipeline(MinMaxScaler(), KernelPCA(8, kernel="rbf", gamma=0.02, fit_inverse_transform=True)).fit(flat)
chosen = ["latent_scatter", "reconstruction_pairs", "manifold_grid"]
for name, model in (("kernel_pca", pipeline), ("isomap", Isomap(n_components=2).fit(flat))):
    for record in vaeviz.export_figures(out / name, model=model, x=images, labels=y, plots=chosen):
        print(f"{name}: {record.plot} {record.status} {record.reason}")
