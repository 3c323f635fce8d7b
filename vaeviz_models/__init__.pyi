from .classes import class_codes, classes_of
from .conditional import ConditionalDecoder, ConditionalEncoder, ConditionalVAE, cvae
from .devices import pick_device
from .likelihoods import Bernoulli, Gaussian
from .networks import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder
from .objectives import beta_at, gaussian_kl, rate_at, reparameterise
from .plain_autoencoder import Autoencoder, autoencoder, conv_autoencoder
from .recipes import register_model
from .runs import open_run, save_run
from .training import Training, evaluate, fit, seeded
from .vae import VAE, conv, mlp

__all__ = [
    "Autoencoder",
    "Bernoulli",
    "ConditionalDecoder",
    "ConditionalEncoder",
    "ConditionalVAE",
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "DenseEncoder",
    "Gaussian",
    "Training",
    "VAE",
    "autoencoder",
    "beta_at",
    "class_codes",
    "classes_of",
    "conv",
    "conv_autoencoder",
    "cvae",
    "evaluate",
    "fit",
    "gaussian_kl",
    "mlp",
    "open_run",
    "pick_device",
    "rate_at",
    "register_model",
    "reparameterise",
    "save_run",
    "seeded",
]
