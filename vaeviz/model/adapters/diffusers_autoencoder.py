"""diffusers: ``AutoencoderKL``, the autoencoder of latent diffusion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vaeviz.model.adapters._detect import defined_in, existing_folder, require_trust, unreadable
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model
from vaeviz.plugins.optional_libraries import import_library


def diffusers_autoencoder(model: Any, *, trust: bool = False) -> Model | None:
    """Open an ``AutoencoderKL`` or its folder, also inside the folder of a pipeline.

    Codes are spatial, and those of the autoencoder itself, whose prior is N(0, I). A diffusion model takes them as
    ``(z − shift_factor) · scaling_factor``. The model expects images in [-1, 1]; pass them in [0, 1].

    Parameters
    ----------
    model : object
        An ``AutoencoderKL``, or the path of a folder.
    trust : bool, default False
        Load folders without safetensors, whose weights are pickled.

    Returns
    -------
    Model or None
        None for anything else.

    References
    ----------
    Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", arXiv:2112.10752.
    """
    folder = existing_folder(model, "model_index.json")
    folder = existing_folder(model if folder is None else folder / "vae", "config.json")
    if folder is not None:
        if _class_name(folder) != "AutoencoderKL":
            return None
        return _model_of_autoencoder(_load_folder(folder, trust=trust), Path(model).name)
    if defined_in(model, "diffusers.models.autoencoders.autoencoder_kl"):
        return _model_of_autoencoder(model, type(model).__name__)
    return None


def _model_of_autoencoder(model: Any, name: str) -> Model:
    declared: dict[str, Any] = {"layout": "channels_first", "value_range": (-1, 1), "prior": "normal"}

    def encode(x: Any) -> Any:
        posterior = model.encode(x).latent_dist
        return posterior.mean, posterior.std

    def decode(z: Any) -> Any:
        return model.decode(z).sample

    encoder = Encoder(encode, returns="mean,std", name=f"{name}.encode", **declared)
    decoder = Decoder(decode, name=f"{name}.decode", **declared)
    return Model(encoder, decoder, name=name)


def _class_name(folder: Path) -> Any:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return None
    return config.get("_class_name") if isinstance(config, dict) else None


def _load_folder(folder: Path, *, trust: bool) -> Any:
    safe = any(folder.glob("*.safetensors"))
    if not safe:
        require_trust(folder, "contains no .safetensors file, and pickled weights can run any code", trust=trust)
    import_library("diffusers", extra="diffusers", needed_by=str(folder))
    from diffusers import AutoencoderKL

    load: Any = AutoencoderKL.from_pretrained
    try:
        return load(folder, use_safetensors=safe, local_files_only=True).eval()
    except Exception as error:
        raise unreadable(folder, "diffusers", error) from error
