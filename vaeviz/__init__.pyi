from .analysis.active_dimensions import triage
from .analysis.elbo_decomposition import elbo_terms
from .analysis.estimates import Estimate
from .analysis.linear_vae import LinearVAE, fitted_linear_vae, linear_vae
from .analysis.mmd import mmd_test
from .analysis.prior_holes import find_holes
from .analysis.prior_mismatch import prior_mismatch
from .animation.animate import Animation, animate
from .callbacks.watch import Watch, watch
from .data.dataset import Dataset
from .data.loading import load_data
from .data.out_of_core import Batches
from .drawing.figure_factory import axes_for, figure_for
from .drawing.styles import style
from .embeddings import Embedding, embed
from .errors import GuessWarning, InputError, NotApplicable
from .explorer.explorer import Explorer, explore
from .export.figure_set import export_figures
from .health.analyze import analyze
from .health.check import CheckResult
from .health.report import Report
from .model.decode import decode
from .model.decoder import Decoder
from .model.decoder_likelihood import decoder_likelihood
from .model.encode import cache_encoding, encode
from .model.encoder import Encoder
from .model.inspect import Inspection, inspect
from .model.likelihood import log_likelihood
from .model.opening import Model, condition_on, open
from .model.posterior import Posterior
from .model.weights.load import load_weights
from .plots.aggregate_posterior import aggregate_posterior
from .plots.compare import compare
from .plots.disentanglement import disentanglement
from .plots.elbo_decomposition import elbo_decomposition
from .plots.interpolation import interpolation
from .plots.latent_neighbors import latent_neighbors
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
from .plugins.plot_spec import PageShape, get_plot, plot_names, register_plot

__all__ = [
    "Animation",
    "Batches",
    "CheckResult",
    "Dataset",
    "Decoder",
    "Embedding",
    "Encoder",
    "Estimate",
    "Explorer",
    "GuessWarning",
    "InputError",
    "Inspection",
    "LinearVAE",
    "Model",
    "NotApplicable",
    "PageShape",
    "Posterior",
    "Report",
    "Watch",
    "aggregate_posterior",
    "analyze",
    "animate",
    "axes_for",
    "cache_encoding",
    "compare",
    "condition_on",
    "decode",
    "decoder_likelihood",
    "disentanglement",
    "elbo_decomposition",
    "elbo_terms",
    "embed",
    "encode",
    "explore",
    "export_figures",
    "figure_for",
    "find_holes",
    "fitted_linear_vae",
    "get_plot",
    "inspect",
    "interpolation",
    "latent_neighbors",
    "latent_pairs",
    "latent_scatter",
    "latent_triage",
    "likelihood_bound",
    "linear_vae",
    "load_data",
    "load_weights",
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
    "samples",
    "style",
    "training_curves",
    "traversal",
    "triage",
    "tsne",
    "watch",
]
__version__: str
