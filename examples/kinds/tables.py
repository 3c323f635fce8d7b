"""Tables: rows of heat over the names of the features. scikit-learn's wines by PCA, in their own units."""

import sys
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vaeviz

PLOTS = ("latent_scatter", "samples", "manifold_grid", "reconstruction_pairs", "interpolation", "traversal")
out = Path(sys.argv[1] if len(sys.argv) > 1 else "figures/examples")

# Units differ by a factor of a thousand, so that each feature is drawn as a share of its own span.
wine = load_wine()
model = make_pipeline(StandardScaler(), PCA(3)).fit(wine.data)
cultivars = wine.target + 1
vaeviz.export_figures(
    out / "tables", model=model, x=wine.data, labels=cultivars, feature_names=wine.feature_names, plots=PLOTS,
)  # fmt: skip

# Where x is a data frame, its columns are the names.
try:
    frame = load_wine(as_frame=True).data
except ImportError:  # needs pandas
    frame = None
if frame is not None:
    ax = vaeviz.reconstruction_pairs(model, model, frame, labels=cultivars, n_samples=12)
    ax.figure.savefig(out / "tables_of_a_frame.png", dpi=150)
