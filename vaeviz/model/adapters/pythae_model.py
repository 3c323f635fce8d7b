"""Pythae: its models, and the folders in which it saves them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from vaeviz.model.adapters._detect import defined_in, existing_folder, require_trust, unreadable
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.model.whole_model import WholeModel
from vaeviz.plugins.optional_libraries import import_library, quiet_logger

OTHER_PRIORS = ("PoincareVAE", "SVAE", "VQVAE", "HVAE", "RHVAE", "VAMP")  # only the means of these models are used


def _quantize(model: Any, codes: Any) -> Any:
    spatial = codes.reshape(len(codes), 1, 1, -1) if codes.ndim == 2 else codes
    quantized = model.quantizer(spatial.permute(0, 2, 3, 1))["quantized_vector"]
    return quantized.reshape(codes.shape)


def _flow_forward(model: Any, codes: Any) -> Any:
    for layer in model.net:
        codes = layer(codes)["out"]
    return codes


# What a model does to the output of its encoder before it decodes it, by the name of its class.
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "SVAE": lambda model, codes: codes / codes.norm(dim=-1, keepdim=True),
    "VQVAE": _quantize,
    "VAE_LinNF": _flow_forward,
    "VAE_IAF": lambda model, codes: model.iaf_flow.inverse(codes)["out"],
}


def pythae_model(model: Any, *, trust: bool = False) -> Model | None:
    """Open a Pythae model: the mean and log-covariance of its encoder, the reconstruction of its decoder.

    ``embed`` of Pythae samples even in eval mode and is not used. Codes are what the decoder receives: the mean of a
    VAE, the quantized vectors of a VQVAE, the point of an SVAE on its sphere, and the mean of a VAE with a flow after
    that flow, without a spread.

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
        return _model_of_vae(_load_folder(folder, trust=trust), folder.name)
    if defined_in(model, "pythae.models") and hasattr(model, "model_config"):
        return _model_of_vae(model, type(model).__name__)
    return None


def _model_of_vae(model: Any, name: str) -> Model:
    latent_size, input_shape = getattr(model, "latent_dim", None), getattr(model, "input_dim", None)
    input_shape = None if input_shape is None else tuple(input_shape)
    class_names = {kind.__name__ for kind in type(model).__mro__}
    decoder = Decoder(
        _decode_function(model),
        latent_shape=(latent_size,) if latent_size and "VQVAE" not in class_names else None,
        layout="channels_first" if input_shape and len(input_shape) == 3 else None,
        name=f"{name}.decoder",
    )
    has_flow = bool(class_names & {"VAE_LinNF", "VAE_IAF"})
    encoder = Encoder(
        _encode_function(model, class_names),
        input_shape=input_shape,
        prior="normal" if has_flow else None,
        _whole=WholeModel(decoder, lambda x: model({"data": x})["recon_x"]),
        name=f"{name}.encoder",
    )
    return Model(encoder, decoder, name=name)


def _encode_function(model: Any, class_names: Collection[str]) -> Callable[[Any], Any]:
    step = next((STEPS[name] for name in STEPS if name in class_names), None)
    is_gaussian = not set(OTHER_PRIORS) & set(class_names)

    def encode(x: Any) -> Any:
        returned = model.encoder(x)
        if step is not None:
            return step(model, returned["embedding"])
        if is_gaussian and "log_covariance" in returned:
            return {"mean": returned["embedding"], "log_var": returned["log_covariance"]}
        return returned["embedding"]

    return encode


def _decode_function(model: Any) -> Callable[[Any], Any]:
    return lambda z: model.decoder(z)["reconstruction"]


def _load_folder(folder: Path, *, trust: bool) -> Any:
    pickled = [path for path in sorted(folder.iterdir()) if _is_pickled(path)]
    if pickled:
        names = " and ".join(path.name for path in pickled)
        require_trust(folder, f"contains {names}, pickled Python that can run any code when it is loaded", trust=trust)
    import_library("pythae", extra="pythae", needed_by=str(folder))
    try:
        with quiet_logger("pythae"):
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
