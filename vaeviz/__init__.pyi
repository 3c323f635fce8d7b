from .analysis.embedding import Embedding, embed
from .analysis.estimates import Estimate
from .analysis.holes import find_holes
from .analysis.linear_vae import LinearVAE, fitted_linear_vae, linear_vae
from .analysis.mismatch import prior_mismatch
from .analysis.mmd import mmd_test
from .analysis.surgery import elbo_terms
from .analysis.triage import triage
from .analyzing import analyze
from .data import Dataset, load_data
from .decoding import decode
from .drawing.places import axes_for, figure_for
from .drawing.styles import style
from .encoding import encode, remember
from .errors import InputError, NotApplicable
from .explaining import Explanation, explain
from .export import export_figures
from .finding import Finding
from .likelihood import log_likelihood
from .model import Decoder, Encoder, Model, given, open
from .plot import Page, get_plot, plot_names, register_plot
from .plots.aggregate_posterior import aggregate_posterior
from .plots.compare import compare
from .plots.disentanglement import disentanglement
from .plots.elbo_decomposition import elbo_decomposition
from .plots.interpolation import interpolation
from .plots.latent_neighbours import latent_neighbours
from .plots.latent_pairs import latent_pairs
from .plots.latent_scatter import latent_scatter
from .plots.latent_triage import latent_triage
from .plots.likelihood_bound import likelihood_bound
from .plots.manifold_grid import manifold_grid
from .plots.map_quality import map_quality
from .plots.posterior_ellipses import posterior_ellipses
from .plots.prior_holes import prior_holes
from .plots.rate_distortion import rate_distortion
from .plots.reconstruction_error import reconstruction_error
from .plots.reconstruction_pairs import reconstruction_pairs
from .plots.samples import samples
from .plots.training_curves import training_curves
from .plots.traversal import traversal
from .plots.tsne import tsne
from .posterior import GuessWarning, Posterior
from .report import Report
from .streams import Batches

__all__ = [
    "Batches",
    "Dataset",
    "Decoder",
    "Embedding",
    "Encoder",
    "Estimate",
    "Explanation",
    "Finding",
    "GuessWarning",
    "InputError",
    "LinearVAE",
    "Model",
    "NotApplicable",
    "Page",
    "Posterior",
    "Report",
    "aggregate_posterior",
    "analyze",
    "axes_for",
    "compare",
    "decode",
    "disentanglement",
    "elbo_decomposition",
    "elbo_terms",
    "embed",
    "encode",
    "explain",
    "export_figures",
    "figure_for",
    "find_holes",
    "fitted_linear_vae",
    "get_plot",
    "given",
    "interpolation",
    "latent_neighbours",
    "latent_pairs",
    "latent_scatter",
    "latent_triage",
    "likelihood_bound",
    "linear_vae",
    "load_data",
    "log_likelihood",
    "manifold_grid",
    "map_quality",
    "mmd_test",
    "open",
    "plot_names",
    "posterior_ellipses",
    "prior_holes",
    "prior_mismatch",
    "rate_distortion",
    "reconstruction_error",
    "reconstruction_pairs",
    "register_plot",
    "remember",
    "samples",
    "style",
    "training_curves",
    "traversal",
    "triage",
    "tsne",
]
__version__: str
