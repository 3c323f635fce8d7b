"""How vaeviz opens our models, their parts and run folders: through the same door as a stranger's."""

from __future__ import annotations

import inspect
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vaeviz.errors import InputError
from vaeviz.model.decoder import Decoder
from vaeviz.model.encoder import Encoder
from vaeviz.model.opening import Model


def vaeviz_models(model: Any) -> Model | None:
    """A VAE or plain autoencoder of this package, one of its networks alone, or the folder of a run."""
    if isinstance(model, (str, Path)):
        return _run(Path(model))
    if inspect.ismethod(model) and _is_ours(model.__self__) and model.__name__ in ("encode", "decode"):
        return _method(vaeviz_models(model.__self__), model.__name__)
    if not _is_ours(model):
        return None
    return _model(model, type(model).__name__) if hasattr(model, "terms") else _network(model, type(model).__name__)


def _is_ours(model: Any) -> bool:
    return any(kind.__module__.partition(".")[0] == "vaeviz_models" for kind in type(model).__mro__)


def _run(path: Path) -> Model | None:
    if not (path / "config.json").is_file():
        return None
    from vaeviz_models.runs.folder import open_run, read_history, shown_data

    model, config = open_run(path)
    opened = _model(model, path.name)
    history = {}
    with suppress(InputError):
        history = read_history(path)
    if config.get("training") and not (path / "history.csv").exists():
        warnings.warn(f"{path}: no epoch of its training has finished; these are its first weights", stacklevel=2)
    inputs = {**opened.inputs, "history": history} if history else opened.inputs
    return replace(opened, inputs=inputs, data=shown_data(config))


def _model(model: Any, name: str) -> Model:
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
    return Model(encoder, decoder, _likelihood(model, shape, encoder.conditions), name=name)


def _method(opened: Model | None, name: str) -> Model | None:
    """The part of a whole model that its method `encode` or `decode` is."""
    return opened and replace(opened, **{"decoder" if name == "encode" else "encoder": None})


def _network(network: Any, name: str) -> Model | None:
    """An encoder or decoder used apart.

    A decoder gives the parameters of a likelihood that it does not know: whether they are logits stays undeclared.
    """
    from vaeviz_models.models.conditional_vae import ConditionalDecoder, ConditionalEncoder
    from vaeviz_models.networks import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder

    known = {"conditions": getattr(network, "classes", None), "name": name}
    if isinstance(network, (DenseEncoder, ConvEncoder, ConditionalEncoder)):
        returns, prior = ("mean,log_var", "normal") if network.gives_spread else ("mean", None)
        encoder = Encoder(network, returns=returns, input_shape=network.sample_shape, prior=prior, **known)
        return Model(encoder=encoder, name=name)
    if isinstance(network, (DenseDecoder, ConvDecoder, ConditionalDecoder)):
        shapes = {"latent_shape": (network.latent_dim,), "sample_shape": network.sample_shape}
        return Model(decoder=Decoder(network, **shapes, **known), name=name)
    return None


def _likelihood(model: Any, shape: tuple[int, ...], conditions: Any) -> dict:
    """ln p(x | z) of a VAE, (N,), evaluated on its own device; a plain autoencoder has no bound that needs it.

    Of a conditional one ln p(x | z, y), with y looked up among its `conditions`.
    """
    if not model.prior:
        return {}

    def likelihood(x: Any, z: Any) -> Any:
        return model.log_likelihood(x.reshape(-1, *shape), z)

    def conditional_likelihood(x: Any, z: Any, y: Any) -> Any:
        return model.log_likelihood(x.reshape(-1, *shape), z, y)

    if conditions is None:
        return {"likelihood": likelihood}
    conditional_likelihood.conditions = conditions
    return {"likelihood": conditional_likelihood}
