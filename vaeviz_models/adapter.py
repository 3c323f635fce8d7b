"""The adapter through which vaeviz opens the models of this package, their parts, and run folders."""

from __future__ import annotations

import inspect
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError, warn_user
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


def vaeviz_models(model: Any) -> Model | None:
    """Open a model of this package, one of its networks or methods, a run folder, or the file of a kept epoch.

    Parameters
    ----------
    model : object
        Anything that was passed to `vaeviz.open`.

    Returns
    -------
    Model or None
        The opened model; None if it is not of this package.
    """
    if isinstance(model, (str, Path)):
        return _open_run_folder(Path(model))
    if inspect.ismethod(model) and _is_ours(model.__self__) and model.__name__ in ("encode", "decode"):
        return _open_method(model.__self__, model.__name__)
    if not _is_ours(model):
        return None
    name = type(model).__name__
    return _open_whole(model, name) if hasattr(model, "terms") else _open_network(model, name)


def _is_ours(model: Any) -> bool:
    return any(kind.__module__.partition(".")[0] == "vaeviz_models" for kind in type(model).__mro__)


def _open_run_folder(path: Path) -> Model | None:
    if path.suffix == ".safetensors":
        return _open_epoch_file(path)
    if not os.path.isfile(path / "config.json"):
        return None
    from vaeviz_models.runs.data_source import display_data
    from vaeviz_models.runs.folder import open_run, read_history

    model, config = open_run(path)
    opened = _open_whole(model, path.name)
    history: dict[str, list[float]] = {}
    with suppress(InputError):
        history = read_history(path)
    if config["training"] and not (path / "history.csv").exists():
        message = f"{path}: no epoch of the training has finished, so the model has its initial weights."
        warn_user(UserWarning(message))
    inputs = {**opened.inputs, "history": history} if history else opened.inputs
    return replace(opened, inputs=inputs, data=display_data(config))


def _open_epoch_file(path: Path) -> Model | None:
    from vaeviz_models.runs.epochs import is_epoch_file, open_epoch

    return _open_whole(open_epoch(path), f"epoch {int(path.stem)}") if is_epoch_file(path) else None


def _open_whole(model: Any, name: str) -> Model:
    shape = tuple(model.decoder.sample_shape)
    encoder = Encoder(
        model.encode,
        returns="mean,log_var" if model.prior else "mean",
        input_shape=shape,
        prior=model.prior,
        conditions=getattr(model, "classes", None),
        name=f"{name}.encoder",
    )
    decoder = Decoder(
        model.decode,
        output="values",
        latent_shape=(model.latent_dim,),
        sample_shape=shape,
        prior=model.prior,
        conditions=encoder.conditions,
        name=f"{name}.decoder",
    )
    return Model(encoder, decoder, _likelihood_input(model, shape, encoder.conditions), name=name)


def _open_method(model: Any, name: str) -> Model | None:
    """Open the part of a model that its method `encode` or `decode` is."""
    opened = vaeviz_models(model)
    if opened is None:
        return None
    return replace(opened, decoder=None) if name == "encode" else replace(opened, encoder=None)


def _open_network(network: Any, name: str) -> Model | None:
    """Open an encoder or decoder network.

    A decoder does not know its likelihood, so whether it returns logits stays undeclared.
    """
    from vaeviz_models.models.conditional_vae import ConditionalDecoder, ConditionalEncoder
    from vaeviz_models.networks import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder

    conditions = getattr(network, "classes", None)
    if isinstance(network, (DenseEncoder, ConvEncoder, ConditionalEncoder)):
        encoder = Encoder(
            network,
            returns="mean,log_var" if network.returns_log_var else "mean",
            input_shape=network.sample_shape,
            prior="normal" if network.returns_log_var else None,
            conditions=conditions,
            name=name,
        )
        return Model(encoder=encoder, name=name)
    if isinstance(network, (DenseDecoder, ConvDecoder, ConditionalDecoder)):
        decoder = Decoder(
            network,
            latent_shape=(network.latent_dim,),
            sample_shape=network.sample_shape,
            conditions=conditions,
            name=name,
        )
        return Model(decoder=decoder, name=name)
    return None


def _likelihood_input(model: Any, shape: tuple[int, ...], conditions: Any) -> dict[str, Any]:
    """Return ln p(x | z) of a VAE, (N,), as an input of plots; an autoencoder has no bound that needs it.

    The likelihood of a conditional VAE is ln p(x | z, y), with y looked up among its `conditions`.
    """
    if not model.prior:
        return {}

    def likelihood(x: Any, z: Any) -> Any:
        return model.log_likelihood(x.reshape(-1, *shape), z)

    def conditional_likelihood(x: Any, z: Any, y: Any) -> Any:
        return model.log_likelihood(x.reshape(-1, *shape), z, y)

    found: Any = likelihood if conditions is None else conditional_likelihood
    found.name, found.conditions = type(model.likelihood).__name__.lower(), conditions
    return {"likelihood": found}
