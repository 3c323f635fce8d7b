"""Pythae: its models, and the folders in which it saves them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_folder, require_library
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model

OTHER_PRIORS = ("PoincareVAE", "SVAE", "HVAE", "RHVAE", "VAMP")
"""Models whose spread or prior is no diagonal Gaussian and N(0, I); their means are drawn, and no prior is assumed."""


def pythae_model(model: Any) -> Model | None:
    """A Pythae model: the mean (`embedding`) and `log_covariance` of its encoder, the `reconstruction` of its decoder.

    Its own `embed` samples even in eval mode, and is not used. A folder is opened only where nothing in it is pickled
    Python, so with architectures of Pythae's own.
    """
    folder = existing_folder(model, "model_config.json", "model.pt")
    if folder is not None:
        return _opened(_loaded(folder), folder.name)
    if defined_in(model, "pythae.models") and hasattr(model, "model_config"):
        return _opened(model, type(model).__name__)
    return None


def _opened(model: Any, name: str) -> Model:
    size, shape = getattr(model, "latent_dim", None), getattr(model, "input_dim", None)
    shape = None if shape is None else tuple(shape)
    layout = "channels_first" if shape and len(shape) == 3 else None
    encoder = Encoder(_encoder(model), input_shape=shape, name=f"{name}.encoder")
    decoder = Decoder(_decoder(model), latent_shape=size and (size,), layout=layout, name=f"{name}.decoder")
    return Model(encoder, decoder, name=name)


def _encoder(model: Any) -> Callable[[Any], Any]:
    def encode(x: Any) -> Any:
        returned = model.encoder(x)
        if "log_covariance" not in returned or type(model).__name__ in OTHER_PRIORS:
            return returned["embedding"]
        return returned["embedding"], returned["log_covariance"]

    return encode


def _decoder(model: Any) -> Callable[[Any], Any]:
    return lambda z: model.decoder(z)["reconstruction"]


def _loaded(folder: Path) -> Any:
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in (".pkl", ".pickle"))
    if pickles:
        raise InputError(
            f"{folder}: refused, it holds {' and '.join(pickles)}, and nothing is unpickled; if you trust it, load it "
            "yourself with pythae's AutoModel and pass the model: --model package.module:name"
        )
    for path in sorted(folder.glob("*.pt")):
        _check_weights(path)
    require_library("pythae", "pythae", folder)
    try:
        with _quiet():
            from pythae.models import AutoModel

            return AutoModel.load_from_folder(str(folder)).eval()
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: Pythae cannot load it ({reason})") from None


def _check_weights(path: Path) -> None:
    import torch

    try:
        torch.load(path, weights_only=True, map_location="cpu")
    except Exception:
        raise InputError(f"{path}: refused, it does not load with weights_only=True, so it may run code") from None


@contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("pythae")
    level, logger.level = logger.level, logging.ERROR
    try:
        yield
    finally:
        logger.level = level
