"""Tables: samples as heat map rows over feature names. Encodes scikit-learn's wine data with PCA."""

import sys
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vaeviz

PLOTS = ("latent_scatter", "samples", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

# Units differ by a factor of a thousand, so each feature is colored by its share of its own span.
wine = load_wine()
model = make_pipeline(StandardScaler(), PCA(3)).fit(wine.data)
cultivars = wine.target + 1
vaeviz.export_figures(
    out / "tables", model=model, x=wine.data, labels=cultivars, feature_names=wine.feature_names, plots=PLOTS,
)  # fmt: skip

# If x is a data frame, its columns are the names.
frame = load_wine(as_frame=True).data
ax = vaeviz.reconstruction_pairs(model, x=frame, labels=cultivars, n_samples=12)
ax.figure.savefig(out / "tables_of_a_frame.png", dpi=150)
