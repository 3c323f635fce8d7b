from .likelihoods import Bernoulli, Gaussian, Likelihood
from .models.autoencoder import Autoencoder, autoencoder, conv_autoencoder
from .models.builders import register_model, seeded
from .models.class_labels import class_codes, classes_of
from .models.conditional_vae import ConditionalDecoder, ConditionalEncoder, ConditionalVAE, cvae
from .models.vae import VAE, conv, mlp
from .networks import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder
from .objectives import beta_at, gaussian_kl, learning_rate_at, reparameterize
from .runs.folder import open_run, save_run
from .training.config import TrainConfig
from .training.devices import pick_device
from .training.evaluate import evaluate
from .training.fit import fit
from .training.state import TrainState

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
    "Likelihood",
    "TrainConfig",
    "TrainState",
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
    "learning_rate_at",
    "mlp",
    "open_run",
    "pick_device",
    "register_model",
    "reparameterize",
    "save_run",
    "seeded",
]
