"""Pythae: its models, and the folders in which it saves them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaeviz.model.adapters._detect import defined_in, existing_folder, require_trust, unreadable
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.whole_model import WholeModel
from vaeviz.plugins.optional_libraries import import_library

# Models whose q(z | x) is not a diagonal Gaussian or whose prior is not N(0, I): only their means are used.
OTHER_PRIORS = ("PoincareVAE", "SVAE", "HVAE", "RHVAE", "VAMP", "VAE_LinNF", "VAE_IAF")


def pythae_model(model: Any, *, trust: bool = False) -> Model | None:
    """Open a Pythae model: the mean and log-covariance of its encoder, the reconstruction of its decoder.

    ``embed`` of Pythae samples even in eval mode and is not used.

    Parameters
    ----------
    model : object
        A Pythae model, or the folder in which ``save`` left one.
    trust : bool, default False
        Load folders that contain pickled Python, which architectures of your own have.

    Returns
    -------
    Model or None
        None for anything else.
    """
    folder = existing_folder(model, "model_config.json", "model.pt")
    if folder is not None:
        return _opened_model(_load_folder(folder, trust=trust), folder.name)
    if defined_in(model, "pythae.models") and hasattr(model, "model_config"):
        return _opened_model(model, type(model).__name__)
    return None


def _opened_model(model: Any, name: str) -> Model:
    latent_size, input_shape = getattr(model, "latent_dim", None), getattr(model, "input_dim", None)
    input_shape = None if input_shape is None else tuple(input_shape)
    latent_shape = (latent_size,) if latent_size else None
    gaussian = type(model).__name__ not in OTHER_PRIORS
    decoder = Decoder(
        _decode_function(model),
        latent_shape=latent_shape,
        layout="channels_first" if input_shape and len(input_shape) == 3 else None,
        name=f"{name}.decoder",
    )
    encoder = Encoder(
        _encode_function(model, gaussian=gaussian),
        input_shape=input_shape,
        name=f"{name}.encoder",
        whole=WholeModel(decoder, lambda x: model({"data": x}), _steps_between(model)),
    )
    return Model(encoder, decoder, name=name)


def _encode_function(model: Any, *, gaussian: bool) -> Callable[[Any], Any]:
    def encode(x: Any) -> Any:
        returned = model.encoder(x)
        if type(model).__name__ == "SVAE":  # whose codes are directions
            return returned["embedding"] / returned["embedding"].norm(dim=-1, keepdim=True)
        if gaussian and "log_covariance" in returned:
            return {"mean": returned["embedding"], "log_var": returned["log_covariance"]}
        return returned["embedding"]

    return encode


def _steps_between(model: Any) -> dict[str, Callable[[Any], Any]]:
    """Return what the model may do with its codes before it decodes them, by name."""

    def quantizer(z: Any) -> Any:
        grid = z.reshape(len(z), 1, 1, -1) if z.dim() == 2 else z
        return model.quantizer(grid.permute(0, 2, 3, 1)).quantized_vector.reshape(z.shape)

    def flow(z: Any) -> Any:
        for layer in model.net:
            z = layer(z).out
        return z

    steps: dict[str, Callable[[Any], Any]] = {"quantizer": quantizer, "flow": flow}
    if hasattr(model, "iaf_flow"):
        steps["flow"] = lambda z: model.iaf_flow.inverse(z).out
    return steps


def _decode_function(model: Any) -> Callable[[Any], Any]:
    return lambda z: model.decoder(z)["reconstruction"]


def _load_folder(folder: Path, *, trust: bool) -> Any:
    pickled = [path for path in sorted(folder.iterdir()) if _is_pickled(path)]
    if pickled:
        names = " and ".join(path.name for path in pickled)
        require_trust(folder, f"contains {names}, pickled Python that can run any code when it is loaded", trust=trust)
    import_library("pythae", extra="pythae", needed_by=str(folder))
    try:
        with _quiet_logger():
            from pythae.models import AutoModel

            return AutoModel.load_from_folder(str(folder)).eval()
    except Exception as error:
        raise unreadable(folder, "Pythae", error) from error


def _is_pickled(path: Path) -> bool:
    """Return True if a file of the folder is loaded by unpickling more than tensors and plain containers."""
    if path.suffix in (".pkl", ".pickle"):
        return True
    if path.suffix != ".pt":
        return False
    import torch

    try:
        torch.load(path, weights_only=True, map_location="cpu")
    except Exception:
        return True
    return False


@contextmanager
def _quiet_logger() -> Iterator[None]:
    logger = logging.getLogger("pythae")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
