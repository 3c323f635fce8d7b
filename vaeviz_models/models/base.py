"""The common base of the models, and what `fit` needs of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from vaeviz.errors import InputError
from vaeviz_models.likelihoods import Likelihood


class TrainableModel(Protocol):
    """Torch module with a method `terms`, which is all that `fit` needs.

    Two more attributes are optional. ``capturable = True`` lets steps on CUDA run as a CUDA graph. ``classes``, a tuple
    of names, makes the model conditional: `terms` then receives the class of each sample as its third argument.
    """

    @property
    def terms(self) -> Callable[..., tuple[Tensor, Tensor | None]]:
        """``terms(x, generator) -> (log_likelihood, kl)``, both summed over the batch, in nats; kl may be None."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters."""

    def modules(self) -> Iterator[nn.Module]:
        """Yield the module and all of its parts."""

    def train(self, mode: bool = True) -> Any:
        """Set training or evaluation mode.

        Parameters
        ----------
        mode : bool, default True
            False for evaluation mode.
        """

    def to(self, device: torch.device, /) -> Any:
        """Move the weights to a device.

        Parameters
        ----------
        device : torch.device
            The device.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return the weights by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> Any:
        """Replace the weights.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            The new weights by name.
        """


def check_trainable(model: Any) -> None:
    """Raise InputError unless a model is a torch module with a method `terms`.

    Parameters
    ----------
    model : object
        What is to be trained or scored.

    Raises
    ------
    InputError
        If it is something else.
    """
    if isinstance(model, nn.Module) and callable(getattr(model, "terms", None)):
        return
    name = getattr(model, "__name__", type(model).__name__)
    fix = "Pass vaeviz_models.mlp(x.shape[1:]), or a module with such a method."
    if isinstance(model, type):
        got, fix = f"the class {name}", f"Pass an object, {name}(...)."
    elif callable(model) and not isinstance(model, nn.Module):
        got, fix = f"the function {name}", f"Pass what it returns, e.g. {name}(x.shape[1:])."
    else:
        got = f"of type {name}"
    raise InputError(
        f"model is {got}, but training needs a torch module with a method terms(x, generator).",
        got=got,
        expected="a torch module with a method terms",
        fix=fix,
    )


class EncoderDecoder(nn.Module):
    """Encoder, decoder and likelihood in one module.

    Parameters
    ----------
    encoder : torch.nn.Module
        From samples (N, ...) to codes (N, D), or to the parameters of their distribution.
    decoder : torch.nn.Module
        From codes (N, D) to the parameters of the likelihood.
    likelihood : Likelihood
        Distribution p(x | z).
    latent_dim : int
        Number of latent dimensions, D.

    Attributes
    ----------
    prior : {"normal"} or None
        ``"normal"`` if the model assumes p(z) = N(0, I).
    capturable : bool
        Whether a training step can be captured in a CUDA graph. Set it to False for parts that branch on values.
    """

    prior: Literal["normal"] | None = "normal"
    capturable: bool = True
    encoder: nn.Module
    decoder: nn.Module
    likelihood: Likelihood

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.latent_dim = latent_dim
