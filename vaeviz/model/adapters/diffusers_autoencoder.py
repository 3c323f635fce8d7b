"""diffusers: ``AutoencoderKL``, the autoencoder of latent diffusion (Rombach et al. 2022)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.adapters._detect import defined_in, existing_folder, require_library
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


def diffusers_autoencoder(model: Any) -> Model | None:
    """An `AutoencoderKL` or its folder (a pipeline's folder too): spatial codes of images in [-1, 1].

    The codes are scaled as diffusion models take them, ``(z − shift_factor) · scaling_factor``, so that they have
    about unit variance. Folders are read from safetensors alone.
    """
    folder = existing_folder(model, "model_index.json")
    folder = existing_folder(model if folder is None else folder / "vae", "config.json")
    if folder is not None:
        return _opened(_loaded(folder), Path(model).name) if _class_name(folder) == "AutoencoderKL" else None
    if defined_in(model, "diffusers.models.autoencoders.autoencoder_kl"):
        return _opened(model, type(model).__name__)
    return None


def _opened(model: Any, name: str) -> Model:
    scale = getattr(model.config, "scaling_factor", None) or 1.0
    shift = getattr(model.config, "shift_factor", None) or 0.0
    declared = {"layout": "channels_first", "value_range": (-1, 1), "prior": "normal"}
    encoder = Encoder(_encoder(model, scale, shift), returns="mean,std", name=f"{name}.encode", **declared)
    decoder = Decoder(_decoder(model, scale, shift), name=f"{name}.decode", **declared)
    return Model(encoder, decoder, name=name)


def _encoder(model: Any, scale: float, shift: float) -> Callable[[Any], Any]:
    def encode(x: Any) -> Any:
        posterior = model.encode(x).latent_dist
        return (posterior.mean - shift) * scale, posterior.std * scale

    return encode


def _decoder(model: Any, scale: float, shift: float) -> Callable[[Any], Any]:
    return lambda z: model.decode(z / scale + shift).sample


def _class_name(folder: Path) -> str | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:
        return None
    return config.get("_class_name") if isinstance(config, dict) else None


def _loaded(folder: Path) -> Any:
    if not list(folder.glob("*.safetensors")):
        raise InputError(f"{folder}: holds no .safetensors file; weights in pickled form (.bin) are not loaded")
    require_library("diffusers", "diffusers", folder)
    from diffusers import AutoencoderKL

    try:
        return AutoencoderKL.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: diffusers cannot load it ({reason})") from None
