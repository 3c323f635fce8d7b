from .data import Dataset, load_data
from .decoding import decode
from .drawing.places import axes_for, figure_for
from .drawing.styles import style
from .encoding import encode, remember
from .errors import InputError, NotApplicable
from .export import export_figures
from .likelihood import log_likelihood
from .model import Decoder, Encoder, Model, given, open
from .plot import Page, get_plot, plot_names, register_plot
from .plots.compare import compare
from .plots.disentanglement import disentanglement
from .plots.interpolation import interpolation
from .plots.latent_neighbours import latent_neighbours
from .plots.latent_pairs import latent_pairs
from .plots.latent_scatter import latent_scatter
from .plots.likelihood_bound import likelihood_bound
from .plots.manifold_grid import manifold_grid
from .plots.map_quality import map_quality
from .plots.rate_distortion import rate_distortion
from .plots.reconstruction_error import reconstruction_error
from .plots.reconstruction_pairs import reconstruction_pairs
from .plots.samples import samples
from .plots.training_curves import training_curves
from .plots.tsne import tsne
from .posterior import GuessWarning, Posterior

__all__ = [
    "Dataset",
    "Decoder",
    "Encoder",
    "GuessWarning",
    "InputError",
    "Model",
    "NotApplicable",
    "Page",
    "Posterior",
    "axes_for",
    "compare",
    "decode",
    "disentanglement",
    "encode",
    "export_figures",
    "figure_for",
    "get_plot",
    "given",
    "interpolation",
    "latent_neighbours",
    "latent_pairs",
    "latent_scatter",
    "likelihood_bound",
    "load_data",
    "log_likelihood",
    "manifold_grid",
    "map_quality",
    "open",
    "plot_names",
    "rate_distortion",
    "reconstruction_error",
    "reconstruction_pairs",
    "register_plot",
    "remember",
    "samples",
    "style",
    "training_curves",
    "tsne",
]
__version__: str
