from .data import Dataset, load_data
from .decoding import decode
from .drawing.places import axes_for, figure_for
from .drawing.styles import style
from .encoding import encode, remember
from .errors import InputError, NotApplicable
from .explaining import Explanation, explain
from .export import export_figures
from .model import Decoder, Encoder, Model, given, open
from .plot import Page, get_plot, plot_names, register_plot
from .plots.interpolation import interpolation
from .plots.latent_scatter import latent_scatter
from .plots.manifold_grid import manifold_grid
from .plots.reconstruction_pairs import reconstruction_pairs
from .plots.samples import samples
from .plots.training_curves import training_curves
from .plots.tsne import tsne
from .posterior import GuessWarning, Posterior

__all__ = [
    "Dataset",
    "Decoder",
    "Encoder",
    "Explanation",
    "GuessWarning",
    "InputError",
    "Model",
    "NotApplicable",
    "Page",
    "Posterior",
    "axes_for",
    "decode",
    "encode",
    "explain",
    "export_figures",
    "figure_for",
    "get_plot",
    "given",
    "interpolation",
    "latent_scatter",
    "load_data",
    "manifold_grid",
    "open",
    "plot_names",
    "reconstruction_pairs",
    "register_plot",
    "remember",
    "samples",
    "style",
    "training_curves",
    "tsne",
]
__version__: str
