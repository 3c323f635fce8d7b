"""Color images: patches of the two photographs that scikit-learn contains, encoded with PCA."""

import sys
from pathlib import Path

from sklearn.decomposition import PCA

import vaeviz

PLOTS = ("latent_scatter", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

train, test = (vaeviz.load_data("patches", split=split) for split in ("train", "test"))
pca = PCA(24, random_state=0).fit(train.x.reshape(len(train), -1))
vaeviz.export_figures(out / "color_images", model=pca, data=test, plots=PLOTS)
